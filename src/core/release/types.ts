/**
 * Helm's release record as data, and our journal beside it. The record's fields are Helm's
 * (helm.sh/helm, package release/v1); the journal is one annotation of the release Secret, so that
 * `helm list|history|status|get|rollback|uninstall` keep working on what we deploy.
 */

export type ReleaseStatus = 'unknown' | 'deployed' | 'uninstalled' | 'superseded' | 'failed' | 'uninstalling' | 'pending-install' | 'pending-upgrade' | 'pending-rollback';

export type HookEvent = 'pre-install' | 'post-install' | 'pre-upgrade' | 'post-upgrade' | 'pre-rollback' | 'post-rollback' | 'pre-delete' | 'post-delete' | 'test';

export type HookDeletePolicy = 'before-hook-creation' | 'hook-succeeded' | 'hook-failed';

/** A hook as Helm stores it in the record. */
export interface ReleaseHook {
  name: string;
  kind: string;
  path: string;
  manifest: string;
  events: HookEvent[];
  last_run?: { started_at?: string; completed_at?: string; phase?: string };
  weight?: number;
  delete_policies?: HookDeletePolicy[];
}

/** The JSON that Helm gzips into the Secret. Fields not named here are kept. */
export interface ReleaseRecord {
  name: string;
  namespace: string;
  /** The revision, from 1. */
  version: number;
  info: {
    first_deployed?: string;
    last_deployed?: string;
    deleted?: string;
    description?: string;
    status?: ReleaseStatus;
    notes?: string;
  };
  chart?: Record<string, unknown>;
  config?: Record<string, unknown>;
  manifest?: string;
  hooks?: ReleaseHook[];
  labels?: Record<string, string>;
  apply_method?: string;
}

export type OperationKind = 'install' | 'upgrade' | 'rollback' | 'uninstall';

/**
 * Steps in order (see `STEPS`). Every step may be entered again: `crds`, `apply`, `delete`, `wait` and
 * `finish` do nothing that is done already; the hook steps keep account of each hook.
 */
export type Step = 'crds' | 'pre-hooks' | 'apply' | 'delete' | 'wait' | 'post-hooks' | 'finish' | 'done';

/**
 * How far a hook is. `started`: its object may have been created, or not yet. `created`: it has been, with
 * this uid. `done` and `failed`: it has run. A hook that is `created` is never created again. A uid with
 * `started` is that of an earlier try's object, which failed and is in the way.
 */
export interface HookProgress {
  phase: 'started' | 'created' | 'done' | 'failed';
  uid?: string;
}

/** Where an operation stands; written before and after everything that must not happen twice. */
export interface Journal {
  /** Leadership epoch that works on the operation. */
  epoch: number;
  operation: OperationKind;
  /** The step to be done next; everything before it is done. */
  step: Step;
  /** By {@link hookKey}. */
  hooks: Record<string, HookProgress>;
  /** What the operation deploys; empty for an uninstallation. */
  deploymentID: string;
  /** Why it failed: `hook-lost` when it cannot be known whether a hook has run to its end. */
  failure?: 'hook-failed' | 'hook-lost' | 'error';
  /** On a rollback: the deploymentID that could not be deployed; it is not tried again unasked. */
  abandoned?: string;
  /** A rollback to the current version, to undo drift. */
  repair?: boolean;
}

/** One revision as found in the cluster. */
export interface Revision {
  record: ReleaseRecord;
  /** Absent on releases that Helm itself (or Fleet's agent) wrote. */
  journal?: Journal;
  resourceVersion?: string;
}

/** What the operation works with; for a resumed one, from the record itself. */
export interface Desired {
  name: string;
  namespace: string;
  /** `undefined`: the release is to be uninstalled. */
  deploymentID: string | undefined;
  /** Epoch of the caller's leadership. */
  epoch: number;
  /** Wall time. */
  nowMs: number;
  /** Try again what failed for the same deploymentID. */
  retry?: boolean;
  /** Go back to the last good revision when an upgrade failed (helm.atomic). */
  atomic?: boolean;
  /** Live objects have drifted and are to be put back: roll "back" to the current version, as Fleet does (correctDrift). */
  repair?: boolean;
  /** Keep the record of a repair that failed (correctDrift.keepFailHistory). */
  keepFailHistory?: boolean;
  /** Revisions kept, the current one included; 0 keeps all. Default 2, as in Fleet. */
  maxHistory?: number;
}

