/** Door of the transports alone, without typed verbs and YAML: what a small worker thread needs to reach an API server. */
export { inClusterConnection } from './connection.ts';
export type { Auth, Connection, InClusterValues } from './connection.ts';
export { createDeadline } from './deadline.ts';
export type { Deadline } from './deadline.ts';
export { createTransport } from './negotiate.ts';
export type { TransportOptions } from './negotiate.ts';
export type { PingOptions } from './http2.ts';
