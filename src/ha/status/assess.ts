/** From what the API says about a cluster to who leads, who stands by, and what is wrong; pure. */
import type { Deployment, Pod, PodDisruptionBudget } from '#api/builtin';
import { rfc3339 } from '#base/clock';
import { humanDuration } from '#base/duration';
import { matchesSelector } from '#apimachinery/labels';
import { decodeLock, type LockKind, type LockRecord, timingsFromEnv, type Timings } from '#kube/leaderelection';
import { COMPONENTS, type ComponentFacts, componentOfApp, podOfHolder } from '../components.ts';
import { nodeUnreachableMs } from '../stuckpods/index.ts';
import type { ClusterFacts, ClusterStatus, ComponentStatus, HaStatus, ReplicaStatus, Warning } from './types.ts';

/** A Terminating pod is stuck when it is still there so long after its grace period. */
const STUCK_AFTER_MS = 10_000;

/** `nowMs` is wall time. */
export function assessHa(clusters: readonly ClusterFacts[], nowMs: number): HaStatus {
  return { at: rfc3339(nowMs), clusters: clusters.map((facts) => assessCluster(facts, nowMs)) };
}

function assessCluster(facts: ClusterFacts, nowMs: number): ClusterStatus {
  const { name, server, error } = facts;
  if (error !== undefined) {
    const warning: Warning = { code: 'unreachable-cluster', severity: 'critical', subject: name, message: `cluster ${name} cannot be read: ${error}`, remedy: 'check the kubeconfig and the network' };
    return { name, server, error, components: [], warnings: [warning] };
  }
  const components = facts.deployments.flatMap((deployment) => {
    const component = componentOfApp(deployment.metadata.labels?.app);
    return component ? [assessComponent(component, deployment, facts, nowMs)] : [];
  });
  components.sort((a, b) => order(a) - order(b) || (a.deployment < b.deployment ? -1 : 1));
  return { name, server, components, warnings: components.flatMap(({ warnings }) => warnings) };
}

function order({ component }: ComponentStatus): number {
  return COMPONENTS.findIndex(({ name }) => name === component);
}

function assessComponent(component: ComponentFacts, deployment: Deployment, facts: ClusterFacts, nowMs: number): ComponentStatus {
  const { namespace = '', name = '' } = deployment.metadata;
  const env = environmentOf(deployment);
  const lock: LockKind = env['CATTLE_ELECTION_RESOURCE_LOCK'] === 'configmaps' ? 'configmaps' : 'leases';
  const lease = `${component.lease}${shardOf(component, name)}`;
  const source = (lock === 'leases' ? facts.leases : facts.configMaps).find(({ metadata }) => metadata.namespace === namespace && metadata.name === lease);
  const record = source && decodeLock(lock, source);
  const own = facts.pods.filter(({ metadata }) => metadata.namespace === namespace && matchesSelector(deployment.spec?.selector ?? {}, metadata.labels));
  const { pods, stuck } = replicasOf(own, record, nowMs);
  const chosen = chooseTimings(env);
  const status: ComponentStatus = {
    component: component.name,
    namespace,
    deployment: name,
    lease,
    lock,
    ...leadershipOf(record, own, nowMs),
    replicas: { wanted: deployment.spec?.replicas ?? 1, ready: pods.filter(({ warm }) => warm).length },
    pods,
    ...(chosen.timings ? { timings: chosen.timings } : {}),
    warnings: [],
  };
  const warnings = [
    ...leaseWarnings(status),
    ...replicaWarnings(status, component),
    ...budgetWarnings(status, facts.budgets, own),
    ...stuck.map((pod) => stuckWarning(pod, facts, nowMs)),
    ...timingWarnings(status, chosen),
  ];
  return { ...status, warnings };
}

/** Shards are Deployments named `<component>-shard-<id>` with leases named `…-<id>`. */
function shardOf(component: ComponentFacts, deployment: string): string {
  const prefix = `${component.app}-shard-`;
  return deployment.startsWith(prefix) ? `-${deployment.slice(prefix.length)}` : '';
}

