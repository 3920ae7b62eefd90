/**
 * An operation step by step. `nextAction` looks at the journal (and at what was seen of a hook's object)
 * and says what to do next; it remembers nothing, so that another process goes on where one was cut off.
 *
 *   a hook:  (none) ─journal─► started ─create─► created ─release─run─► done ─► object deleted by its policy
 *                                  │ object of this revision seen        │
 *                                  └────────────────────────────►        └─ failed ─► operation fails
 *
 * A Job or Pod is created held and let go only when its creation is recorded: a create that a dead leader left
 * on the wire makes an object that never runs (docs/adr/0010).
 *
 * Invariants (tested by cutting a run off after every write): a hook's object is created at most once per
 * revision; what is `done` is never looked at again; the step only moves forward.
 */
import type { Action, HookEvent, HookObservation, HookProgress, Journal, Operation, OperationKind, ReleaseHook, Step } from './types.ts';

/** Helm's order: CRDs only on install, hooks around the objects. */
export const STEPS: Readonly<Record<OperationKind, readonly Step[]>> = {
  install: ['crds', 'pre-hooks', 'apply', 'wait', 'post-hooks', 'finish', 'done'],
  upgrade: ['pre-hooks', 'apply', 'wait', 'post-hooks', 'finish', 'done'],
  rollback: ['pre-hooks', 'apply', 'wait', 'post-hooks', 'finish', 'done'],
  uninstall: ['pre-hooks', 'delete', 'wait', 'post-hooks', 'finish', 'done'],
};

const EVENTS: Readonly<Record<OperationKind, Readonly<Record<'pre-hooks' | 'post-hooks', HookEvent>>>> = {
  install: { 'pre-hooks': 'pre-install', 'post-hooks': 'post-install' },
  upgrade: { 'pre-hooks': 'pre-upgrade', 'post-hooks': 'post-upgrade' },
  rollback: { 'pre-hooks': 'pre-rollback', 'post-hooks': 'post-rollback' },
  uninstall: { 'pre-hooks': 'pre-delete', 'post-hooks': 'post-delete' },
};

/** Annotation on hook objects: the revision that created them. */
export const HOOK_REVISION_ANNOTATION = 'fleet.cattle.io/hook-revision';

/** Identity of a hook within a revision. */
export function hookKey(event: HookEvent, hook: ReleaseHook): string {
  return `${event}/${hook.kind}/${hook.name}`;
}

/** Hooks of one event in the order they run: weight, then name, then kind. */
export function hooksOf(hooks: readonly ReleaseHook[] | undefined, event: HookEvent): ReleaseHook[] {
  const order = (hook: ReleaseHook): [number, string] => [hook.weight ?? 0, `${hook.name}\0${hook.kind}`];
  return (hooks ?? [])
    .filter(({ events }) => events.includes(event))
    .sort((a, b) => {
      const [weightA, nameA] = order(a);
      const [weightB, nameB] = order(b);
      return weightA - weightB || (nameA < nameB ? -1 : 1);
    });
}

/** The journal of an operation that is about to begin. */
export function startJournal(operation: OperationKind, epoch: number, deploymentID: string): Journal {
  return { epoch, operation, step: STEPS[operation][0] as Step, hooks: {}, deploymentID };
}

function advanced(journal: Journal): Journal {
  const steps = STEPS[journal.operation];
  return { ...journal, step: steps[steps.indexOf(journal.step) + 1] ?? 'done' };
}

/** What to do next. `seen` is the answer to an action `observe`, for the hook of that key. */
export function nextAction(journal: Journal, operation: Operation, seen?: { key: string; observation: HookObservation }): Action {
  switch (journal.step) {
    case 'crds':
      return operation.crds ? { act: 'crds', journal: advanced(journal) } : nextAction(advanced(journal), operation, seen);
    case 'apply':
    case 'delete':
      return { act: journal.step, journal: advanced(journal) };
    case 'wait':
      return operation.wait ? { act: 'wait', journal: advanced(journal) } : nextAction(advanced(journal), operation, seen);
    case 'pre-hooks':
    case 'post-hooks':
      return nextHookAction(journal, operation, EVENTS[journal.operation][journal.step], seen);
    case 'finish':
      return { act: 'finish', status: journal.operation === 'uninstall' ? 'uninstalled' : 'deployed', journal: advanced(journal) };
    case 'done':
      return { act: 'done' };
  }
}

