/** Door of the patch types: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386), strategic merge. Pure: no patch changes its input. */
export { type JsonPatchOperation, applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from './json-patch.ts';
export { applyMergePatch, createMergePatch } from './merge-patch.ts';
export { applyStrategicMergePatch } from './strategic.ts';
export { requireObjectPatch } from './json-type.ts';
