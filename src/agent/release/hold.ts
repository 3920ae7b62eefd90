/**
 * Hook objects are created without leave to run: Jobs suspended, Pods with a scheduling gate. Leave is given
 * once the journal names the object, by a write guarded by its version. So a creation that arrives when its
 * sender is dead and the hook has run already makes an object that never runs.
 */
import type { Unstructured } from '#apimachinery/meta';
import { isRecord } from '#base/json';
import type { Patch } from '#kube/client';

const HELD_ANNOTATION = 'fleet.cattle.io/hook-held';
const GATE = 'fleet.cattle.io/hook';

/** The object as it is created; other kinds, and Jobs that are suspended anyway, are left as they are. */
export function held(object: Unstructured): Unstructured {
  const spec = isRecord(object.spec) ? object.spec : {};
  const metadata = { ...object.metadata, annotations: { ...object.metadata.annotations, [HELD_ANNOTATION]: 'true' } };
  if (object.kind === 'Job' && spec.suspend !== true) return { ...object, metadata, spec: { ...spec, suspend: true } };
  if (object.kind === 'Pod') return { ...object, metadata, spec: { ...spec, schedulingGates: [...gatesOf(spec), { name: GATE }] } };
  return object;
}

export function isHeld(live: Unstructured): boolean {
  if (live.metadata.annotations?.[HELD_ANNOTATION] !== 'true' || !isRecord(live.spec)) return false;
  return live.kind === 'Job' ? live.spec.suspend === true : gatesOf(live.spec).some(({ name }) => name === GATE);
}

/** Gives leave to the object as it was seen. */
export function letGo(live: Unstructured): Patch {
  const { resourceVersion } = live.metadata;
  if (live.kind === 'Job') return { type: 'merge', body: { metadata: { resourceVersion }, spec: { suspend: false } } };
  const schedulingGates = gatesOf(isRecord(live.spec) ? live.spec : {}).filter(({ name }) => name !== GATE);
  return { type: 'merge', body: { metadata: { resourceVersion }, spec: { schedulingGates } } };
}

function gatesOf(spec: Readonly<Record<string, unknown>>): { name: string }[] {
  return Array.isArray(spec.schedulingGates) ? (spec.schedulingGates as { name: string }[]) : [];
}
