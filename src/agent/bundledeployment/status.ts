/** A BundleDeployment's status from what is desired and what lives; pure. Written in one patch per reconcile. */
import type { BundleDeployment, BundleDeploymentStatus, DeployedResource, NonReadyStatus } from '#api/fleet';
import { type Condition, setCondition, type Unstructured } from '#apimachinery/meta';
import { findDrift } from '#core/diff';
import { assess } from '#core/health';
import { countResources, deploymentDisplay } from '#core/rollup';
import type { OwnRelease } from './releases.ts';

const LIMITS = { nonReady: 10, modified: 10 };

export interface StatusInput {
  deployment: BundleDeployment;
  /** What is deployed now; absent when nothing is. */
  release: OwnRelease | undefined;
  live: (object: Unstructured) => Unstructured | undefined;
  /** Live objects with this deployment's mark. */
  marked: readonly Unstructured[];
  /** Why the last attempt to deploy failed; undefined when it did not. */
  failure: string | undefined;
  epoch: number;
  /** RFC 3339. */
  now: string;
}

export function deploymentStatus(input: StatusInput): BundleDeploymentStatus {
  const { deployment, release, failure, now } = input;
  const objects = release?.objects ?? [];
  const ignored = deployment.spec.options?.ignore?.conditions ?? [];
  const resources = objects.map((object) => resourceOf(object, input.live(object)));
  const nonReady = objects.flatMap((object) => nonReadyOf(object, input.live(object), ignored));
  const modified = findDrift({
    desired: objects,
    live: input.live,
    orphans: orphansOf(objects, input.marked),
    comparePatches: deployment.spec.options?.diff?.comparePatches ?? [],
  });
  const applied = release?.revision.journal?.step === 'done' ? release.revision.journal.deploymentID : (deployment.status?.appliedDeploymentID ?? '');
  const waitApplied = applied !== deployment.spec.deploymentID;
  const facts = { ready: release !== undefined && nonReady.length === 0, nonModified: modified.length === 0, modified: modified.length };
  const status: BundleDeploymentStatus = {
    appliedDeploymentID: failure === undefined ? applied : (deployment.status?.appliedDeploymentID ?? ''),
    release: release ? `${release.namespace}/${release.name}:${release.revision.record.version}` : '',
    ready: facts.ready,
    nonModified: facts.nonModified,
    nonReadyStatus: nonReady.slice(0, LIMITS.nonReady),
    modifiedStatus: modified.slice(0, LIMITS.modified),
    incompleteState: nonReady.length > LIMITS.nonReady || modified.length > LIMITS.modified,
    syncGeneration: deployment.spec.options?.forceSyncGeneration ?? 0,
    resources,
    resourceCounts: countResources({ resources, modified, nonReady, waitApplied }),
    agentEpoch: input.epoch,
    conditions: conditionsOf(deployment.status?.conditions, { ...facts, failure, now, nonReady }),
  };
  return { ...status, display: deploymentDisplay({ spec: deployment.spec, status }) };
}

function resourceOf(object: Unstructured, live: Unstructured | undefined): DeployedResource {
  const createdAt = live?.metadata.creationTimestamp;
  return { ...identityOf(object), ...(createdAt ? { createdAt } : {}) };
}

function identityOf(object: Unstructured): { kind: string; apiVersion: string; namespace?: string; name: string } {
  const { namespace, name = '' } = object.metadata;
  return { kind: object.kind ?? '', apiVersion: object.apiVersion ?? '', ...(namespace ? { namespace } : {}), name };
}

function nonReadyOf(object: Unstructured, live: Unstructured | undefined, ignored: readonly Record<string, string>[]): NonReadyStatus[] {
  if (!live) return []; // missing: that is drift, and counted there
  const { ready, summary } = assess(live, ignored);
  return ready ? [] : [{ ...identityOf(object), uid: live.metadata.uid ?? '', summary }];
}

function orphansOf(desired: readonly Unstructured[], marked: readonly Unstructured[]): Unstructured[] {
  const wanted = new Set(desired.map(identityText));
  return marked.filter((object) => !wanted.has(identityText(object)) && !object.metadata.deletionTimestamp && !object.metadata.annotations?.['helm.sh/hook']);
}

function identityText(object: Unstructured): string {
  return `${object.apiVersion?.split('/').slice(0, -1).join('/')} ${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

interface ConditionFacts {
  ready: boolean;
  nonModified: boolean;
  modified: number;
  nonReady: readonly NonReadyStatus[];
  failure: string | undefined;
  now: string;
}

function conditionsOf(current: readonly Condition[] | undefined, { ready, nonModified, modified, nonReady, failure, now }: ConditionFacts): Condition[] {
  const deployed = failure === undefined;
  let conditions = setCondition(current, { type: 'Installed', status: deployed ? 'True' : 'False', reason: deployed ? '' : 'Error', message: failure ?? '' }, now);
  conditions = setCondition(conditions, { type: 'Deployed', status: deployed ? 'True' : 'False', reason: deployed ? '' : 'Error', message: failure ?? '' }, now);
  conditions = setCondition(conditions, { type: 'Monitored', status: deployed ? 'True' : 'False', reason: '', message: '' }, now);
  const first = nonReady[0];
  const message = failure ?? (first ? `${first.kind}/${first.namespace ?? ''}/${first.name}: ${first.summary?.message?.join('; ') || first.summary?.state || 'not ready'}` : nonModified ? '' : `${modified} object(s) modified`);
  const isReady = deployed && ready && nonModified;
  return setCondition(conditions, { type: 'Ready', status: isReady ? 'True' : 'False', reason: isReady ? '' : deployed ? (ready ? 'Modified' : 'NotReady') : 'Error', message: isReady ? '' : message }, now);
}
