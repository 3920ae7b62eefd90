/** Door: the journaled Helm operation as a pure state machine, and the codec of its record. */
export type * from './types.ts';
export { decide, FOREIGN_OPERATION_MS, MAX_HISTORY_DEFAULT } from './decide.ts';
export { failedHooksToDelete, HOOK_REVISION_ANNOTATION, hookKey, hooksOf, nextAction, startJournal, STEPS } from './steps.ts';
export {
  decodeRelease,
  encodeRelease,
  journalAnnotation,
  JOURNAL_ANNOTATION,
  RELEASE_BYTES_MAX,
  RELEASE_SECRET_TYPE,
  releaseSecretName,
  releaseSelector,
  type Compression,
  type ReleaseSecret,
} from './codec.ts';
