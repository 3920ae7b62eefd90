/**
 * Drives a Deployment: finds or makes the ReplicaSet of its present template, shifts pods from the old
 * ones to it by the strategy, keeps a bounded history, reports. One resize per round; the status of the
 * resized ReplicaSet brings the next round.
 */
import { rfc3339 } from '#base/clock';
import { deepEqual } from '#base/json';
import { keyOf, type ObjectKey } from '#apimachinery/meta';
import { isAlreadyExists, isNotFound } from '#apimachinery/status';
import { deployments, pods, replicaSets, type Deployment, type DeploymentStatus, type Pod, type ReplicaSet } from '#api/builtin';
import type { Informer } from '#kube/cache';
import { controllerOf } from '#apimachinery/meta';
import { ControlLoop, EventRecorder, isTerminated, type ControlPlane } from '#embedded/controlloop';
import { claimChildren, planClaim } from '../workload/ownership.ts';
import { ownersOf } from '../workload/sources.ts';
import { annotationsFor, byAge, DESIRED_REPLICAS, findNewSet, newSetFor, nextRevision, replicasOf, REVISION, revisionOf, sizeAnnotations, sum } from './revision.ts';
import { limitsOf, newSetSize, planNewSet, planOldSets, planScale, type Resize } from './rolling.ts';
import { deploymentStatus, hasDeadline, isComplete, set, withProgress } from './status.ts';

interface Round {
  deployment: Deployment;
  old: ReplicaSet[];
  newSet: ReplicaSet | undefined;
}

export class DeploymentController {
  readonly #plane: ControlPlane;
  readonly #deployments: Informer<Deployment>;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #events: EventRecorder;
  readonly loop: ControlLoop;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#deployments = plane.informers.of(deployments);
    this.#sets = plane.informers.of(replicaSets);
    this.#pods = plane.informers.of(pods);
    this.#events = new EventRecorder(plane, 'deployment-controller');
    this.loop = new ControlLoop({
      name: 'deployment',
      plane,
      sources: [
        { informer: this.#deployments },
        { informer: this.#sets, map: (set) => ownersOf(set, 'Deployment', this.#deployments) },
        // Only Recreate waits for pods themselves; everything else is told by ReplicaSet status.
        { informer: this.#pods, map: (pod) => this.#recreateOf(pod), changed: (before, after) => isTerminated(before) !== isTerminated(after) },
      ],
      reconcile: (key) => this.#reconcile(key),
    });
  }

  #recreateOf(pod: Pod): ObjectKey[] {
    const namespace = pod.metadata.namespace ?? '';
    const owner = controllerOf(pod);
    const set = owner?.kind === 'ReplicaSet' ? this.#sets.get({ namespace, name: owner.name }) : undefined;
    const name = set ? controllerOf(set)?.name : undefined;
    const deployment = name ? this.#deployments.get({ namespace, name }) : undefined;
    return deployment?.spec?.strategy?.type === 'Recreate' ? [keyOf(deployment)] : [];
  }

  async #reconcile(key: ObjectKey): Promise<number | undefined> {
    const deployment = this.#deployments.get(key);
    // One that lets its children go has nothing more to report about them.
    if (!deployment || (deployment.metadata.deletionTimestamp && deployment.metadata.finalizers?.includes('orphan'))) return undefined;
    const { client } = this.#plane;
    const claim = planClaim(deployment, deployment.spec?.selector, this.#sets.list(key.namespace));
    const sets = await claimChildren(claim, { client, owner: deployment, ownerResource: deployments, childResource: replicaSets });
    const newSet = findNewSet(deployment, sets);
    const round: Round = { deployment, newSet, old: sets.filter((other) => other !== newSet) };
    if (deployment.metadata.deletionTimestamp) return this.#report(round, 'plain');
    if (await this.#markPaused(deployment)) return undefined;
    if (deployment.spec?.paused || isScaling(deployment, sets)) return this.#scale(round);
    return deployment.spec?.strategy?.type === 'Recreate' ? this.#recreate(round) : this.#roll(round);
  }

  async #roll(round: Round): Promise<number | undefined> {
    const current = await this.#ensureNewSet(round);
    if (!current?.newSet) return undefined;
    const all = [...current.old, current.newSet];
    const grow = planNewSet(current.deployment, all, current.newSet);
    if (grow) {
      await this.#resize(current.deployment, grow);
      return this.#report(current, 'rollout');
    }
    const shrink = planOldSets(current.deployment, all, current.old, current.newSet);
    for (const resize of shrink) await this.#resize(current.deployment, resize);
    if (shrink.length === 0) await this.#trimHistory(current);
    return this.#report(current, 'rollout');
  }

  async #recreate(round: Round): Promise<number | undefined> {
    const running = round.old.filter((old) => replicasOf(old) > 0);
    for (const old of running) await this.#resize(round.deployment, { set: old, replicas: 0 });
    if (running.length > 0) return this.#report(round, 'rollout');
    if (this.#podsRemain(round)) return this.#report(round, 'rollout');
    const current = await this.#ensureNewSet(round);
    if (!current?.newSet) return undefined;
    const grow = planNewSet(current.deployment, [...current.old, current.newSet], current.newSet);
    if (grow) await this.#resize(current.deployment, grow);
    else await this.#trimHistory(current);
    return this.#report(current, 'rollout');
  }

  /** Pods of old ReplicaSets that have not finished, including those on their way out. */
  #podsRemain({ deployment, old }: Round): boolean {
    const uids = new Set(old.map((other) => other.metadata.uid));
    return this.#pods.byIndex('namespace', deployment.metadata.namespace ?? '').some((pod) => uids.has(controllerOf(pod)?.uid) && !isTerminated(pod));
  }

