/** Door of the events room. */
export { createEventRecorder } from './recorder.ts';
export type { EventRecorder, EventRecorderOptions, EventText } from './recorder.ts';
