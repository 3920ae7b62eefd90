/**
 * From a BundleDeployment to what the release engine needs: options, values from everywhere, rendered
 * objects. Reads both clusters, writes nothing.
 */
import { configMaps, secrets } from '#api/builtin';
import type { BundleDeployment, BundleDeploymentOptions } from '#api/fleet';
import { keyOf, type Unstructured } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import { base64Decode, sha256Hex, utf8Text } from '#base/hash';
import { canonicalJson, isRecord } from '#base/json';
import type { Random } from '#base/random';
import { chartFolder } from '#core/bundle';
import { mergeValues } from '#core/target';
import type { ReleaseHook } from '#core/release';
import type { Reader } from '#kube/client';
import { renderBundle } from '#render/bundle';
import type { RenderCrypto } from '#render/gotemplate';
import { parseYaml } from '#render/rawyaml';
import { DEFAULT_OPTIONS, type ReleaseContent, type ReleaseOptions } from '../release/index.ts';
import type { BundleFiles, ContentCache } from './content.ts';
import { AGENT_LABEL, DELETE_NAMESPACE_LABEL, KEEP_LABEL, OWNER_LABEL } from './releases.ts';

type Values = Record<string, unknown>;

export interface ClusterCapabilities {
  kubeVersion: string;
  apiVersions: readonly string[];
  isNamespaced: (apiVersion: string, kind: string) => boolean | undefined;
}

export interface PrepareDependencies {
  upstream: Reader;
  downstream: Reader;
  contents: ContentCache;
  capabilities(): Promise<ClusterCapabilities>;
  /** Namespace of the agent. */
  agentNamespace: string;
  clock: Clock;
  random: Random;
  crypto?: RenderCrypto;
}

export interface ReleaseTarget {
  namespace: string;
  name: string;
}

/** Where the release lives (facts/fleet.md §2.6) and how it is called. */
export function releaseTargetOf(deployment: BundleDeployment): ReleaseTarget {
  const options = deployment.spec.options ?? {};
  return { namespace: options.namespace || options.defaultNamespace || 'default', name: options.helm?.releaseName || releaseName(deployment.metadata.name ?? '') };
}

/** Helm allows 53 characters, no dots at the ends. */
function releaseName(name: string): string {
  if (name.length <= 53) return name;
  return `${name.slice(0, 47).replace(/[-.]+$/, '')}-${sha256Hex(name).slice(0, 5)}`;
}

/** The Secret with the values is not the one the spec names: a write upstream is under way. */
export class StaleValuesError extends Error {
  override name = 'StaleValuesError';
}

export async function prepare(deployment: BundleDeployment, revision: { number: number; isUpgrade: boolean }, deps: PrepareDependencies, signal: AbortSignal): Promise<ReleaseContent> {
  const options = deployment.spec.options ?? {};
  const target = releaseTargetOf(deployment);
  const values = await valuesOf(deployment, target, deps, signal);
  const files = await deps.contents.files((deployment.spec.deploymentID ?? '').split(':')[0] ?? '', signal);
  const capabilities = await deps.capabilities();
  const rendered = renderBundle({
    files,
    options: renderOptions(options, values, files),
    release: { ...target, revision: revision.number, isUpgrade: revision.isUpgrade },
    setID: setIDOf(deployment, deps.agentNamespace),
    kubeVersion: capabilities.kubeVersion,
    apiVersions: capabilities.apiVersions,
    isNamespaced: capabilities.isNamespaced,
    random: deps.random,
    nowMs: deps.clock.wallMs(),
    ...(deps.crypto ? { crypto: deps.crypto } : {}),
  });
  return {
    chart: rendered.chart,
    values,
    objects: rendered.objects.map((object) => keepCrds(object, options)),
    hooks: rendered.hooks.map((hook): ReleaseHook => ({
      name: hook.name,
      kind: hook.kind,
      path: hook.path,
      manifest: JSON.stringify(hook.object),
      events: [...hook.events],
      weight: hook.weight,
      delete_policies: [...hook.deletePolicies] as NonNullable<ReleaseHook['delete_policies']>,
    })),
    crds: rendered.crds.flatMap(({ objects }) => objects as Unstructured[]),
    notes: rendered.notes,
    labels: labelsOf(deployment, deps.agentNamespace),
  };
}

