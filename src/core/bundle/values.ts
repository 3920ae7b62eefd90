/**
 * Helm values travel in Secrets, not in the clear in Bundles and BundleDeployments. These functions move
 * them out and back in; the hash ties object and Secret together, so that a reader notices a stale pair.
 * Secret keys are Fleet's: `values.yaml` holds the bundle's own values, a target's stand under its name.
 */
import type { BundleDeploymentOptions, BundleSpec } from '#api/fleet';
import { sha256Hex } from '#base/hash';
import { canonicalJson } from '#base/json';

export const VALUES_KEY = 'values.yaml';

export interface ExtractedValues {
  /** The spec without values; `valuesHash` set when there were any. */
  spec: BundleSpec;
  /** Secret data as JSON text (which is YAML), by key; empty when the bundle has no values. */
  data: Record<string, string>;
  /** Hash of the data; empty when there is none. */
  hash: string;
}

/** Moves the values of a bundle and of its targets out of the spec. */
export function extractValues(spec: BundleSpec): ExtractedValues {
  const data: Record<string, string> = {};
  const own = stripValues(spec, VALUES_KEY, data);
  const targets = spec.targets?.map((target, index) => stripValues(target, target.name ?? `target${index}`, data));
  const hash = Object.keys(data).length > 0 ? sha256Hex(canonicalJson(data)) : '';
  const { valuesHash: _old, ...bare } = own;
  return { spec: { ...bare, ...(targets ? { targets } : {}), ...(hash ? { valuesHash: hash } : {}) }, data, hash };
}

function stripValues<T extends BundleDeploymentOptions>(options: T, key: string, data: Record<string, string>): T {
  const values = options.helm?.values;
  if (!options.helm || !values || Object.keys(values).length === 0) return options;
  data[key] = canonicalJson(values);
  const { values: _moved, ...helm } = options.helm;
  return { ...options, helm };
}

/** The inverse: the spec with the Secret's values back in place. Throws when the hash does not fit the data. */
export function injectValues(spec: BundleSpec, data: Readonly<Record<string, string>>): BundleSpec {
  if (!spec.valuesHash) return spec;
  const hash = sha256Hex(canonicalJson(data));
  if (hash !== spec.valuesHash) throw new Error(`values secret does not belong to this version of the bundle: it hashes to ${hash}, the bundle names ${spec.valuesHash}`);
  const restored = restoreValues(spec, data[VALUES_KEY]);
  const targets = spec.targets?.map((target, index) => restoreValues(target, data[target.name ?? `target${index}`]));
  return { ...restored, ...(targets ? { targets } : {}) };
}

function restoreValues<T extends BundleDeploymentOptions>(options: T, text: string | undefined): T {
  if (text === undefined) return options;
  return { ...options, helm: { ...options.helm, values: JSON.parse(text) as Record<string, unknown> } };
}
