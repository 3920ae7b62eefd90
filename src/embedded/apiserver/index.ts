/**
 * The embedded Kubernetes API server: a handler of requests over a storage, and a TLS listener that carries
 * requests to it. Layers, each using only the ones before: storage ← registry ← endpoints ← server ← listener.
 * Absent: controllers, scheduler, nodes (they are clients), webhooks, aggregation, protobuf.
 */
export { createApiServer, KUBERNETES_VERSION, type ApiServer, type ApiServerOptions } from './create-server.ts';
export type { StaticToken } from './auth/authenticate.ts';
export { isStream, type ApiRequest, type ApiResponse, type BodySink, type BodyStream, type ClientCertificate } from './http/types.ts';
export { listen, type Listener, type ListenOptions } from './listen/listener.ts';
export { createAuthority, createLeaf, isExpiring, type KeyPair } from './listen/certificates.ts';
export { generateTokenKey } from './auth/serviceaccount.ts';
export type { LogRequest, PodRuntime } from './endpoints/logs.ts';
