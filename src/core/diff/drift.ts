/**
 * Which objects of a release are not as they should be: missing, changed, or there without being wanted.
 * The list is complete; {@link MODIFIED_MAX} of it go into a status.
 */
import type { ComparePatch, ModifiedStatus } from '#api/fleet';
import type { Unstructured } from '#apimachinery/meta';
import { isRecord } from '#base/json';
import { differences } from './compare.ts';
import { normalize } from './normalize.ts';
import { applyPatches, ignoresObject, patchesFor } from './patches.ts';

/** Entries of `BundleDeployment.status.modifiedStatus`. */
export const MODIFIED_MAX = 10;
/** Characters of one patch in a status. */
const PATCH_MAX = 2000;

export interface DriftInput {
  desired: readonly Unstructured[];
  /** The live object, or nothing. */
  live(desired: Unstructured): Unstructured | undefined;
  /** Live objects that carry our mark and are not desired. */
  orphans?: readonly Unstructured[];
  comparePatches?: readonly ComparePatch[];
  /** Whether an autoscaler sets this object's replicas. */
  isScaled?(desired: Unstructured): boolean;
  /** Whether the live object is ours; without it, all are. */
  isOurs?(live: Unstructured): boolean;
}

/** Every object that differs, in the order of the desired ones, orphans last. */
export function findDrift(input: DriftInput): ModifiedStatus[] {
  const found = input.desired.flatMap((object) => driftOf(input, object) ?? []);
  const orphans = (input.orphans ?? []).filter((object) => !ignoresObject(patchesFor(input.comparePatches ?? [], identify(object))));
  return [...found, ...orphans.map((object) => ({ ...identify(object), delete: true }))];
}

function driftOf(input: DriftInput, desired: Unstructured): ModifiedStatus | undefined {
  const live = input.live(desired);
  const address = identify(live ?? desired);
  const patches = patchesFor(input.comparePatches ?? [], address);
  if (ignoresObject(patches)) return undefined;
  if (!live) return { ...address, missing: true };
  if (input.isOurs && !input.isOurs(live)) return { ...address, exist: true };
  const options = { scaled: input.isScaled?.(desired) ?? false };
  const [wanted, is] = [normalize(desired, options), normalize(live, options)];
  for (const side of [wanted, is]) applyPatches(side, patches);
  // The live object may be served in another version, and always knows its namespace.
  delete wanted.apiVersion;
  delete wanted.metadata.namespace;
  const patch = differences(wanted, is);
  return patch === undefined ? undefined : { ...address, patch: patchText(desired, patch) };
}

function identify({ apiVersion = '', kind = '', metadata }: Unstructured): ModifiedStatus {
  return { apiVersion, kind, ...(metadata.namespace ? { namespace: metadata.namespace } : {}), name: metadata.name ?? '' };
}

/** The patch as JSON; a Secret's values are not shown. */
function patchText(desired: Unstructured, patch: unknown): string {
  const shown = desired.kind === 'Secret' && isRecord(patch) && isRecord(patch.data) ? { ...patch, data: Object.fromEntries(Object.keys(patch.data).map((key) => [key, '***'])) } : patch;
  const text = JSON.stringify(shown);
  return text.length > PATCH_MAX ? `${text.slice(0, PATCH_MAX)}…` : text;
}