/** How the release is to be made; known without rendering. */
export function releaseOptionsOf({ spec }: BundleDeployment): ReleaseOptions {
  const { helm, keepResources } = spec.options ?? {};
  return {
    timeoutMs: (helm?.timeoutSeconds ?? 0) * 1000,
    atomic: helm?.atomic === true,
    force: helm?.force === true,
    takeOwnership: helm?.takeOwnership === true,
    maxHistory: helm?.maxHistory ?? DEFAULT_OPTIONS.maxHistory,
    keepResources: keepResources === true,
  };
}

/** Marks every object of the deployment; also tells the agents of one cluster apart. */
export function setIDOf(deployment: BundleDeployment, agentNamespace: string): string {
  return `${agentNamespace}-${deployment.metadata.name ?? ''}`;
}

function labelsOf(deployment: BundleDeployment, agentNamespace: string): Record<string, string> {
  const { keepResources, deleteNamespace } = deployment.spec.options ?? {};
  return {
    [OWNER_LABEL]: deployment.metadata.name ?? '',
    [AGENT_LABEL]: agentNamespace,
    ...(keepResources ? { [KEEP_LABEL]: 'true' } : {}),
    ...(deleteNamespace ? { [DELETE_NAMESPACE_LABEL]: 'true' } : {}),
  };
}

function renderOptions(options: BundleDeploymentOptions, values: Values, files: BundleFiles) {
  const { helm, kustomize, yaml } = options;
  const fetched = chartFolder(files, helm);
  return {
    values,
    ...(helm?.chart ? { chart: helm.chart } : {}),
    ...(fetched ? { chartKey: fetched } : {}),
    ...(helm?.skipSchemaValidation ? { skipSchemaValidation: true } : {}),
    ...(kustomize?.dir ? { kustomizeDir: kustomize.dir } : {}),
    ...(yaml?.overlays ? { overlays: yaml.overlays } : {}),
    ...(options.namespace ? { forceNamespace: true } : {}),
  };
}

/** CRDs outlive their release unless the bundle says otherwise (facts/fleet.md §1.8). */
function keepCrds(object: Unstructured, options: BundleDeploymentOptions): Unstructured {
  if (object.kind !== 'CustomResourceDefinition' || options.deleteCRDResources) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'helm.sh/resource-policy': 'keep' } } };
}

async function valuesOf(deployment: BundleDeployment, target: ReleaseTarget, deps: PrepareDependencies, signal: AbortSignal): Promise<Values> {
  let values: Values = deployment.spec.options?.helm?.values ?? {};
  if (deployment.spec.valuesHash) values = mergeValues(values, await secretValues(deployment, deps.upstream, signal));
  for (const entry of deployment.spec.options?.helm?.valuesFrom ?? []) {
    if (entry.configMapKeyRef) {
      const { name = '', namespace = target.namespace, key = 'values.yaml' } = entry.configMapKeyRef;
      const map = await deps.downstream.get(configMaps, { namespace, name }, { signal });
      values = mergeValues(values, parseValues(map.data?.[key], `ConfigMap/${namespace}/${name}`, key));
    }
    if (entry.secretKeyRef) {
      const { name = '', namespace = target.namespace, key = 'values.yaml' } = entry.secretKeyRef;
      const secret = await deps.downstream.get(secrets, { namespace, name }, { signal });
      const text = secret.data?.[key];
      values = mergeValues(values, parseValues(text === undefined ? undefined : utf8Text(base64Decode(text)), `Secret/${namespace}/${name}`, key));
    }
  }
  return values;
}

function parseValues(text: string | undefined, subject: string, key: string): Values {
  if (text === undefined) throw new Error(`${subject}: has no key ${JSON.stringify(key)}, which helm.valuesFrom names`);
  const values: unknown = parseYaml(text, { file: `${subject} key ${key}` });
  if (values === null || values === undefined) return {};
  if (!isRecord(values)) throw new Error(`${subject}: key ${JSON.stringify(key)} does not hold a map of values`);
  return values;
}

/** The released values; the Secret must be the one the spec was written with. */
async function secretValues(deployment: BundleDeployment, upstream: Reader, signal: AbortSignal): Promise<Values> {
  const secret = await upstream.get(secrets, keyOf(deployment), { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const data = Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, utf8Text(base64Decode(value))]));
  if (!secret || sha256Hex(canonicalJson(data)) !== deployment.spec.valuesHash) {
    throw new StaleValuesError(`BundleDeployment/${deployment.metadata.namespace}/${deployment.metadata.name}: its values are not written yet`);
  }
  return data.values === undefined ? {} : (JSON.parse(data.values) as Values);
}
