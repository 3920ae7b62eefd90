/** Door of field ownership: `FieldsV1` sets, server-side apply, and the tracking of plain updates. */
export { serverSideApply, trackUpdate, type ApplyRequest, type UpdateRequest } from './manager.ts';
