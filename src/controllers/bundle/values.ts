/**
 * Helm values of BundleDeployments travel in a Secret of the same name, never in the clear in a spec
 * (facts/fleet.md §2.5). `values` belong to the released options, `stagedValues` to the staged ones; the
 * spec's `valuesHash` ties the pair together, so that an agent never deploys a version with another
 * version's values.
 */
import type { Secret } from '#api/builtin';
import { type BundleDeployment, type BundleDeploymentOptions, type BundleDeploymentSpec, FLEET_API_VERSION, label, secretType } from '#api/fleet';
import { base64Decode, base64Encode, sha256Hex, utf8Text } from '#base/hash';
import { canonicalJson } from '#base/json';
import type { Target } from '#core/target';

/** Annotation of the Secret with the hash of its data, so that a cache need not keep the data. */
export const VALUES_HASH = 'fleet.cattle.io/values-hash';
export const INTERNAL_SECRET_SELECTOR = `${label.internalSecret}=true`;

export type Values = Record<string, unknown>;

/** The target without values, and its values (undefined when it has none). */
export function withoutValues(target: Target): { target: Target; values: Values | undefined } {
  const { values, ...helm } = target.options.helm ?? {};
  if (!values || Object.keys(values).length === 0) return { target, values: undefined };
  const options: BundleDeploymentOptions = { ...target.options, helm };
  return { target: { ...target, options }, values };
}

/** What goes into the Secret: JSON text by key. Empty when neither version has values. */
export function secretData(values: Values | undefined, stagedValues: Values | undefined): Record<string, string> {
  return {
    ...(values ? { values: canonicalJson(values) } : {}),
    ...(stagedValues ? { stagedValues: canonicalJson(stagedValues) } : {}),
  };
}

/** Empty data has the empty hash, which means: there is no Secret. */
export function hashOf(data: Readonly<Record<string, string>>): string {
  return Object.keys(data).length === 0 ? '' : sha256Hex(canonicalJson(data));
}

/** Values of the released version as the Secret of an existing BundleDeployment has them. */
export function releasedValues(secret: Secret | undefined): Values | undefined {
  const text = secret?.data?.values;
  return text === undefined ? undefined : (JSON.parse(utf8Text(base64Decode(text))) as Values);
}

export function valuesSecret(deployment: BundleDeployment, data: Readonly<Record<string, string>>): Secret {
  const { name = '', namespace = '', uid = '' } = deployment.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace,
      labels: { [label.internalSecret]: 'true' },
      annotations: { [VALUES_HASH]: hashOf(data) },
      ownerReferences: [{ apiVersion: FLEET_API_VERSION, kind: 'BundleDeployment', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    type: secretType.bundleDeploymentValues,
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64Encode(text)])),
  };
}

/** The spec with the hash of its values, or without one. */
export function withValuesHash(spec: BundleDeploymentSpec, hash: string): BundleDeploymentSpec {
  const { valuesHash: _old, ...rest } = spec;
  return hash ? { ...rest, valuesHash: hash } : rest;
}
