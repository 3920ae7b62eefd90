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
export { inClusterConnection, createTransport } from './transport/index.ts';
export type { Auth, Connection, InClusterValues, PingOptions, TransportOptions } from './transport/index.ts';
export { parseKubeconfig } from './kubeconfig.ts';
export type { KubeconfigOptions } from './kubeconfig.ts';
export { createHandlerTransport } from './handler-transport.ts';
export type { HandlerTransportOptions } from './handler-transport.ts';
export { createRestMapper, NoMatchError } from './rest-mapper.ts';
export type { DiscoveredResource, RestMapper } from './rest-mapper.ts';
