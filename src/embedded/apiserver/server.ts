/**
 * The way of a request: who asks → as whom → may they → which resource → which verb. Everything that fails on
 * the way becomes a Status. The handler needs no socket; adapters carry requests to it.
 */
import { errorText, type Log } from '#base/log';
import { StatusError } from '#apimachinery/status';
import { StorageFailure } from '#embedded/storage';
import type { Authenticator } from './auth/authenticate.ts';
import { attributesOfRequest, forbiddenError, type Authorizer } from './auth/attributes.ts';
import { impersonate } from './auth/impersonate.ts';
import type { UserInfo } from './auth/user.ts';
import type { Call } from './endpoints/call.ts';
import { statusResponse, withWarnings } from './endpoints/respond.ts';
import { runSubresource } from './endpoints/subresources.ts';
import { runVerb } from './endpoints/verbs.ts';
import { internalError, methodNotAllowed, noSuchResource, notFound, tooLarge } from './errors.ts';
import { parseRequestInfo, type RequestInfo } from './http/requestinfo.ts';
import { textResponse, type ApiRequest, type ApiResponse } from './http/types.ts';
import type { Deps } from './registry/deps.ts';

/** Bodies larger than this are refused. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** Paths that are no resources: discovery, OpenAPI, health, version. Undefined: no such path. */
export type PathHandler = (request: ApiRequest, info: RequestInfo, user: UserInfo) => ApiResponse | undefined;

export interface ServerParts {
  deps: Deps;
  authenticator: Authenticator;
  authorize: Authorizer;
  paths: PathHandler;
  log: Log;
  /** Reviews and other kinds that are answered without storage, by `group/plural`. */
  virtual: Readonly<Record<string, (call: Call) => ApiResponse | Promise<ApiResponse>>>;
}

export class RequestHandler {
  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** Never rejects: every failure is a response. */
  async handle(request: ApiRequest): Promise<ApiResponse> {
    try {
      return await this.#route(request);
    } catch (error) {
      return this.#failure(request, error);
    }
  }

  #route(request: ApiRequest): ApiResponse | Promise<ApiResponse> {
    const { authenticator, authorize, paths, deps } = this.#parts;
    const info = parseRequestInfo(request.method, request.path);
    const user = impersonate(request, info, authenticator.authenticate(request), authorize);
    const attributes = attributesOfRequest(user, info);
    const decision = authorize(attributes);
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason);
    if (request.body.byteLength > BODY_BYTES_MAX) throw tooLarge(BODY_BYTES_MAX);
    if (!info.isResource) return paths(request, info, user) ?? textResponse(404, '404 page not found\n');
    const type = deps.resources.get(info.group, info.version, info.plural);
    if (!type) {
      if (info.group !== '' && !deps.resources.hasBuiltinGroup(info.group)) return textResponse(404, '404 page not found\n');
      throw noSuchResource();
    }
    return this.#answer({ deps, request, info, user, type, subresource: undefined, warnings: type.custom?.deprecated ? [type.custom.deprecated] : [] });
  }

  /** Warnings go with refusals, too. */
  async #answer(call: Call): Promise<ApiResponse> {
    try {
      return await this.#dispatch(call);
    } catch (error) {
      return withWarnings(call, this.#failure(call.request, error));
    }
  }

  #dispatch(call: Call): ApiResponse | Promise<ApiResponse> {
    const { info, type } = call;
    if (!type.namespaced && info.namespace && type.plural !== 'namespaces') {
      if (type.custom) return textResponse(404, '404 page not found\n');
      throw noSuchResource();
    }
    const virtual = this.#parts.virtual[`${type.group}/${type.plural}`];
    if (info.subresource) {
      const subresource = type.subresources.find(({ name }) => name === info.subresource);
      if (!subresource) throw type.custom ? notFound(type, info.name) : noSuchResource();
      if (!subresource.verbs.includes(info.verb)) throw methodNotAllowed();
      return runSubresource({ ...call, subresource });
    }
    if (virtual) {
      if (!type.verbs.includes(info.verb)) throw methodNotAllowed();
      return virtual(call);
    }
    return runVerb(call);
  }

  #failure(request: ApiRequest, error: unknown): ApiResponse {
    if (error instanceof StatusError) return statusResponse(error, request);
    if (!(error instanceof StorageFailure)) this.#parts.log.error('request failed', { method: request.method, path: request.path.split('?')[0], error: errorText(error), stack: error instanceof Error ? error.stack : undefined });
    return statusResponse(internalError(errorText(error)));
  }
}
