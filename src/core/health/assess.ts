/**
 * Whether a live object is ready. Rules of two sources that Fleet uses together: kstatus
 * (sigs.k8s.io/cli-utils: generations, counts of workloads, the conditions Ready, Reconciling, Stalled) and
 * Rancher's summarizers (conditions that mean an error or a transition on any kind). An object about which
 * nothing is known is ready.
 *
 * `ignore.conditions` of the bundle takes conditions out before anything looks at them.
 */
import type { Unstructured } from '#apimachinery/meta';
import { getPath, isRecord } from '#base/json';
import { conditionsOf, failing, progressing, ready, type Conditions } from './verdict.ts';
import { assessKind } from './workloads.ts';
import type { Health } from './types.ts';

/** One entry of `ignore.conditions`: a condition that has all these fields is not looked at. */
export type IgnoredCondition = Readonly<Record<string, string>>;

export function assess(object: Unstructured, ignored: readonly IgnoredCondition[] = []): Health {
  const conditions = conditionsOf(object, (condition) => ignored.some((pattern) => Object.keys(pattern).length > 0 && Object.entries(pattern).every(([key, value]) => (condition[key] ?? '') === value)));
  if (object.metadata.deletionTimestamp) return progressing('removing', 'is being deleted');
  return behind(object) ?? general(conditions) ?? assessKind(object, conditions) ?? generic(conditions) ?? ready();
}

/** The controller has not looked at the newest spec yet. */
function behind(object: Unstructured): Health | undefined {
  const observed = getPath(object, 'status', 'observedGeneration');
  const { generation } = object.metadata;
  if (typeof observed !== 'number' || generation === undefined || observed >= generation) return undefined;
  return progressing('in-progress', `generation is ${generation}, observed is ${observed}`);
}

/** Conditions with one meaning on every kind (kstatus). */
function general(conditions: Conditions): Health | undefined {
  const stalled = conditions.find('Stalled');
  if (stalled?.status === 'True') return failing(stalled);
  const reconciling = conditions.find('Reconciling');
  if (reconciling?.status === 'True') return progressing('in-progress', reconciling.message || 'is reconciling');
  return undefined;
}

/** Kinds without rules of their own: the conditions speak. */
function generic(conditions: Conditions): Health | undefined {
  const failed = conditions.find('Failed');
  if (failed?.status === 'True') return failing(failed);
  for (const type of ['Ready', 'Available', 'Established', 'Initialized', 'Provisioned', 'Reconciled', 'Synced', 'Healthy', 'Deployed', 'Processed']) {
    const condition = conditions.find(type);
    if (!condition || condition.status === 'True') continue;
    if (condition.status === 'False' && /error|fail/i.test(condition.reason ?? '')) return failing(condition);
    return progressing('in-progress', condition.message || condition.reason || `condition ${type} is ${condition.status}`);
  }
  return undefined;
}

/** Whether a value is worth assessing at all. */
export function isObject(value: unknown): value is Unstructured {
  return isRecord(value) && isRecord(value.metadata);
}
