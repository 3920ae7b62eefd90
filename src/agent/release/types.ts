/** What is to be released, and what came of it. */
import type { Unstructured } from '#apimachinery/meta';
import type { ReleaseHook, Revision } from '#core/release';

export interface ReleaseOptions {
  /** Wait for readiness that long; 0: do not wait. */
  timeoutMs: number;
  atomic: boolean;
  /** Delete and create objects whose immutable fields must change. */
  force: boolean;
  takeOwnership: boolean;
  maxHistory: number;
  /** On uninstallation: leave the objects. */
  keepResources: boolean;
}

/** What helps nobody when nothing is said: do not wait, keep Fleet's two revisions. */
export const DEFAULT_OPTIONS: ReleaseOptions = { timeoutMs: 0, atomic: false, force: false, takeOwnership: false, maxHistory: 2, keepResources: false };

/** Everything a new revision needs; made by rendering. */
export interface ReleaseContent {
  chart: Record<string, unknown>;
  values: Record<string, unknown>;
  objects: Unstructured[];
  hooks: ReleaseHook[];
  crds: Unstructured[];
  notes: string;
  /** Labels of the release record: how a release is found again. */
  labels: Record<string, string>;
}

export type ReleaseResult =
  | { status: 'deployed'; revision: Revision }
  | { status: 'failed'; revision: Revision; message: string }
  /** Somebody else works on the release. */
  | { status: 'waiting'; untilMs: number }
  | { status: 'absent' };

/** The operation failed for a reason a user can do something about; it has been or will be recorded. */
export class OperationFailed extends Error {
  override name = 'OperationFailed';
}
