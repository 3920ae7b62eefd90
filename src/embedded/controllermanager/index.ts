/** Door of the controllers of an embedded cluster. */
export { CONTROLLER_DEFAULTS, SHARED_INDEXERS, startControllers } from './manager.ts';
export type { ControllerSettings } from './manager.ts';
