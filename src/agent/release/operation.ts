/**
 * Performs the actions of one operation (core/release decides them). After each action it asks again, so a
 * process that is cut off anywhere is followed by another that goes on from the journal.
 *
 * The journal is written before and after what must not happen twice (hooks); the ends of idempotent steps
 * are kept in memory and written with the next record, because doing them again changes nothing.
 */
import type { Unstructured } from '#apimachinery/meta';
import { isAlreadyExists, isConflict, isNotFound } from '#apimachinery/status';
import { mapLimit } from '#base/async';
import { type Clock, rfc3339Micro, sleep } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { type Action, failedHooksToDelete, HOOK_REVISION_ANNOTATION, type HookObservation, type Journal, nextAction, type Operation, type ReleaseHook, type Revision } from '#core/release';
import { type Applier, type ChangeSet, type ObjectReference, referenceOf, referenceText } from '#kube/apply';
import { NoMatchError, type RestMapper } from '#kube/client';
import { type LeaderClient, NotLeaderError } from '#kube/leaderelection';
import { parseYaml } from '#render/rawyaml';
import { held, isHeld, letGo } from './hold.ts';
import type { ReleaseHistory } from './history.ts';
import { foreignOwner, keepReason, leftOver, objectsOf, owned } from './objects.ts';
import { OperationFailed, type ReleaseOptions } from './types.ts';

const FIELD_MANAGER = 'fleet-agent';

const LIMITS = {
  /** Steps of one operation: hooks × 4 and a few more; a loop beyond it is a bug. */
  actions: 2_000,
  lookupsAtOnce: 8,
  hookPollMs: 250,
  /** Helm's default for hooks and --wait. */
  defaultTimeoutMs: 300_000,
  goneTimeoutMs: 60_000,
};

export interface OperationContext {
  client: LeaderClient;
  applier: Applier;
  mapper: RestMapper;
  history: ReleaseHistory;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Whether a live object counts as ready; for `wait`. */
  isReady: (live: Unstructured | undefined) => boolean;
}

export interface OperationSources {
  options: ReleaseOptions;
  /** Objects of the `crds/` folder; only an installation applies them. */
  crds: readonly Unstructured[];
  /** Revisions whose objects may be in the cluster. */
  previous: readonly Revision[];
}

export class OperationRun {
  readonly #ctx: OperationContext;
  readonly #options: ReleaseOptions;
  readonly #crds: readonly Unstructured[];
  readonly #previous: readonly Revision[];
  readonly #operation: Operation;
  #revision: Revision;
  #journal: Journal;

  constructor(ctx: OperationContext, revision: Revision, journal: Journal, sources: OperationSources) {
    this.#ctx = ctx;
    this.#revision = revision;
    this.#journal = journal;
    this.#options = sources.options;
    this.#crds = sources.crds;
    this.#previous = sources.previous;
    this.#operation = { record: revision.record, wait: sources.options.timeoutMs > 0, crds: sources.crds.length > 0 };
  }

  /** Runs to the end; the revision as it stands then. Throws {@link OperationFailed} after the failure has been recorded. */
  async run(): Promise<Revision> {
    let seen: { key: string; observation: HookObservation } | undefined;
    for (let count = 0; count < LIMITS.actions; count++) {
      this.#ctx.signal.throwIfAborted();
      const action = nextAction(this.#journal, this.#operation, seen);
      if (action.act === 'done') return this.#revision;
      if (action.act === 'fail') await this.#fail(action.journal, action.reason);
      seen = undefined;
      try {
        seen = await this.#perform(action);
      } catch (error) {
        if (!(error instanceof OperationFailed)) throw error;
        await this.#fail({ ...this.#journal, failure: 'error' }, error.message);
      }
    }
    throw new Error(`release ${this.#subject}: did not end after ${LIMITS.actions} steps`);
  }

  get #subject(): string {
    return `${this.#revision.record.namespace}/${this.#revision.record.name}`;
  }

  async #perform(action: Exclude<Action, { act: 'done' }>): Promise<{ key: string; observation: HookObservation } | undefined> {
    switch (action.act) {
      case 'journal':
        await this.#mark(action.journal);
        return undefined;
      case 'observe':
        return { key: action.key, observation: await this.#observe(action.hook) };
      case 'create-hook':
        await this.#createHook(action.hook, action.revision);
        return undefined;
      case 'release-hook':
        await this.#releaseHook(action.hook);
        return undefined;
      case 'await-hook':
        return { key: action.key, observation: await this.#awaitHook(action.hook) };
      case 'delete-hooks':
        await this.#deleteHooks(action.hooks);
        if (action.journal) await this.#mark(action.journal);
        return undefined;
      case 'crds':
        await this.#apply(this.#crds);
        this.#journal = action.journal;
        return undefined;
      case 'apply':
        await this.#applyManifest();
        this.#journal = action.journal;
        return undefined;
      case 'delete':
        await this.#deleteManifest();
        this.#journal = action.journal;
        return undefined;
      case 'wait':
        await this.#wait();
        this.#journal = action.journal;
        return undefined;
      case 'finish':
        await this.#finish(action.status, action.journal);
        return undefined;
      case 'fail': // ends the run, above
        return undefined;
    }
  }

  async #mark(journal: Journal): Promise<void> {
    this.#revision = await this.#ctx.history.mark(this.#revision, journal);
    this.#journal = journal;
  }

