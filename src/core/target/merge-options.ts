/**
 * A customization laid over a bundle's options. Not everything merges, exactly as in Fleet (facts §2.4):
 * values deeply; booleans by OR, so that a customization cannot turn one off; lists of keyed entries by
 * key; overlays are appended; correctDrift is replaced; what is not named here stays the bundle's.
 *
 * Laws (tested): mergeOptions(a, {}) = a; laying the same values over twice changes nothing more; inputs
 * are never changed.
 */
import type { BundleDeploymentOptions, ComparePatch, DownstreamResource, HelmOptions, ValuesFrom } from '#api/fleet';
import { sha256Hex } from '#base/hash';
import { canonicalJson, deepClone, isRecord } from '#base/json';

type Values = Record<string, unknown>;

/** Deep merge of maps; everything else of `over` replaces. */
export function mergeValues(base: Values, over: Values): Values {
  const merged: Values = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    define(merged, key, isRecord(below) && isRecord(value) ? mergeValues(below, value) : value);
  }
  return merged;
}

/** Sets a key even when it is called `__proto__`. */
function define(target: Values, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The options of a deployment: `custom` over `base`. */
export function mergeOptions(base: BundleDeploymentOptions, custom: BundleDeploymentOptions): BundleDeploymentOptions {
  const result = deepClone(base);
  const over = deepClone(custom);
  if (over.defaultNamespace) result.defaultNamespace = over.defaultNamespace;
  if (over.namespace) result.namespace = over.namespace;
  if (over.serviceAccount) result.serviceAccount = over.serviceAccount;
  if (over.helm) result.helm = mergeHelm(result.helm ?? {}, over.helm);
  if (over.kustomize) result.kustomize = { ...result.kustomize, ...(over.kustomize.dir ? { dir: over.kustomize.dir } : {}) };
  if (over.diff) result.diff = { ...result.diff, comparePatches: mergeKeyed(result.diff?.comparePatches, over.diff.comparePatches, patchKey) };
  if (over.yaml) result.yaml = { ...result.yaml, overlays: [...(result.yaml?.overlays ?? []), ...(over.yaml.overlays ?? [])] };
  if ((over.forceSyncGeneration ?? 0) > 0) result.forceSyncGeneration = over.forceSyncGeneration as number;
  if (over.keepResources) result.keepResources = true;
  if (over.correctDrift) result.correctDrift = over.correctDrift;
  if (over.downstreamResources?.length) result.downstreamResources = mergeKeyed(result.downstreamResources, over.downstreamResources, resourceKey);
  if (notEmpty(over.namespaceLabels)) result.namespaceLabels = { ...result.namespaceLabels, ...over.namespaceLabels };
  if (notEmpty(over.namespaceAnnotations)) result.namespaceAnnotations = { ...result.namespaceAnnotations, ...over.namespaceAnnotations };
  return result;
}

function notEmpty(map: Record<string, string> | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}

const OR_FLAGS = ['force', 'atomic', 'takeOwnership', 'disablePreProcess', 'waitForJobs', 'disableDNS'] as const;
const OVERRIDES = ['repo', 'chart', 'version', 'releaseName'] as const;

function mergeHelm(base: HelmOptions, over: HelmOptions): HelmOptions {
  const result: HelmOptions = { ...base };
  const timeout = over.timeoutSeconds ?? 0;
  if (timeout !== 0) result.timeoutSeconds = Math.max(0, timeout);
  if (over.values) result.values = base.values ? mergeValues(base.values, over.values) : over.values;
  if (over.templateValues) result.templateValues = { ...base.templateValues, ...over.templateValues };
  if (over.valuesFrom?.length) result.valuesFrom = mergeKeyed(base.valuesFrom, over.valuesFrom, valuesFromKey);
  for (const field of OVERRIDES) if (over[field]) result[field] = over[field];
  for (const flag of OR_FLAGS) if (over[flag]) result[flag] = true;
  return result;
}

/** Entries of `over` replace those of `base` with the same key, in place; new ones follow; '' has no identity. */
function mergeKeyed<T>(base: readonly T[] | undefined, over: readonly T[] | undefined, keyOf: (item: T) => string): T[] {
  const result = [...(base ?? [])];
  for (const item of over ?? []) {
    const key = keyOf(item);
    const at = key === '' ? -1 : result.findIndex((other) => keyOf(other) === key);
    if (at < 0) result.push(item);
    else result[at] = item;
  }
  return result;
}

function patchKey(patch: ComparePatch): string {
  return [patch.apiVersion, patch.kind, patch.namespace, patch.name].map((part) => part ?? '').join('|');
}

function resourceKey(resource: DownstreamResource): string {
  return `${(resource.kind ?? '').toLowerCase()}|${resource.name ?? ''}`;
}

function valuesFromKey({ configMapKeyRef, secretKeyRef }: ValuesFrom): string {
  const ref = configMapKeyRef ?? secretKeyRef;
  if (!ref) return '';
  return [configMapKeyRef ? 'configmap' : 'secret', ref.namespace ?? '', ref.name ?? '', ref.key ?? ''].join('|');
}

/**
 * The identity of what is to be deployed: manifest and options. Options that only govern how drift is
 * judged or repaired are left out, so that changing them redeploys nothing.
 */
export function deploymentIDOf(manifestID: string, options: BundleDeploymentOptions): string {
  const { diff: _diff, correctDrift: _correctDrift, ...hashed } = options;
  return `${manifestID}:${sha256Hex(canonicalJson(hashed))}`;
}
