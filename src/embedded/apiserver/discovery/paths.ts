/** Paths outside of resources: health, version, discovery, OpenAPI. Documents are kept until the resources change. */
import { sha256Hex } from '#base/hash';
import { noSuchResource } from '../errors.ts';
import { negotiate, notAcceptable, parseAccept } from '../endpoints/negotiate.ts';
import { bytesResponse, header, jsonResponse, textResponse, type ApiRequest, type ApiResponse } from '../http/types.ts';
import type { RequestInfo } from '../http/requestinfo.ts';
import type { ResourceTable } from '../registry/table.ts';
import type { PathHandler } from '../server.ts';
import { aggregated, apiGroup, apiGroupList, apiResourceList, apiVersions, groupsOf } from './discovery.ts';
import { openApiV2, openApiV3, openApiV3Index } from './openapi.ts';
import { acceptsOpenApiV2Protobuf, minimalOpenApiV2Protobuf, OPENAPI_V2_PROTOBUF } from '#apimachinery/openapi';

export interface PathOptions {
  table: ResourceTable;
  /** `host:port` as it stands in `/api`. */
  address: () => string;
  version: Readonly<Record<string, string>>;
  /** Numbers in Prometheus text form. */
  metrics: () => string;
  /** OpenID documents of the service-account issuer. */
  openid: Readonly<Record<string, () => unknown>>;
}

const HEALTH = new Set(['/healthz', '/livez', '/readyz', '/healthz/ping', '/livez/ping', '/readyz/ping']);

export function pathHandler(options: PathOptions): PathHandler {
  const cache = new DocumentCache(options.table);
  return (request, info) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const { path } = info;
    if (HEALTH.has(path)) return healthResponse(path, info);
    if (path === '/version' || path === '/version/') return versionResponse(request, options);
    if (path === '/metrics') return textResponse(200, options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    if (path === '/' || path === '') return jsonResponse(200, { paths: rootPaths(options.table) });
    const openid = options.openid[path];
    if (openid) return jsonResponse(200, openid());
    return discovery(request, info, options, cache) ?? openApi(request, path, options, cache);
  };
}

function healthResponse(path: string, { query }: RequestInfo): ApiResponse {
  if (!query.has('verbose')) return textResponse(200, 'ok');
  return textResponse(200, `[+]ping ok\n[+]log ok\n[+]etcd ok\n${path.slice(1)} check passed\n`);
}

function versionResponse(request: ApiRequest, { version }: PathOptions): ApiResponse {
  const accept = header(request, 'accept') ?? '';
  const types = parseAccept(accept).map(({ type }) => type);
  if (types.length > 0 && !types.some((type) => ['application/json', '*/*', 'application/*', 'application/yaml'].includes(type))) throw notAcceptable();
  return jsonResponse(200, version);
}

function rootPaths(table: ResourceTable): string[] {
  const groups = groupsOf(table).flatMap(({ name, versions }) => [`/apis/${name}`, ...versions.map((version) => `/apis/${name}/${version}`)]);
  return ['/api', '/api/v1', '/apis', ...groups, '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version'].sort();
}

function discovery(request: ApiRequest, info: RequestInfo, { table, address }: PathOptions, cache: DocumentCache): ApiResponse | undefined {
  const parts = info.path.split('/').filter(Boolean);
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') return undefined;
  if (parts.length === 1) {
    const version = aggregatedVersion(request);
    if (version) return withEtag(request, cache.bytes(`aggregated ${core} ${version}`, () => aggregated(table, core, version)), `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`);
    negotiate(request, false);
    return core ? jsonResponse(200, apiVersions(address())) : bytesResponse(200, cache.bytes('groups', () => apiGroupList(table)));
  }
  negotiate(request, false);
  const group = core ? '' : (parts[1] as string);
  if (!core && parts.length === 2) {
    const found = groupsOf(table).find(({ name }) => name === group);
    return found && jsonResponse(200, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) });
  }
  const version = (core ? parts[1] : parts[2]) as string;
  if (table.hasVersion(group, version)) return bytesResponse(200, cache.bytes(`resources ${group}/${version}`, () => apiResourceList(table, group, version)));
  if (core || table.hasGroup(group)) throw noSuchResource();
  return undefined;
}

/** `v2` or `v2beta1` when the client prefers the aggregated form. */
function aggregatedVersion(request: ApiRequest): string | undefined {
  const accept = header(request, 'accept') ?? '';
  if (!accept.includes('apidiscovery.k8s.io')) return undefined;
  for (const { type, params } of parseAccept(accept)) {
    if (type !== 'application/json') continue;
    if (params['as'] === undefined) return undefined;
    if (params['g'] === 'apidiscovery.k8s.io' && params['as'] === 'APIGroupDiscoveryList' && (params['v'] === 'v2' || params['v'] === 'v2beta1')) return params['v'];
  }
  return undefined;
}

function withEtag(request: ApiRequest, bytes: Uint8Array, contentType: string): ApiResponse {
  const etag = `"${sha256Hex(bytes).toUpperCase()}"`;
  const response = header(request, 'if-none-match') === etag ? bytesResponse(304, new Uint8Array(0), contentType) : bytesResponse(200, bytes, contentType);
  response.headers['etag'] = etag;
  response.headers['vary'] = 'Accept';
  return response;
}

function openApi(request: ApiRequest, path: string, { table, version }: PathOptions, cache: DocumentCache): ApiResponse | undefined {
  const serverVersion = version['gitVersion'] ?? '';
  if (path === '/openapi/v2' && acceptsOpenApiV2Protobuf(header(request, 'accept') ?? '')) return bytesResponse(200, minimalOpenApiV2Protobuf(serverVersion), OPENAPI_V2_PROTOBUF);
  if (path === '/openapi/v2') return bytesResponse(200, cache.bytes(path, () => openApiV2(table, serverVersion)));
  if (path === '/openapi/v3') return bytesResponse(200, cache.bytes(path, () => openApiV3Index(table)));
  if (!path.startsWith('/openapi/v3/')) return undefined;
  const document = cache.bytes(path, () => openApiV3(table, path.slice('/openapi/v3/'.length), serverVersion));
  return document.byteLength > 4 ? bytesResponse(200, document) : textResponse(404, '404 page not found\n');
}

class DocumentCache {
  readonly #table: ResourceTable;
  readonly #documents = new Map<string, Uint8Array>();
  #version = -1;

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  bytes(key: string, make: () => unknown): Uint8Array {
    if (this.#version !== this.#table.version) {
      this.#documents.clear();
      this.#version = this.#table.version;
    }
    let bytes = this.#documents.get(key);
    if (!bytes) {
      bytes = Buffer.from(JSON.stringify(make() ?? null));
      this.#documents.set(key, bytes);
    }
    return bytes;
  }
}