  async #finish(status: 'deployed' | 'uninstalled', journal: Journal): Promise<void> {
    const { record } = this.#revision;
    const now = rfc3339Micro(this.#ctx.clock.wallMs());
    const descriptions = { install: 'Install complete', upgrade: 'Upgrade complete', rollback: 'Rollback complete', uninstall: 'Uninstallation complete' };
    const info = { ...record.info, status, last_deployed: record.info.last_deployed ?? now, description: descriptions[journal.operation], ...(status === 'uninstalled' ? { deleted: now } : {}) };
    this.#revision = await this.#ctx.history.update({ ...this.#revision, record: { ...record, info }, journal });
    this.#journal = journal;
  }

  async #fail(journal: Journal, reason: string): Promise<never> {
    await this.#deleteHooks(failedHooksToDelete(journal, this.#operation));
    const { record } = this.#revision;
    const info = { ...record.info, status: 'failed' as const, description: reason };
    this.#revision = await this.#ctx.history.update({ ...this.#revision, record: { ...record, info }, journal });
    throw new OperationFailed(`release ${this.#subject}: ${reason}`);
  }

  async #apply(objects: readonly Unstructured[]): Promise<void> {
    const { applier, signal } = this.#ctx;
    const fence = this.#previous.at(-1)?.record.info.status === 'failed';
    const marked = (await this.#placed(objects)).map((object) => owned(object, this.#revision.record, fence));
    const known = await this.#refuseForeign(marked);
    const changes = await applier.apply(marked, {
      fieldManager: FIELD_MANAGER,
      force: true,
      signal,
      defaultNamespace: this.#revision.record.namespace,
      recreate: this.#options.force,
      known: (reference) => known.get(referenceText(reference)),
    });
    throwFirstFailure(changes);
  }

  /** Namespaced objects that name no namespace belong to the release's; manifests written by Helm leave that out. */
  async #placed(objects: readonly Unstructured[]): Promise<Unstructured[]> {
    return mapLimit(objects, LIMITS.lookupsAtOnce, async (object) => {
      if (object.metadata.namespace) return object;
      const resource = await this.#ctx.mapper.resourceFor(object).catch((error: unknown) => {
        if (error instanceof NoMatchError) return undefined; // its CRD comes first, or the server will say so
        throw error;
      });
      return resource?.namespaced ? { ...object, metadata: { ...object.metadata, namespace: this.#revision.record.namespace } } : object;
    });
  }

  /** An object of another release is not ours to take, unless takeOwnership says so (Helm's rule). Returns what is there. */
  async #refuseForeign(objects: readonly Unstructured[]): Promise<Map<string, Unstructured>> {
    const known = new Map<string, Unstructured>();
    for (const object of objects) {
      const reference: ObjectReference = referenceOf(object);
      const live = await this.#ctx.applier.read(reference, this.#ctx.signal);
      if (!live) continue;
      known.set(referenceText(reference), live);
      const owner = this.#options.takeOwnership ? undefined : foreignOwner(live, this.#revision.record);
      if (owner) throw new OperationFailed(`${referenceText(reference)}: belongs to release ${owner}; set helm.takeOwnership, or remove it from one of the two`);
    }
    return known;
  }

  async #applyManifest(): Promise<void> {
    const objects = objectsOf(this.#revision.record);
    await this.#apply(objects);
    const before = await this.#placed(this.#previous.flatMap(({ record }) => objectsOf(record)));
    const gone = leftOver(before, await this.#placed(objects));
    if (gone.length > 0) throwFirstFailure(await this.#ctx.applier.prune(gone, { signal: this.#ctx.signal, keep: keepReason }));
  }

  async #deleteManifest(): Promise<void> {
    if (this.#options.keepResources) return;
    const objects = await this.#placed([...this.#previous, this.#revision].flatMap(({ record }) => objectsOf(record)));
    const references = objects.map(referenceOf);
    throwFirstFailure(await this.#ctx.applier.prune(references, { signal: this.#ctx.signal, keep: keepReason }));
  }

  async #wait(): Promise<void> {
    const { applier, signal, isReady } = this.#ctx;
    const timeoutMs = this.#options.timeoutMs || LIMITS.defaultTimeoutMs;
    const gone = this.#journal.operation === 'uninstall';
    if (gone && this.#options.keepResources) return;
    const references = (await this.#placed(objectsOf(this.#revision.record))).map(referenceOf);
    const met = gone ? (live: Unstructured | undefined) => live === undefined || keepReason(live) !== undefined : isReady;
    try {
      await applier.wait(references, met, { timeoutMs, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new OperationFailed(errorText(error), { cause: error });
    }
  }

  #hookObject(hook: ReleaseHook): Unstructured {
    const object = parseYaml(hook.manifest, { file: hook.path }) as Unstructured;
    return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? this.#revision.record.namespace } };
  }

  async #observe(hook: ReleaseHook): Promise<HookObservation> {
    const live = await this.#ctx.applier.read(referenceOf(this.#hookObject(hook)), this.#ctx.signal);
    if (!live) return { exists: false };
    const revision = Number(live.metadata.annotations?.[HOOK_REVISION_ANNOTATION]);
    return { exists: true, ...(live.metadata.uid ? { uid: live.metadata.uid } : {}), ...(Number.isFinite(revision) ? { revision } : {}), phase: hookPhase(live), ...(isHeld(live) ? { held: true } : {}) };
  }

  async #createHook(hook: ReleaseHook, revision: number): Promise<void> {
    const object = this.#hookObject(hook);
    const annotations = { ...object.metadata.annotations, [HOOK_REVISION_ANNOTATION]: String(revision) };
    try {
      const resource = await this.#ctx.mapper.resourceFor(object);
      const { namespace: _namespace, ...clusterScoped } = object.metadata;
      const metadata = { ...(resource.namespaced ? object.metadata : clusterScoped), annotations };
      await this.#ctx.client.create(resource, held({ ...object, metadata }), { fieldManager: FIELD_MANAGER, signal: this.#ctx.signal });
    } catch (error) {
      if (isAlreadyExists(error)) return; // observed again
      if (this.#ctx.signal.aborted || error instanceof NotLeaderError) throw error;
      throw new OperationFailed(`hook ${hook.kind}/${hook.name}: ${errorText(error)}`, { cause: error });
    }
  }

  async #releaseHook(hook: ReleaseHook): Promise<void> {
    const { applier, mapper, client, signal } = this.#ctx;
    const live = await applier.read(referenceOf(this.#hookObject(hook)), signal);
    if (!live || !isHeld(live)) return; // observed again
    const { namespace, name = '' } = live.metadata;
    await client.patch(await mapper.resourceFor(live), { name, ...(namespace ? { namespace } : {}) }, letGo(live), { signal }).catch((error: unknown) => {
      if (!isConflict(error) && !isNotFound(error)) throw error; // observed again
    });
  }

  async #awaitHook(hook: ReleaseHook): Promise<HookObservation> {
    const { clock, signal } = this.#ctx;
    const timeoutMs = this.#options.timeoutMs || LIMITS.defaultTimeoutMs;
    const untilMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const observation = await this.#observe(hook);
      if (!observation.exists || observation.phase !== 'running') return observation;
      if (clock.monotonicMs() >= untilMs) throw new OperationFailed(`hook ${hook.kind}/${hook.name}: still running after ${timeoutMs / 1000} s`);
      await sleep(clock, LIMITS.hookPollMs, signal);
    }
  }

  async #deleteHooks(hooks: readonly ReleaseHook[]): Promise<void> {
    if (hooks.length === 0) return;
    const { applier, signal } = this.#ctx;
    const references = hooks.map((hook) => referenceOf(this.#hookObject(hook)));
    throwFirstFailure(await applier.prune(references, { signal }));
    await applier.wait(references, (live) => live === undefined, { timeoutMs: LIMITS.goneTimeoutMs, signal });
  }
}

/** Jobs and Pods run to an end; of other kinds nothing is expected. */
function hookPhase(live: Unstructured): 'running' | 'succeeded' | 'failed' {
  const status = (live.status ?? {}) as { phase?: string; conditions?: { type: string; status: string }[] };
  if (live.kind === 'Pod') return status.phase === 'Succeeded' ? 'succeeded' : status.phase === 'Failed' ? 'failed' : 'running';
  if (live.kind !== 'Job') return 'succeeded';
  const has = (type: string) => status.conditions?.some((condition) => condition.type === type && condition.status === 'True');
  return has('Failed') ? 'failed' : has('Complete') ? 'succeeded' : 'running';
}

function throwFirstFailure({ changes }: ChangeSet): void {
  const failed = changes.find(({ action }) => action === 'failed');
  if (failed) throw new OperationFailed(`${referenceText(failed.reference)}: ${failed.error?.message ?? 'refused'}`, { cause: failed.error });
}
