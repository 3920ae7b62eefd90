/** Rules for the kinds Kubernetes brings along. Source: kstatus (sigs.k8s.io/cli-utils, package status). */
import { parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { getPath, isRecord } from '#base/json';
import type { Health } from './types.ts';
import { failed, failing, progressing, ready, type Conditions } from './verdict.ts';

type Rule = (object: Unstructured, conditions: Conditions) => Health;

const RULES: Readonly<Record<string, Rule>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/ReplicaSet': replicaSet,
  '/ReplicationController': replicaSet,
  '/Pod': pod,
  'batch/Job': job,
  '/PersistentVolumeClaim': claim,
  '/Service': service,
  '/Namespace': namespace,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  // Their conditions describe what they do, not whether they are there.
  'policy/PodDisruptionBudget': () => ready(),
  'batch/CronJob': () => ready(),
};

/** The verdict of the kind's own rule; `undefined` when there is none. */
export function assessKind(object: Unstructured, conditions: Conditions): Health | undefined {
  return RULES[`${parseApiVersion(object.apiVersion ?? '').group}/${object.kind ?? ''}`]?.(object, conditions);
}

function count(object: Unstructured, ...path: string[]): number | undefined {
  const value = getPath(object, ...path);
  return typeof value === 'number' ? value : undefined;
}

/** The first of these counts that is too small. */
function tooFew(object: Unstructured, wanted: number, fields: Readonly<Record<string, string>>): Health | undefined {
  for (const [field, word] of Object.entries(fields)) {
    const have = count(object, 'status', field) ?? 0;
    if (have < wanted) return progressing('in-progress', `${word}: ${have}/${wanted}`);
  }
  return undefined;
}

function deployment(object: Unstructured, conditions: Conditions): Health {
  const progress = conditions.find('Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(progress.message || 'progress deadline exceeded');
  const failure = conditions.find('ReplicaFailure');
  if (failure?.status === 'True') return failing(failure);
  const wanted = count(object, 'spec', 'replicas') ?? 1;
  const short = tooFew(object, wanted, { updatedReplicas: 'updated replicas' });
  if (short) return short;
  const total = count(object, 'status', 'replicas') ?? 0;
  if (total > wanted) return progressing('in-progress', `replicas to be stopped: ${total - wanted}`);
  const unready = tooFew(object, wanted, { availableReplicas: 'available replicas', readyReplicas: 'ready replicas' });
  if (unready) return unready;
  const available = conditions.find('Available');
  if (available && available.status !== 'True') return progressing('in-progress', available.message || 'is not available');
  return ready();
}

function statefulSet(object: Unstructured): Health {
  if (getPath(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return ready();
  const wanted = count(object, 'spec', 'replicas') ?? 1;
  const short = tooFew(object, wanted, { replicas: 'replicas', readyReplicas: 'ready replicas' });
  if (short) return short;
  const total = count(object, 'status', 'replicas') ?? 0;
  if (total > wanted) return progressing('in-progress', `replicas to be stopped: ${total - wanted}`);
  const partition = count(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  if (partition > 0) return tooFew(object, wanted - partition, { updatedReplicas: 'updated replicas' }) ?? ready();
  const current = getPath(object, 'status', 'currentRevision');
  const update = getPath(object, 'status', 'updateRevision');
  if (update !== undefined && current !== update) return progressing('in-progress', `updated replicas: ${count(object, 'status', 'updatedReplicas') ?? 0}/${wanted}`);
  return ready();
}

function daemonSet(object: Unstructured): Health {
  const wanted = count(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined || count(object, 'status', 'observedGeneration') === undefined) return progressing('in-progress', 'is not observed yet');
  if (getPath(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return ready();
  return tooFew(object, wanted, { currentNumberScheduled: 'scheduled pods', updatedNumberScheduled: 'updated pods', numberAvailable: 'available pods', numberReady: 'ready pods' }) ?? ready();
}

function replicaSet(object: Unstructured, conditions: Conditions): Health {
  const failure = conditions.find('ReplicaFailure');
  if (failure?.status === 'True') return failing(failure);
  const wanted = count(object, 'spec', 'replicas') ?? 1;
  const short = tooFew(object, wanted, { replicas: 'replicas', availableReplicas: 'available replicas', readyReplicas: 'ready replicas' });
  if (short) return short;
  const total = count(object, 'status', 'replicas') ?? 0;
  return total > wanted ? progressing('in-progress', `replicas to be stopped: ${total - wanted}`) : ready();
}

/** Reasons for waiting that do not go away by waiting. */
const HOPELESS = new Set(['CrashLoopBackOff', 'ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'CreateContainerConfigError', 'CreateContainerError']);

function pod(object: Unstructured, conditions: Conditions): Health {
  const phase = getPath(object, 'status', 'phase');
  if (phase === 'Succeeded') return ready();
  if (phase === 'Failed') return failed(text(object, 'status', 'message') || text(object, 'status', 'reason') || 'pod failed');
  const waiting = containers(object).map((container) => getPath(container, 'state', 'waiting')).find((state) => isRecord(state) && HOPELESS.has(String(state.reason)));
  if (isRecord(waiting)) return failed([waiting.reason, waiting.message].filter(Boolean).join(': '));
  const scheduled = conditions.find('PodScheduled');
  if (scheduled?.status === 'False') return progressing('in-progress', scheduled.message || scheduled.reason || 'is not scheduled');
  const readiness = conditions.find('Ready');
  if (phase === 'Running' && readiness?.status === 'True') return ready();
  return progressing('in-progress', readiness?.message || (typeof phase === 'string' ? `pod is ${phase}` : 'pod has no status yet'));
}

function containers(object: Unstructured): unknown[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((field) => {
    const list = getPath(object, 'status', field);
    return Array.isArray(list) ? (list as unknown[]) : [];
  });
}

function text(object: Unstructured, ...path: string[]): string {
  const value = getPath(object, ...path);
  return typeof value === 'string' ? value : '';
}

/** A Job that runs is as it should be; only one that failed or has not started is not (kstatus). */
function job(object: Unstructured, conditions: Conditions): Health {
  const failure = conditions.find('Failed');
  if (failure?.status === 'True') return failing(failure);
  if (conditions.find('Complete')?.status === 'True' || conditions.find('Suspended')?.status === 'True') return ready();
  return getPath(object, 'status', 'startTime') === undefined ? progressing('in-progress', 'job has not started') : ready();
}

function claim(object: Unstructured): Health {
  const phase = text(object, 'status', 'phase') || 'Pending';
  return phase === 'Bound' ? ready() : phase === 'Lost' ? failed('volume is lost') : progressing('in-progress', `claim is ${phase}`);
}

/**
 * A load balancer's address is not waited for (kstatus' rule): a cluster without load balancers would never
 * be ready. Fleet does wait for it.
 */
function service(object: Unstructured): Health {
  const waits = getPath(object, 'spec', 'type') === 'LoadBalancer' && text(object, 'spec', 'clusterIP') === '';
  return waits ? progressing('in-progress', 'has no cluster IP yet') : ready();
}

function namespace(object: Unstructured): Health {
  return text(object, 'status', 'phase') === 'Terminating' ? progressing('removing', 'is being deleted') : ready();
}

function definition(_object: Unstructured, conditions: Conditions): Health {
  const names = conditions.find('NamesAccepted');
  if (names?.status === 'False') return failing(names);
  const established = conditions.find('Established');
  if (established?.status === 'True') return ready();
  return progressing('in-progress', established?.message || 'is not established yet');
}
