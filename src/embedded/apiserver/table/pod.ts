/** The pod table: one word for the state of a pod. Rule: kubernetes `pkg/printers/internalversion` printPod. */
import type { Unstructured } from '#apimachinery/meta';
import { ageOf, at, count, listAt, text } from './format.ts';

interface State {
  waiting?: { reason?: string };
  running?: { startedAt?: string };
  terminated?: { reason?: string; exitCode?: number; signal?: number; finishedAt?: string };
}

interface ContainerStatus {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: State;
  lastState?: State;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
}

interface Totals {
  restarts: number;
  lastRestartMs: number;
  ready: number;
  total: number;
}

export interface PodSummary {
  ready: string;
  status: string;
  restarts: string;
}

/** What the columns Ready, Status and Restarts say. */
export function summarizePod(pod: Unstructured, nowMs: number): PodSummary {
  const totals: Totals = { restarts: 0, lastRestartMs: 0, ready: 0, total: listAt(pod, 'spec.containers').length };
  let status = text(at(pod, 'status.reason')) || text(at(pod, 'status.phase'));
  const conditions = listAt<Condition>(pod, 'status.conditions');
  if (conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')) status = 'SchedulingGated';
  const init = initStatus(pod, totals);
  if (init.status) status = init.status;
  if (!init.initializing || conditions.some((item) => item.type === 'Initialized' && item.status === 'True')) status = containerStatus(pod, status, totals);
  const phase = at(pod, 'status.phase');
  if (pod.metadata.deletionTimestamp && at(pod, 'status.reason') === 'NodeLost') status = 'Unknown';
  else if (pod.metadata.deletionTimestamp && phase !== 'Failed' && phase !== 'Succeeded') status = 'Terminating';
  const ago = totals.restarts > 0 && totals.lastRestartMs > 0 ? ` (${ageOf(nowMs - totals.lastRestartMs)} ago)` : '';
  return { ready: `${totals.ready}/${totals.total}`, status, restarts: `${totals.restarts}${ago}` };
}

function addRestarts(totals: Totals, { restartCount = 0, lastState }: ContainerStatus): void {
  totals.restarts += restartCount;
  const finished = Date.parse(lastState?.terminated?.finishedAt ?? '');
  if (finished > totals.lastRestartMs) totals.lastRestartMs = finished;
}

function initStatus(pod: Unstructured, totals: Totals): { status?: string; initializing: boolean } {
  const specs = listAt<{ name: string; restartPolicy?: string }>(pod, 'spec.initContainers');
  const sidecars = new Set(specs.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name));
  totals.total += sidecars.size;
  for (const [i, container] of listAt<ContainerStatus>(pod, 'status.initContainerStatuses').entries()) {
    addRestarts(totals, container);
    const { state = {}, ready, started, name } = container;
    const { terminated, waiting } = state;
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (sidecars.has(name) && started) {
      if (ready) totals.ready += 1;
      continue;
    }
    if (terminated) return { status: `Init:${terminatedWord(terminated)}`, initializing: true };
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return { status: `Init:${waiting.reason}`, initializing: true };
    return { status: `Init:${i}/${specs.length}`, initializing: true };
  }
  return { initializing: false };
}

function terminatedWord({ reason, signal, exitCode }: NonNullable<State['terminated']>): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode ?? 0}`;
}

function containerStatus(pod: Unstructured, before: string, totals: Totals): string {
  let status = before;
  let running = false;
  const statuses = listAt<ContainerStatus>(pod, 'status.containerStatuses');
  if (statuses.length > 0) totals.restarts = listAt<ContainerStatus>(pod, 'status.initContainerStatuses').reduce((sum, item) => sum + count(item.restartCount), 0);
  for (const container of [...statuses].reverse()) {
    addRestarts(totals, container);
    const { waiting, terminated } = container.state ?? {};
    if (waiting?.reason) status = waiting.reason;
    else if (terminated) status = terminatedWord(terminated);
    else if (container.ready && container.state?.running) {
      running = true;
      totals.ready += 1;
    }
  }
  if (status !== 'Completed' || !running) return status;
  return listAt<Condition>(pod, 'status.conditions').some(({ type, status: value }) => type === 'Ready' && value === 'True') ? 'Running' : 'NotReady';
}

/** Finished pods are marked, so that kubectl can leave them out. */
export function podRowConditions(pod: Unstructured): unknown[] | undefined {
  const phase = at(pod, 'status.phase');
  if (phase === 'Succeeded') return [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }];
  if (phase === 'Failed') return [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }];
  return undefined;
}

/** `1/2` of the readiness gates, or `<none>`. */
export function readinessGates(pod: Unstructured): string {
  const gates = listAt<{ conditionType: string }>(pod, 'spec.readinessGates');
  if (gates.length === 0) return '<none>';
  const conditions = listAt<Condition>(pod, 'status.conditions');
  const open = gates.filter(({ conditionType }) => conditions.some(({ type, status }) => type === conditionType && status === 'True'));
  return `${open.length}/${gates.length}`;
}