/**
 * What to do about a release, from its history alone. `previous` are the revisions whose objects may be in
 * the cluster, oldest first: the last good one and those that failed or were given up after it. Their
 * objects which the new revision does not have are to be pruned.
 */
export type Decision =
  /** As wanted. */
  | { do: 'nothing' }
  /** A higher epoch has been here: the caller is no longer the leader. */
  | { do: 'step-down'; epoch: number }
  /** Somebody else's operation is young: leave it alone that long. */
  | { do: 'wait'; untilMs: number }
  /** Write these records first (in order), then decide again. */
  | { do: 'settle'; update: Revision[]; remove: number[] }
  /** Begin a new revision; the record is to be completed with chart, manifest and hooks (for a rollback, those of `from`). */
  | { do: 'begin'; operation: 'install' | 'upgrade'; revision: number; journal: Journal; previous: Revision[] }
  | { do: 'begin'; operation: 'rollback'; revision: number; journal: Journal; previous: Revision[]; from: Revision }
  /** Mark this revision as uninstalling and go on with it. */
  | { do: 'begin'; operation: 'uninstall'; revision: number; journal: Journal; previous: Revision[] }
  /** Go on with a half-done operation: write the journal (it claims the operation for this epoch), then follow its steps. */
  | { do: 'resume'; revision: Revision; journal: Journal; previous: Revision[] }
  /** It failed before (`revision` failed, or is the rollback from it), and nothing says to try again. */
  | { do: 'failed'; revision: Revision };

/** What a driver saw of a hook's object. */
export interface HookObservation {
  exists: boolean;
  uid?: string;
  /** Revision in annotation `fleet.cattle.io/hook-revision`; tells this run's object from an older one's. */
  revision?: number;
  phase?: 'running' | 'succeeded' | 'failed';
  /** It was created without leave to run, and has none yet. */
  held?: boolean;
}

/** The static side of an operation in progress. */
export interface Operation {
  record: ReleaseRecord;
  /** Wait for readiness before the post hooks. */
  wait: boolean;
  /** Objects of the `crds/` folder exist. */
  crds: boolean;
}

/** The next thing a driver does; after it, it asks again with the journal that stands in the cluster. */
export type Action =
  /** Write the journal (guarded by resourceVersion), change nothing else. */
  | { act: 'journal'; journal: Journal }
  /** Look at the hook's object and ask again with the observation. */
  | { act: 'observe'; hook: ReleaseHook; key: string }
  /** Create the hook's object, held, with its revision in the annotation. Already there is an error to observe again. */
  | { act: 'create-hook'; hook: ReleaseHook; key: string; revision: number }
  /** The hook's object is recorded: let it run (guarded by the version that is seen), then observe again. */
  | { act: 'release-hook'; hook: ReleaseHook; key: string }
  /** The hook's object is running: wait for a change, then observe. */
  | { act: 'await-hook'; hook: ReleaseHook; key: string }
  /** Delete these hooks' objects (absent is fine), wait until they are gone, then write `journal` if given. */
  | { act: 'delete-hooks'; hooks: ReleaseHook[]; journal?: Journal }
  /** Do the step's work (idempotent), then write `journal`. */
  | { act: 'crds' | 'apply' | 'delete' | 'wait'; journal: Journal }
  /** All steps are done: write the final status and journal; `settle` tidies the older revisions. */
  | { act: 'finish'; status: 'deployed' | 'uninstalled'; journal: Journal }
  /** Write status failed with the journal. */
  | { act: 'fail'; journal: Journal; reason: string }
  | { act: 'done' };
