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
