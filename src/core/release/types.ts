/**
 * Helm's release record as data, and our journal inside it. The record's fields are Helm's
 * (helm.sh/helm pkg/release/v1); the journal lives in `info.description`-neutral places: labels and
 * annotations of the Secret, so that `helm history|status|rollback|uninstall` keep working.
 */

export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

export type HookEvent =
  | 'pre-install'
  | 'post-install'
  | 'pre-upgrade'
  | 'post-upgrade'
  | 'pre-rollback'
  | 'post-rollback'
  | 'pre-delete'
  | 'post-delete'
  | 'test';

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

/** The JSON that Helm gzips into the Secret. Unknown fields are kept. */
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
 * Steps of an operation in order; each is idempotent, so that a step whose end was not recorded is
 * simply done again, except hooks, which are marked started and done one by one.
 */
export type Step = 'record' | 'crds' | 'pre-hooks' | 'apply' | 'wait' | 'post-hooks' | 'finish';

/** Our journal: annotations of the release Secret. */
export interface Journal {
  /** Leadership epoch that last worked on the operation. */
  epoch: number;
  operation: OperationKind;
  /** The step to be done next (everything before it is done). */
  step: Step;
  /** Hooks begun, by `event/kind/name`: created at the API, maybe finished, maybe not. */
  started: string[];
  /** Hooks finished, by `event/kind/name`. */
  done: string[];
  /** The deploymentID this operation deploys. */
  deploymentID: string;
}

/** One revision as found in the cluster. */
export interface Revision {
  record: ReleaseRecord;
  /** Absent on releases Helm itself wrote. */
  journal?: Journal;
  /** resourceVersion and name of the Secret. */
  secretName: string;
  resourceVersion?: string;
}
