/** Door: stand-ins for an API server in tests. */
export { ApiStub, ok, status } from './api-stub.ts';
export type { Interceptor } from './api-stub.ts';
export { createTestIdentity } from './identity.ts';
export type { TestIdentity } from './identity.ts';
