/**
 * Whether a live object is ready. Rules of two sources that Fleet uses together: kstatus
 * (sigs.k8s.io/cli-utils: generations, counts of workloads, the conditions Ready, Reconciling, Stalled) and
 * Rancher's summarizers (conditions that mean an error or a transition on any kind). An object about which
 * nothing is known is ready.
 *
 * `ignore.conditions` of the bundle takes conditions out before anything looks at them.
 */
import type { Condition, Unstructured } from '#apimachinery/meta';
import { getPath, isRecord } from '#base/json';
import { conditionsOf, failed, failing, progressing, ready, type Conditions } from './verdict.ts';
import { assessKind } from './workloads.ts';
import type { Health } from './types.ts';

/** One entry of `ignore.conditions`: a condition that has all these fields is not looked at. */
export type IgnoredCondition = Readonly<Record<string, string>>;

export function assess(object: Unstructured, ignored: readonly IgnoredCondition[] = []): Health {
  const conditions = conditionsOf(object, (condition) => ignored.some((pattern) => Object.keys(pattern).length > 0 && Object.entries(pattern).every(([key, value]) => (condition[key] ?? '') === value)));
  if (object.metadata.deletionTimestamp) return progressing('removing', 'is being deleted');
  return behind(object) ?? general(conditions) ?? assessKind(object, conditions) ?? generic(object, conditions) ?? ready();
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

/** True is good, False an error, Unknown on its way. Source: Rancher's summarizers (wrangler, pkg/summary). */
const SETTLED_WHEN_TRUE = [
  'Active', 'AddonDeploy', 'AgentDeployed', 'Built', 'ConfigOK', 'Created', 'Deployed', 'Downloaded', 'Initialized', 'Installed', 'Processed',
  'Provisioned', 'Reconciled', 'Refreshed', 'Registered', 'RunCompleted', 'Saved', 'Updated', 'Upgraded', 'AbleToScale', 'ScalingActive',
];

/** True is good, anything else on its way. */
const REACHED_WHEN_TRUE = ['Completed', 'Ready', 'Available', 'BootstrapReady', 'InfrastructureReady', 'NodeHealthy'];

/** Kinds without rules of their own: what they say of themselves, and the conditions. */
function generic(object: Unstructured, conditions: Conditions): Health | undefined {
  if (getPath(object, 'status', 'display', 'error') === true) {
    const message = getPath(object, 'status', 'display', 'message');
    return failed(typeof message === 'string' ? message : 'is in error');
  }
  const error = conditions.all.find(({ type, status, reason }) => reason === 'Error' || (status === 'True' && (type === 'Failed' || type === 'ReplicaFailure')));
  if (error) return failing(error);
  for (const type of SETTLED_WHEN_TRUE) {
    const condition = conditions.find(type);
    if (condition?.status === 'False') return failing(condition);
    if (condition?.status === 'Unknown') return progressing('in-progress', textOf(condition));
  }
  const waited = REACHED_WHEN_TRUE.map((type) => conditions.find(type)).find((condition) => condition && condition.status !== 'True');
  return waited && progressing('in-progress', textOf(waited));
}

function textOf(condition: Condition): string {
  return condition.message || condition.reason || `condition ${condition.type} is ${condition.status}`;
}

/** Whether a value is worth assessing at all. */
export function isObject(value: unknown): value is Unstructured {
  return isRecord(value) && isRecord(value.metadata);
}
