/**
 * Bundle → Content, BundleDeployments in the namespaces of the clusters it is meant for, and its status.
 * Decisions are made in #core/target and #core/rollout; this file reads, asks, and writes.
 *
 * Order of writes: Content before the BundleDeployments that name it. A new leader computes the same plan
 * from the same objects, so a rollout goes on where its predecessor stopped.
 */
import { gzipSync } from 'node:zlib';
import { type Namespace, type Secret, secrets } from '#api/builtin';
import {
  annotation,
  type Bundle,
  type BundleDeployment,
  type BundleNamespaceMapping,
  bundleDeployments,
  bundles,
  type Cluster,
  type ClusterGroup,
  type Content,
  contents,
  finalizer,
  label,
} from '#api/fleet';
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { ignoreNotFound, isAlreadyExists } from '#apimachinery/status';
import { type Clock, rfc3339 } from '#base/clock';
import { base64Decode, utf8Text } from '#base/hash';
import { buildContent, contentName, injectValues } from '#core/bundle';
import { deploymentKey, planRollout, type RolloutPlan } from '#core/rollout';
import { bundleStatus, reportOf, summarize } from '#core/rollup';
import { type MatchResult, matchTargets, namespacesFor, type TemplateTools } from '#core/target';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';
import { patchStatus } from '#kube/status';
import { type Values, withoutValues } from './values.ts';
import { writePlan } from './write-plan.ts';

const LIMITS = {
  /** More BundleDeployments than `maxNew` are wanted: the next step. */
  nextStepMs: 100,
};

/** Index of BundleDeployments by the Bundle they belong to (`namespace/name`). */
export const BY_BUNDLE = 'bundle';

export function bundleKeyOf(deployment: BundleDeployment): ObjectKey | undefined {
  const { labels } = deployment.metadata;
  const namespace = labels?.[label.bundleNamespace];
  const name = labels?.[label.bundleName];
  return namespace && name ? { namespace, name } : undefined;
}

export interface BundleDependencies {
  bundles: Informer<Bundle>;
  /** Indexed by {@link BY_BUNDLE}. */
  deployments: Informer<BundleDeployment>;
  clusters: Informer<Cluster>;
  clusterGroups: Informer<ClusterGroup>;
  mappings: Informer<BundleNamespaceMapping>;
  namespaces: Informer<Namespace>;
  contents: Informer<Content>;
  internalSecrets: Informer<Secret>;
  templates: TemplateTools;
  clock: Clock;
}

export class BundleReconciler implements Reconciler<'upstream'> {
  readonly #deps: BundleDependencies;

  constructor(deps: BundleDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const cached = this.#deps.bundles.get(key);
    const client = ctx.clients.upstream;
    if (!cached) return done;
    if (cached.metadata.deletionTimestamp) return this.#remove(cached, client);
    if (!cached.metadata.finalizers?.includes(finalizer.bundle)) {
      await setFinalizers(cached, [...(cached.metadata.finalizers ?? []), finalizer.bundle], client);
      return done; // the change brings us back
    }
    const bundle = await this.#withValues(cached, client);
    const manifestID = contentName(bundle.spec.resources ?? []);
    await this.#ensureContent(bundle, manifestID, client);
    const match = this.#match(bundle, manifestID);
    const { plan, values } = this.#plan(bundle, match);
    await writePlan(plan, { client, values, deployments: this.#deps.deployments, secrets: this.#deps.internalSecrets, contentName: manifestID });
    await this.#writeStatus(cached, match, plan, client);
    return plan.status.newlyCreated >= plan.status.maxNew ? requeueAfter(LIMITS.nextStepMs) : done;
  }

  /** The bundle with its values, which are kept in a Secret. */
  async #withValues(bundle: Bundle, client: LeaderClient): Promise<Bundle> {
    if (!bundle.spec.valuesHash) return bundle;
    const secret = await client.get(secrets, keyOf(bundle));
    const data = Object.fromEntries(Object.entries(secret.data ?? {}).map(([name, value]) => [name, utf8Text(base64Decode(value))]));
    return { ...bundle, spec: injectValues(bundle.spec, data) };
  }

  async #ensureContent(bundle: Bundle, name: string, client: LeaderClient): Promise<void> {
    if (this.#deps.contents.get({ name })) return;
    try {
      await client.create(contents, buildContent(bundle.spec.resources ?? [], (bytes) => gzipSync(bytes)));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  #match(bundle: Bundle, manifestID: string): MatchResult {
    const { clusters, clusterGroups, mappings, namespaces, templates } = this.#deps;
    const known = mappings.list(bundle.metadata.namespace).length === 0 ? [] : namespaces.list().map(({ metadata }) => ({ name: metadata.name ?? '', labels: metadata.labels ?? {} }));
    const reach = namespacesFor(bundle, mappings.list(bundle.metadata.namespace), known);
    return matchTargets({
      bundle,
      manifestID,
      clusters: reach.flatMap((namespace) => clusters.list(namespace)),
      clusterGroups: reach.flatMap((namespace) => clusterGroups.list(namespace)),
      templates,
    });
  }

  #plan(bundle: Bundle, match: MatchResult): { plan: RolloutPlan; values: Map<string, Values> } {
    const values = new Map<string, Values>();
    const targets = match.targets.map((full) => {
      const stripped = withoutValues(full);
      if (stripped.values) values.set(deploymentKey(full.deploymentNamespace, full.bundleName), stripped.values);
      return stripped.target;
    });
    const { rolloutStrategy, dependsOn, helmOpOptions, contentsId } = bundle.spec;
    const plan = planRollout({
      targets,
      existing: this.#existing(bundle),
      keep: new Set(match.errors.map(({ deploymentNamespace }) => deploymentKey(deploymentNamespace, bundle.metadata.name ?? ''))),
      bundleLabels: bundle.metadata.labels ?? {},
      ...(rolloutStrategy ? { strategy: rolloutStrategy } : {}),
      ...(dependsOn ? { dependsOn } : {}),
      ...(helmOpOptions ? { helmOpOptions } : {}),
      ...(contentsId ? { ociContents: true } : {}),
    });
    return { plan, values };
  }

  #existing(bundle: Bundle): BundleDeployment[] {
    return this.#deps.deployments.byIndex(BY_BUNDLE, deploymentKey(bundle.metadata.namespace ?? '', bundle.metadata.name ?? ''));
  }

