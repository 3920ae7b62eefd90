/** The objects of a release as Helm marks and records them. */
import type { Unstructured } from '#apimachinery/meta';
import { isRecord } from '#base/json';
import type { ReleaseRecord } from '#core/release';
import { referenceOf, referenceText, type ObjectReference } from '#kube/apply';
import { dumpYaml, parseDocuments } from '#render/rawyaml';

/** The manifest of a record: one document per object, as `helm get manifest` prints it. */
export function manifestOf(objects: readonly Unstructured[]): string {
  return objects.map((object) => `---\n${dumpYaml(object)}`).join('');
}

/** The objects of a record's manifest. */
export function objectsOf(record: ReleaseRecord | undefined): Unstructured[] {
  if (!record?.manifest) return [];
  return parseDocuments(record.manifest, { file: `release ${record.name}` })
    .map(({ value }) => value)
    .filter((value): value is Unstructured => isRecord(value) && typeof value.kind === 'string');
}

/**
 * Set on every object of a revision that follows one which was given up or failed: it makes each apply a
 * change, so that no version which that revision's writes may still name on the wire stays valid. The next
 * revision takes it off again (docs/adr/0010).
 */
export const FENCE_ANNOTATION = 'fleet.cattle.io/fence';

/**
 * An object with the marks by which Helm knows what it owns. Source: helm.sh/helm, pkg/action/validate.go
 * (label app.kubernetes.io/managed-by, annotations meta.helm.sh/release-name and -namespace).
 */
export function owned(object: Unstructured, record: ReleaseRecord, fence = false): Unstructured {
  const { labels, annotations } = object.metadata;
  const marks = { 'meta.helm.sh/release-name': record.name, 'meta.helm.sh/release-namespace': record.namespace };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { ...annotations, ...marks, ...(fence ? { [FENCE_ANNOTATION]: String(record.version) } : {}) },
    },
  };
}

/** Who else owns the object according to its marks; undefined when nobody or this release does. */
export function foreignOwner(live: Unstructured, record: ReleaseRecord): string | undefined {
  const { annotations = {} } = live.metadata;
  const name = annotations['meta.helm.sh/release-name'];
  const namespace = annotations['meta.helm.sh/release-namespace'];
  if (!name || (name === record.name && namespace === record.namespace)) return undefined;
  return `${namespace}/${name}`;
}

/** References of `before` that `after` has no more. */
export function leftOver(before: readonly Unstructured[], after: readonly Unstructured[]): ObjectReference[] {
  const kept = new Set(after.map((object) => identityText(referenceOf(object))));
  return before.map(referenceOf).filter((reference) => !kept.has(identityText(reference)));
}

/** Versions of a group are the same object. */
function identityText(reference: ObjectReference): string {
  return `${reference.apiVersion.split('/').slice(0, -1).join('/')} ${referenceText(reference)}`;
}

/** `helm.sh/resource-policy: keep` survives upgrades and uninstallation. */
export function keepReason(live: Unstructured): string | undefined {
  return live.metadata.annotations?.['helm.sh/resource-policy'] === 'keep' ? 'helm.sh/resource-policy: keep' : undefined;
}
