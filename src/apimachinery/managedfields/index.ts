/** Door of field ownership: `FieldsV1` sets, server-side apply, and the tracking of plain updates. */
export { serverSideApply, trackUpdate, type ApplyRequest, type TrackedRequest, type UpdateRequest } from './manager.ts';
export { type FieldSet, EMPTY_SET, difference, equalSets, fromFieldsV1, intersection, isEmptySet, pathText, pathsOf, setOf, toFieldsV1, union } from './field-set.ts';
export { toFieldSet, compareTyped, mergeTyped, removeFields, type Comparison } from './typed.ts';