  async #writeStatus(bundle: Bundle, match: MatchResult, plan: RolloutPlan, client: LeaderClient): Promise<void> {
    const existing = new Map(this.#existing(bundle).map((deployment) => [deployment.metadata.namespace ?? '', deployment]));
    const reports = match.targets.map(({ clusterNamespace, clusterName, deploymentNamespace }) =>
      reportOf(`${clusterNamespace}/${clusterName}`, existing.get(deploymentNamespace)),
    );
    const failed = match.errors.map(({ clusterNamespace, clusterName, message }) => ({
      name: `${clusterNamespace}/${clusterName}`,
      state: 'ErrApplied' as const,
      message,
      modified: [],
      nonReady: [],
    }));
    const now = rfc3339(this.#deps.clock.wallMs());
    const { newlyCreated: _n, ...rollout } = plan.status;
    const generation = bundle.metadata.generation;
    await patchStatus(client, bundles, bundle, {
      ...bundleStatus(bundle.status, summarize([...reports, ...failed]), now),
      ...rollout,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    });
  }

  /** The Secret as it is now: not one that a Bundle of the same name gets later. */
  async #removeValues(bundle: Bundle, client: LeaderClient): Promise<void> {
    const { uid } = this.#deps.internalSecrets.get(keyOf(bundle))?.metadata ?? {};
    await client.delete(secrets, keyOf(bundle), uid ? { preconditions: { uid } } : {}).catch(ignoreNotFound);
  }

  /** Deployments go first; the Bundle is released once none is left. */
  async #remove(bundle: Bundle, client: LeaderClient): Promise<Outcome> {
    if (!bundle.metadata.finalizers?.includes(finalizer.bundle)) return done;
    const left = this.#existing(bundle);
    for (const deployment of left) {
      if (deployment.metadata.deletionTimestamp) continue;
      const { uid } = deployment.metadata;
      await client.delete(bundleDeployments, keyOf(deployment), uid ? { preconditions: { uid } } : {}).catch(ignoreNotFound);
    }
    if (left.length > 0) return done; // their deletion brings us back
    if (bundle.spec.valuesHash) await this.#removeValues(bundle, client);
    await setFinalizers(bundle, bundle.metadata.finalizers.filter((name) => name !== finalizer.bundle), client);
    return done;
  }
}

async function setFinalizers(bundle: Bundle, finalizers: string[], client: LeaderClient): Promise<void> {
  const metadata = { finalizers, resourceVersion: bundle.metadata.resourceVersion, annotations: { [annotation.epoch]: String(client.term.epoch) } };
  await client.patch(bundles, keyOf(bundle), { type: 'merge', body: { metadata } });
}