function environmentOf(deployment: Deployment): Record<string, string> {
  const containers = deployment.spec?.template.spec?.containers ?? [];
  return Object.fromEntries(containers.flatMap(({ env }) => (env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))));
}

function leadershipOf(record: LockRecord | undefined, pods: readonly Pod[], nowMs: number) {
  const leaderPod = record?.holder ? podOfHolder(record.holder) : '';
  const renewedAt = Date.parse(record?.renewTime ?? '');
  return {
    holder: record?.holder ?? '',
    leaderPod,
    leaderNode: record?.info?.node ?? pods.find(({ metadata }) => metadata.name === leaderPod)?.spec?.nodeName ?? '',
    epoch: record?.transitions ?? 0,
    leaseDurationMs: record?.durationMs ?? 0,
    ...(Number.isNaN(renewedAt) ? {} : { renewedMsAgo: Math.max(0, nowMs - renewedAt) }),
    ...(record?.acquireTime ? { lastTransition: { at: record.acquireTime, ...(record.evidence ? { evidence: record.evidence } : {}), ...(record.gapMs === undefined ? {} : { gapMs: record.gapMs }) } } : {}),
  };
}

function replicasOf(pods: readonly Pod[], record: LockRecord | undefined, nowMs: number): { pods: ReplicaStatus[]; stuck: Pod[] } {
  const leader = record?.holder ? podOfHolder(record.holder) : undefined;
  const replicas = pods
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .map((pod): ReplicaStatus => {
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      return {
        pod: pod.metadata.name ?? '',
        node: pod.spec?.nodeName ?? '',
        role: pod.metadata.name === leader ? 'leader' : 'standby',
        warm: !terminating && isReady(pod),
        phase: terminating ? 'Terminating' : (pod.status?.phase ?? 'Unknown'),
      };
    });
  replicas.sort((a, b) => (a.role === b.role ? (a.pod < b.pod ? -1 : 1) : a.role === 'leader' ? -1 : 1));
  return { pods: replicas, stuck: pods.filter((pod) => isStuck(pod, nowMs)) };
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

/** `deletionTimestamp` already includes the grace period. */
function isStuck({ metadata }: Pod, nowMs: number): boolean {
  return metadata.deletionTimestamp !== undefined && nowMs - Date.parse(metadata.deletionTimestamp) > STUCK_AFTER_MS;
}

function leaseWarnings({ component, namespace, lease, holder, leaderPod, leaseDurationMs, renewedMsAgo, pods }: ComponentStatus): Warning[] {
  const subject = `${namespace}/${lease}`;
  if (holder === '') return [{ code: 'no-leader', severity: 'critical', subject, message: `nobody leads ${component}`, remedy: `look at the pods: kubectl -n ${namespace} get pods, then their logs` }];
  if (renewedMsAgo !== undefined && renewedMsAgo > leaseDurationMs * 2) {
    return [{ code: 'stale-lease', severity: 'critical', subject, message: `${component}: ${leaderPod} holds the lease but has not renewed it for ${humanDuration(renewedMsAgo)}, and nobody has taken over`, remedy: 'check that a second replica is Ready and that the clocks of the machines agree' }];
  }
  const leader = pods.find(({ pod }) => pod === leaderPod);
  if (leader?.warm) return [];
  return [{ code: 'unready-leader', severity: 'warning', subject: `${namespace}/${leaderPod}`, message: `${component}: ${leaderPod} leads but is ${leader ? 'not Ready' : 'not among the pods'}`, remedy: 'a takeover may be under way: look again in some seconds' }];
}

function replicaWarnings({ component, namespace, deployment, replicas, pods }: ComponentStatus, facts: ComponentFacts): Warning[] {
  const subject = `${namespace}/${deployment}`;
  const warnings: Warning[] = [];
  if (replicas.wanted < 2) warnings.push({ code: 'one-replica', severity: 'warning', subject, message: `${component} runs as ${replicas.wanted} replica: nobody stands by`, remedy: `set the chart value ${facts.replicasValue}=2` });
  if (replicas.ready < replicas.wanted) warnings.push({ code: 'missing-replicas', severity: replicas.ready === 0 ? 'critical' : 'warning', subject, message: `${component}: ${replicas.ready} of ${replicas.wanted} replicas are ready`, remedy: `kubectl -n ${namespace} describe pods -l app=${facts.app}` });
  if (replicas.wanted > 1 && !pods.some(({ role, warm }) => role === 'standby' && warm)) warnings.push({ code: 'no-warm-standby', severity: 'warning', subject, message: `${component}: no standby is warm`, remedy: 'wait until a second replica is Ready; its /readyz names the caches that are missing' });
  const nodes = new Set(pods.filter(({ warm }) => warm).map(({ node }) => node));
  if (replicas.ready > 1 && nodes.size === 1) warnings.push({ code: 'same-node', severity: 'warning', subject, message: `${component}: all replicas run on node ${[...nodes][0]}`, remedy: 'set availability.whenUnsatisfiable=DoNotSchedule, or add a node; then delete one of the pods' });
  return warnings;
}

function budgetWarnings({ component, namespace, replicas }: ComponentStatus, budgets: readonly PodDisruptionBudget[], pods: readonly Pod[]): Warning[] {
  return budgets
    .filter(({ metadata, spec }) => metadata.namespace === namespace && pods.some((pod) => matchesSelector(spec?.selector ?? {}, pod.metadata.labels)))
    .filter(({ spec, status }) => replicas.ready >= replicas.wanted && (blocks(spec?.maxUnavailable) || (status?.disruptionsAllowed ?? 1) === 0))
    .map(({ metadata }) => ({
      code: 'budget-blocks-drains',
      severity: 'warning',
      subject: `${namespace}/${metadata.name}`,
      message: `${component}: PodDisruptionBudget ${metadata.name} allows no disruption even when all replicas are ready: drains of its nodes wait for ever`,
      remedy: 'allow one (maxUnavailable: 1) and run two replicas',
    }));
}

function blocks(maxUnavailable: number | string | undefined): boolean {
  return maxUnavailable === 0 || maxUnavailable === '0' || maxUnavailable === '0%';
}

function stuckWarning(pod: Pod, { nodes }: ClusterFacts, nowMs: number): Warning {
  const { namespace = '', name = '' } = pod.metadata;
  const nodeName = pod.spec?.nodeName ?? '';
  const node = nodes?.find(({ metadata }) => metadata.name === nodeName);
  const unreachableMs = nodes === undefined ? undefined : nodeUnreachableMs(node, nowMs);
  const why = unreachableMs === undefined ? `on node ${nodeName}` : `on node ${nodeName}, which has been unreachable for ${humanDuration(unreachableMs)}`;
  return {
    code: 'stuck-terminating',
    severity: 'info',
    subject: `${namespace}/${name}`,
    message: `pod ${name} is stuck Terminating ${why}; it does not hinder a takeover`,
    remedy: `bring the node back, or remove it under the safe rule with 'fleet ha doctor --fix', or set availability.forceDeleteTerminatingPods=UnreachableNode`,
  };
}

interface Chosen {
  timings?: Timings;
  notes: readonly string[];
  problem?: string;
}

function chooseTimings(env: Record<string, string>): Chosen {
  try {
    return timingsFromEnv(env);
  } catch (error) {
    return { notes: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

function timingWarnings({ component, namespace, deployment }: ComponentStatus, { notes, problem }: Chosen): Warning[] {
  const subject = `${namespace}/${deployment}`;
  const remedy = "choose a profile (leaderElection.profile=default), or see what fits with 'fleet ha plan'";
  if (problem) return [{ code: 'unsafe-timings', severity: 'critical', subject, message: `${component}: ${problem}`, remedy }];
  return notes.map((note) => ({ code: 'lowered-timings', severity: 'info', subject, message: `${component}: ${note}`, remedy }));
}
