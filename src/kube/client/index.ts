/** Door of the Kubernetes client room. */
export type {
  ApplyOptions,
  CallOptions,
  Client,
  DeleteOptions,
  GetOptions,
  ListOptions,
  Patch,
  RawRequest,
  RawResponse,
  Reader,
  Transport,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  Writer,
} from './types.ts';
export { createClient } from './client.ts';
export type { ClientOptions } from './client.ts';
export { inClusterConnection } from './connection.ts';
export type { Auth, Connection, InClusterValues } from './connection.ts';
export { parseKubeconfig } from './kubeconfig.ts';
export type { KubeconfigOptions } from './kubeconfig.ts';
export { createTransport } from './transport.ts';
export type { TransportOptions } from './transport.ts';
export type { PingOptions } from './http2.ts';
export { createHandlerTransport } from './handler-transport.ts';
export type { HandlerTransportOptions } from './handler-transport.ts';
export { createRestMapper, NoMatchError } from './rest-mapper.ts';
export type { DiscoveredResource, RestMapper } from './rest-mapper.ts';
