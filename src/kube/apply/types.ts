/**
 * What applying did, as data: logs, events, CLI output and tests are views of a {@link ChangeSet}.
 */
import type { ObjectKey, Unstructured } from '#apimachinery/meta';
import type { StatusError } from '#apimachinery/status';

/** Points at one object of any kind. */
export interface ObjectReference extends ObjectKey {
  apiVersion: string;
  kind: string;
}

export type ChangeAction = 'created' | 'configured' | 'unchanged' | 'deleted' | 'skipped' | 'failed';

export interface Change {
  readonly action: ChangeAction;
  readonly reference: ObjectReference;
  /** The object as the server has it after the change; absent for deleted, skipped and failed ones. */
  readonly live?: Unstructured;
  /** Why it was skipped. */
  readonly reason?: string;
  /** What the server refused; only with `failed`. */
  readonly error?: StatusError | Error;
}

/** In the order in which the changes were made. */
export interface ChangeSet {
  readonly changes: readonly Change[];
}

export interface ApplyOptions {
  fieldManager: string;
  signal?: AbortSignal;
  /** Takes fields over from other managers; default true (as Fleet's Helm apply does). */
  force?: boolean;
  dryRun?: boolean;
  /** Namespace of namespaced objects that name none. */
  defaultNamespace?: string;
  /** What is known of an object already (a cache); saves the read before the write. */
  known?: (reference: ObjectReference) => Unstructured | undefined;
  /** Deletes and creates an object whose immutable fields must change; default false. */
  recreate?: boolean;
  /** Goes on with later objects after a failure; default false (the rest is `skipped`). */
  continueOnError?: boolean;
  /** Objects of one rank applied at once; default 4. */
  concurrency?: number;
  /** Limit of waiting for CRDs to be established before objects of other kinds follow; default 30 s. */
  crdTimeoutMs?: number;
}

export interface PruneOptions {
  signal?: AbortSignal;
  dryRun?: boolean;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  /** Says why an object must stay, e.g. `helm.sh/resource-policy: keep`; then it is `skipped`. */
  keep?: (live: Unstructured) => string | undefined;
}

export interface WaitOptions {
  signal?: AbortSignal;
  timeoutMs: number;
  /** Between two reads; default 500 ms. */
  intervalMs?: number;
}

export interface Applier {
  /** Applies by server-side apply, in install order. Throws only what is no verdict of the server (abort, lost leadership, broken connection). */
  apply(objects: readonly Unstructured[], options: ApplyOptions): Promise<ChangeSet>;
  /** Deletes objects in reverse install order; those that are gone already are `skipped`. */
  prune(references: readonly ObjectReference[], options?: PruneOptions): Promise<ChangeSet>;
  /** The live object or `undefined`, also when its kind is not served. */
  read(reference: ObjectReference, signal?: AbortSignal): Promise<Unstructured | undefined>;
  /** Resolves when `met` holds for every object; `undefined` stands for an absent one. Rejects with `TimeoutError` naming the first that did not get there. */
  wait(references: readonly ObjectReference[], met: (live: Unstructured | undefined) => boolean, options: WaitOptions): Promise<void>;
}