  async #scale(round: Round): Promise<number | undefined> {
    const { deployment, old, newSet } = round;
    for (const resize of planScale(deployment, old, newSet)) await this.#resize(deployment, resize);
    // Children that keep their size still learn the new wanted number, or scaling would never count as done.
    for (const child of [...old, ...(newSet ? [newSet] : [])]) {
      if (replicasOf(child) > 0 && child.metadata.annotations?.[DESIRED_REPLICAS] !== String(deployment.spec?.replicas ?? 1)) await this.#resize(deployment, { set: child, replicas: replicasOf(child) });
    }
    return this.#report(round, 'plain');
  }

  /** The round with a new ReplicaSet that exists and carries the right revision; nothing when the cache must catch up first. */
  async #ensureNewSet(round: Round): Promise<Round | undefined> {
    const { deployment, old } = round;
    const { replicas, surge } = limitsOf(deployment);
    const revision = nextRevision(old);
    if (!round.newSet) {
      const size = newSetSize(deployment, old, 0);
      const made = await this.#create(deployment, newSetFor(deployment, { replicas: size, desired: replicas, max: replicas + surge, revision }));
      if (made) await this.#announce(deployment, made, 'NewReplicaSetCreated', `Created new replica set "${made.metadata.name}"`);
      return undefined;
    }
    const annotations = annotationsFor(deployment, round.newSet.metadata.annotations ?? {}, { desired: replicas, max: replicas + surge, revision });
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    if (!deepEqual(annotations, round.newSet.metadata.annotations) || (round.newSet.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
      await this.#plane.client.update(replicaSets, { ...round.newSet, metadata: { ...round.newSet.metadata, annotations }, spec: { ...round.newSet.spec, minReadySeconds } as never });
      return undefined;
    }
    const known = String(revisionOf(round.newSet));
    const hasCondition = deployment.status?.conditions?.some((condition) => condition.type === 'Progressing');
    if (deployment.metadata.annotations?.[REVISION] !== known || (hasDeadline(deployment) && !hasCondition)) {
      await this.#announce(deployment, round.newSet, 'FoundNewReplicaSet', `Found new replica set "${round.newSet.metadata.name}"`);
      return undefined;
    }
    return round;
  }

  async #create(deployment: Deployment, wanted: ReplicaSet): Promise<ReplicaSet | undefined> {
    const { client } = this.#plane;
    try {
      const made = await client.create(replicaSets, wanted);
      this.#scaled(deployment, made, { from: 0, to: replicasOf(made) });
      return made;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const present = await client.get(replicaSets, keyOf(wanted));
    if (controllerOf(present)?.uid === deployment.metadata.uid && findNewSet(deployment, [present])) return present;
    // Another template with the same hash: count the collision, so that the next name differs.
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await client.update(deployments, { ...deployment, status: { ...deployment.status, collisionCount } }, { subresource: 'status' });
    return undefined;
  }

  /** Writes the revision and, when a deadline is set, the Progressing condition, in one request. */
  async #announce(deployment: Deployment, newSet: ReplicaSet, reason: string, message: string): Promise<void> {
    const now = rfc3339(this.#plane.clock.wallMs());
    const revision = newSet.metadata.annotations?.[REVISION] ?? '1';
    const annotations = { ...deployment.metadata.annotations, [REVISION]: revision };
    const current = deployment.status?.conditions;
    const fresh = reason === 'NewReplicaSetCreated' || !current?.some((condition) => condition.type === 'Progressing');
    const conditions = hasDeadline(deployment) && fresh ? set(current, { type: 'Progressing', status: 'True', reason, message }, now) : current;
    await this.#plane.client.update(deployments, { ...deployment, metadata: { ...deployment.metadata, annotations }, status: { ...deployment.status, ...(conditions ? { conditions } : {}) } }, { subresource: 'status' });
  }

  async #resize(deployment: Deployment, { set: child, replicas }: Resize): Promise<void> {
    const { replicas: desired, surge } = limitsOf(deployment);
    const annotations = { ...child.metadata.annotations, ...sizeAnnotations({ desired, max: desired + surge }) };
    await this.#plane.client.update(replicaSets, { ...child, metadata: { ...child.metadata, annotations }, spec: { ...child.spec, replicas } as never });
    this.#scaled(deployment, child, { from: replicasOf(child), to: replicas });
  }

  #scaled(deployment: Deployment, child: ReplicaSet, { from, to }: { from: number; to: number }): void {
    if (from === to) return;
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${child.metadata.name} from ${from} to ${to}`;
    this.#events.record(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  /** Records the pause or its end in the Progressing condition; true when it wrote. */
  async #markPaused(deployment: Deployment): Promise<boolean> {
    if (!hasDeadline(deployment)) return false;
    const current = deployment.status?.conditions?.find((condition) => condition.type === 'Progressing');
    if (current?.reason === 'ProgressDeadlineExceeded') return false;
    const paused = deployment.spec?.paused === true;
    if (paused === (current?.reason === 'DeploymentPaused')) return false;
    const wanted = paused
      ? ({ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' } as const)
      : ({ type: 'Progressing', status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' } as const);
    const conditions = set(deployment.status?.conditions, wanted, rfc3339(this.#plane.clock.wallMs()));
    await this.#plane.client.update(deployments, { ...deployment, status: { ...deployment.status, conditions } }, { subresource: 'status' });
    return true;
  }

  /** Deletes the oldest idle ReplicaSets beyond `revisionHistoryLimit`, once the rollout is complete. */
  async #trimHistory({ deployment, old }: Round): Promise<void> {
    const limit = deployment.spec?.revisionHistoryLimit;
    if (limit === undefined || !isComplete(deployment, deployment.status ?? {})) return;
    const idle = old.filter((child) => !child.metadata.deletionTimestamp && replicasOf(child) === 0 && (child.status?.replicas ?? 0) === 0 && (child.metadata.generation ?? 0) <= (child.status?.observedGeneration ?? 0));
    const surplus = old.filter((child) => !child.metadata.deletionTimestamp).length - limit;
    for (const child of [...idle].sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b)).slice(0, Math.max(0, surplus))) {
      await this.#plane.client.delete(replicaSets, keyOf(child), { preconditions: { uid: child.metadata.uid ?? '' }, propagationPolicy: 'Background' }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  async #report({ deployment, old, newSet }: Round, kind: 'plain' | 'rollout'): Promise<number | undefined> {
    const { client, clock } = this.#plane;
    const nowMs = clock.wallMs();
    const now = rfc3339(nowMs);
    const all = [...old, ...(newSet ? [newSet] : [])];
    const counted = deploymentStatus(deployment, all, newSet, now);
    const result = kind === 'plain' ? { status: counted } : withProgress(deployment, counted, newSet, { now, nowMs });
    if (!sameStatus(result.status, deployment.status)) await client.update(deployments, { ...deployment, status: result.status }, { subresource: 'status' });
    return 'checkAfterMs' in result ? result.checkAfterMs : undefined;
  }
}

/** Some child has not been told of the present `spec.replicas`. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const desired = String(deployment.spec?.replicas ?? 1);
  return sum(sets, replicasOf) > 0 && sets.some((child) => replicasOf(child) > 0 && child.metadata.annotations?.[DESIRED_REPLICAS] !== undefined && child.metadata.annotations[DESIRED_REPLICAS] !== desired);
}

/** Equal except for update times, which alone are not worth a write. */
function sameStatus(a: DeploymentStatus, b: DeploymentStatus | undefined): boolean {
  const plain = (status: DeploymentStatus | undefined) => ({ ...status, conditions: (status?.conditions ?? []).map(({ lastUpdateTime: _time, ...rest }) => rest) });
  return deepEqual(plain(a), plain(b));
}