function nextHookAction(journal: Journal, operation: Operation, event: HookEvent, seen: { key: string; observation: HookObservation } | undefined): Action {
  const hooks = hooksOf(operation.record.hooks, event);
  const failed = hooks.find((hook) => journal.hooks[hookKey(event, hook)]?.phase === 'failed');
  if (failed) return failure({ ...journal, failure: 'hook-failed' }, `hook ${hookKey(event, failed)} failed: see its log, correct it and commit`);
  const current = hooks.find((hook) => journal.hooks[hookKey(event, hook)]?.phase !== 'done');
  if (!current) return afterHooks(journal, operation, hooks, seen);
  const key = hookKey(event, current);
  const progress = journal.hooks[key];
  if (!progress) return { act: 'journal', journal: withHook(journal, key, { phase: 'started' }) };
  if (seen?.key !== key) return { act: 'observe', hook: current, key };
  const context: HookContext = { journal, operation, hook: current, key, observation: seen.observation };
  return progress.phase === 'started' ? startedHook(context) : createdHook(context);
}

interface HookContext {
  journal: Journal;
  operation: Operation;
  hook: ReleaseHook;
  key: string;
  observation: HookObservation;
}

function withHook(journal: Journal, key: string, progress: HookProgress): Journal {
  return { ...journal, hooks: { ...journal.hooks, [key]: progress } };
}

function failure(journal: Journal, reason: string): Action {
  return { act: 'fail', journal, reason };
}

/** Begun; whether the object was created is told by the object itself. */
function startedHook({ journal, operation, hook, key, observation }: HookContext): Action {
  const revision = operation.record.version;
  if (!observation.exists) return { act: 'create-hook', hook, key, revision };
  // An uninstallation that is tried again has the revision of the first try, and may meet the object that failed then.
  const failedBefore = journal.hooks[key]?.uid;
  if (observation.revision === revision && (failedBefore === undefined || observation.uid !== failedBefore)) {
    return { act: 'journal', journal: withHook(journal, key, { phase: 'created', ...(observation.uid ? { uid: observation.uid } : {}) }) };
  }
  // An object of an older run is in the way. Helm's default is to remove it; one of ours may go in any case.
  const policies = hook.delete_policies ?? [];
  if (observation.revision !== undefined || policies.length === 0 || policies.includes('before-hook-creation')) return { act: 'delete-hooks', hooks: [hook] };
  return failure({ ...journal, failure: 'error' }, `hook ${key}: an object of that name exists: delete it, or add the delete policy before-hook-creation`);
}

/** Created: it must not be created again, whatever happened to it. */
function createdHook({ journal, hook, key, observation }: HookContext): Action {
  const uid = journal.hooks[key]?.uid;
  const gone = !observation.exists || (uid !== undefined && observation.uid !== undefined && observation.uid !== uid);
  if (gone && !runs(hook)) return { act: 'journal', journal: withHook(journal, key, { phase: 'done' }) };
  if (gone) return failure({ ...journal, failure: 'hook-lost' }, `hook ${key}: its object vanished before its end was seen, and a hook is not run twice`);
  if (observation.held) return { act: 'release-hook', hook, key };
  if (observation.phase === 'running') return { act: 'await-hook', hook, key };
  const phase = observation.phase === 'failed' ? 'failed' : 'done';
  return { act: 'journal', journal: withHook(journal, key, { phase, ...(uid ? { uid } : {}) }) };
}

/** Only these kinds have an end to wait for; others are done when they are created (Helm's rule). */
function runs({ kind }: ReleaseHook): boolean {
  return kind === 'Job' || kind === 'Pod';
}

/** All hooks of the event are done: remove those whose policy says so, then go on. */
function afterHooks(journal: Journal, operation: Operation, hooks: readonly ReleaseHook[], seen: { key: string; observation: HookObservation } | undefined): Action {
  const spent = hooks.filter(({ delete_policies: policies = [] }) => policies.includes('hook-succeeded'));
  if (spent.length > 0) return { act: 'delete-hooks', hooks: spent, journal: advanced(journal) };
  return nextAction(advanced(journal), operation, seen);
}

/** Hooks to be removed after their event failed (policy hook-failed). */
export function failedHooksToDelete(journal: Journal, operation: Operation): ReleaseHook[] {
  return (operation.record.hooks ?? []).filter(
    (hook) => hook.delete_policies?.includes('hook-failed') && hook.events.some((event) => journal.hooks[hookKey(event, hook)]?.phase === 'failed'),
  );
}
