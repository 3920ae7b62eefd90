/** Door of the manager room. */
export { createManager } from './manager.ts';
export type { ManagerOptions } from './manager.ts';
export { httpListener } from './http.ts';
export type { Listener } from './http.ts';
export type { EndpointHandler, Manager, OnTermOptions } from './types.ts';
