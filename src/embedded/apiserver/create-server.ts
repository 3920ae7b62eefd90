/** Puts an API server together. Constructing it starts nothing; `start` loads what is stored and begins to follow it. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '#base/clock';
import type { Log } from '#base/log';
import type { Random } from '#base/random';
import { builtinKinds } from '#api/builtin';
import type { Storage } from '#embedded/storage';
import { AdmissionChain } from './admission/admission.ts';
import { Authenticator, type StaticToken } from './auth/authenticate.ts';
import type { Authorizer } from './auth/attributes.ts';
import { Rbac } from './auth/rbac.ts';
import { ServiceAccountTokens } from './auth/serviceaccount.ts';
import { bootstrap } from './bootstrap/bootstrap.ts';
import { announce } from './bootstrap/kubernetes-service.ts';
import { EventExpiry } from './bootstrap/event-expiry.ts';
import { CustomResources } from './custom/controller.ts';
import { pathHandler } from './discovery/paths.ts';
import { componentStatuses } from './endpoints/componentstatus.ts';
import type { PodRuntime } from './endpoints/logs.ts';
import { bindingHandler } from './endpoints/pods.ts';
import { reviewHandlers } from './endpoints/reviews.ts';
import type { ApiRequest, ApiResponse } from './http/types.ts';
import type { Deps } from './registry/deps.ts';
import { ResourceTable } from './registry/table.ts';
import { RequestHandler } from './server.ts';
import { builtinType } from './strategies/builtin.ts';

/** The version the server says it is; its behaviour is measured against this one. */
export const KUBERNETES_VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: 'fleet-ts',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'node',
  platform: 'linux/amd64',
};

export interface ApiServerOptions {
  storage: Storage;
  clock: Clock;
  random: Random;
  log: Log;
  tokens: readonly StaticToken[];
  /** UIDs of new objects; default: random ones from the operating system. */
  newUid?: () => string;
  /** PEM of the key that signs service-account tokens. */
  tokenKey: string;
  /** Where pods run; asked on every log request. */
  podRuntime?: () => PodRuntime | undefined;
  /** `host:port` of the listener, for `/api`. */
  address?: () => string;
}

export interface ApiServer {
  /** Answers a request; never rejects. */
  handle(request: ApiRequest): Promise<ApiResponse>;
  /** Writes what every cluster begins with, then follows the stored definitions and roles. */
  start(): Promise<void>;
  /** Makes the `kubernetes` Service lead to this address. */
  announce(address: { host: string; port: number }): Promise<void>;
  stop(): void;
  readonly deps: Deps;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { storage, clock, random, log } = options;
  const resources = new ResourceTable();
  for (const kind of builtinKinds()) resources.add(builtinType(kind));
  const view = { storage, clock, random, resources };
  const rbac = new Rbac(storage);
  const tokens = new ServiceAccountTokens(options.tokenKey, storage, clock);
  const deps: Deps = {
    ...view,
    newUid: options.newUid ?? randomUUID,
    admission: new AdmissionChain(view, rbac),
    services: { tokens, podRuntime: options.podRuntime ?? (() => undefined) },
  };
  const custom = new CustomResources(deps, log);
  const expiry = new EventExpiry({ storage, clock, log });
  const authenticator = new Authenticator(options.tokens, (token) => tokens.authenticate(token)?.user);
  const authorize: Authorizer = (attributes) => rbac.authorize(attributes);
  const paths = pathHandler({ table: resources, address: options.address ?? (() => '127.0.0.1'), version: KUBERNETES_VERSION, metrics: () => '', openid: tokens.openid() });
  const virtual = { ...reviewHandlers({ authorize, rbac, authenticator, tokens }), '/bindings': bindingHandler, '/componentstatuses': componentStatuses };
  const handler = new RequestHandler({ deps, authenticator, authorize, paths, log, virtual });
  return {
    deps,
    handle: (request) => handler.handle(request),
    async start() {
      await bootstrap(deps);
      rbac.start();
      custom.start();
      expiry.start();
    },
    announce: (address) => announce(deps, address),
    stop() {
      custom.stop();
      expiry.stop();
    },
  };
}
