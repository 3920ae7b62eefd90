/**
 * What a URL asks for. Rule: k8s.io/apiserver `pkg/endpoints/request` RequestInfoFactory: authorization is
 * decided from this alone, before anybody knows whether the resource exists.
 */

export interface RequestInfo {
  /** Whether the path belongs to a resource (`/api/v1/…`, `/apis/g/v/…`). */
  isResource: boolean;
  /** Path without query, decoded per segment only where the segments below come from. */
  path: string;
  query: URLSearchParams;
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in lower case. */
  verb: string;
  group: string;
  version: string;
  namespace: string;
  plural: string;
  name: string;
  subresource: string;
  /** Segments after the resource: name, subresource, and what follows (proxy paths). */
  rest: readonly string[];
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export function parseRequestInfo(method: string, target: string): RequestInfo {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  const blank = { path, query, group: '', version: '', namespace: '', plural: '', name: '', subresource: '', rest: [] };
  const parts = path.split('/').filter(Boolean).map(decode);
  const core = parts[0] === 'api';
  const offset = core ? 2 : 3;
  if ((!core && parts[0] !== 'apis') || parts.length <= offset) return { ...blank, isResource: false, verb: method.toLowerCase() };
  const group = core ? '' : (parts[1] as string);
  const version = parts[offset - 1] as string;
  return { ...blank, isResource: true, group, version, ...resourcePart(method, parts.slice(offset), query) };
}

function resourcePart(method: string, segments: string[], query: URLSearchParams): Omit<RequestInfo, 'isResource' | 'path' | 'query' | 'group' | 'version'> {
  let verb = VERBS[method] ?? method.toLowerCase();
  let parts = segments;
  if (parts[0] === 'watch' || parts[0] === 'proxy') {
    verb = parts[0] === 'watch' ? 'watch' : verb;
    if (parts.length > 1) parts = parts.slice(1);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] as string;
    // `/namespaces/x` and its own subresources address the namespace itself.
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] as string)) parts = parts.slice(2);
  }
  const [plural = '', name = '', subresource = ''] = parts;
  if (!name && verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
  if (!name && verb === 'delete') verb = 'deletecollection';
  return { verb, namespace, plural, name: name || nameFromSelector(verb, query), subresource, rest: parts.slice(1) };
}

/** A list or watch of one name is authorized as a request for that name. */
function nameFromSelector(verb: string, query: URLSearchParams): string {
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return '';
  const match = /(?:^|,)\s*metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '');
  return match?.[1]?.trim() ?? '';
}

/** Query booleans: absent, `false` and `0` are false, anything else is true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
