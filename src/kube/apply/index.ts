/** Door of the apply room: server-side apply of many objects, pruning and waiting, with an account of what changed. */
export { createApplier, onlyOver, referenceOf, referenceText } from './applier.ts';
export type { ApplierOptions } from './applier.ts';
export { byInstallRank, installRank } from './order.ts';
export type { Applier, ApplyOptions, Change, ChangeAction, ChangeSet, ObjectReference, PruneOptions, WaitOptions } from './types.ts';
