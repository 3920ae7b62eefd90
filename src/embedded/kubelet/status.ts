/**
 * The status of a pod from the states of its containers. Pure. Rule: "Pod Lifecycle": phase, conditions,
 * quality of service.
 */
import { withCondition } from '#embedded/controlloop';
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '#api/builtin';

export interface PodFacts {
  hostIP: string;
  podIP: string;
  startTime: string;
  now: string;
  /** Statuses in the order of the spec. */
  init: readonly ContainerStatus[];
  main: readonly ContainerStatus[];
}

/** The whole status the kubelet is responsible for. */
export function podStatus(pod: Pod, facts: PodFacts): PodStatus {
  const phase = phaseOf(pod, facts);
  return {
    phase,
    conditions: conditionsOf(pod, facts, phase),
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    ...(facts.podIP ? { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] } : {}),
    startTime: facts.startTime,
    ...(facts.init.length > 0 ? { initContainerStatuses: [...facts.init] } : {}),
    containerStatuses: [...facts.main],
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  };
}

function isSidecar(pod: Pod, status: ContainerStatus): boolean {
  return pod.spec?.initContainers?.find((each) => each.name === status.name)?.restartPolicy === 'Always';
}

/** Every init container has done its part: plain ones ended well, sidecars have started. */
export function isInitialized(pod: Pod, init: readonly ContainerStatus[]): boolean {
  return init.every((status) => (isSidecar(pod, status) ? status.started === true : status.state?.terminated?.exitCode === 0));
}

function phaseOf(pod: Pod, { init, main }: PodFacts): string {
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const failedInit = init.some((status) => (status.state?.terminated?.exitCode ?? 0) !== 0 && !isSidecar(pod, status));
  if (failedInit && policy === 'Never') return 'Failed';
  const begun = main.some((status) => status.state?.running || status.state?.terminated || status.lastState?.terminated);
  if (!begun) return 'Pending';
  const ended = main.every((status) => status.state?.terminated);
  if (!ended) return 'Running';
  const codes = main.map((status) => status.state?.terminated?.exitCode ?? 0);
  const over = policy === 'Never' || pod.metadata.deletionTimestamp !== undefined || (policy === 'OnFailure' && codes.every((code) => code === 0));
  if (!over) return 'Running';
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
}

function conditionsOf(pod: Pod, facts: PodFacts, phase: string): PodCondition[] {
  const initialized = isInitialized(pod, facts.init);
  const waitingInit = facts.init.filter((status) => status.state?.terminated?.exitCode !== 0 && !isSidecar(pod, status)).map((status) => status.name);
  const unready = facts.main.filter((status) => !status.ready).map((status) => status.name);
  const finished = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
  const containers = readiness(unready, finished);
  const gates = (pod.spec?.readinessGates ?? []).filter((gate) => pod.status?.conditions?.find((each) => each.type === gate.conditionType)?.status !== 'True');
  const ready = containers.status === 'True' && gates.length > 0 ? { status: 'False' as const, reason: 'ReadinessGatesNotReady', message: gates.map((gate) => `the status of pod readiness gate "${gate.conditionType}" is not "True", but False`).join(', ') } : containers;
  const present = pod.status?.conditions;
  const observed = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation };
  const set = (list: PodCondition[], wanted: PodCondition) => withCondition(list, { ...wanted, ...observed }, facts.now);
  let conditions: PodCondition[] = [...(present ?? [])];
  const initFact = initialized || finished === 'PodCompleted'
    ? { status: 'True' as const, ...(finished === 'PodCompleted' ? { reason: 'PodCompleted' } : {}) }
    : { status: 'False' as const, reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${waitingInit.join(' ')}]` };
  conditions = set(conditions, { type: 'Initialized', ...initFact });
  conditions = set(conditions, { type: 'ContainersReady', ...containers });
  return set(conditions, { type: 'Ready', ...ready });
}

function readiness(unready: readonly string[], finished: string | undefined): { status: 'True' | 'False'; reason?: string; message?: string } {
  if (finished) return { status: 'False', reason: finished };
  if (unready.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
}

/** Guaranteed, Burstable or BestEffort, by what the containers ask for. */
export function qosClassOf(pod: Pod): string {
  const containers: Container[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const amounts = containers.map(({ resources }) => ({ limits: resources?.limits ?? {}, requests: { ...resources?.limits, ...resources?.requests } }));
  if (amounts.every(({ requests }) => !requests['cpu'] && !requests['memory'])) return 'BestEffort';
  const guaranteed = amounts.every(({ limits, requests }) => ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name]));
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
