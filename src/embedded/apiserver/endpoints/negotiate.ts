/**
 * Which form of an answer a client wants. Rule: k8s.io/apiserver `endpoints/handlers/negotiation`; the first
 * clause of Accept that the server can serve wins. Protobuf is not spoken: clients that list JSON after it
 * (all of client-go) get JSON.
 */
import { StatusError } from '#apimachinery/status';
import type { ApiRequest } from '../http/types.ts';
import { header } from '../http/types.ts';

export interface Negotiated {
  yaml: boolean;
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, or '' for the plain object. */
  as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of `meta.k8s.io` in which the transformed answer is written. */
  version: string;
  pretty: boolean;
}

export interface AcceptClause {
  type: string;
  params: Readonly<Record<string, string>>;
}

const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);
const META_VERSIONS = new Set(['v1', 'v1beta1']);
const AVAILABLE = 'application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';

/** Clauses in order of preference. */
export function parseAccept(accept: string): AcceptClause[] {
  return accept
    .split(',')
    .map((clause, order) => {
      const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
      const params: Record<string, string> = {};
      for (const part of rest) {
        const equals = part.indexOf('=');
        if (equals > 0) params[part.slice(0, equals)] = part.slice(equals + 1).replace(/^"|"$/g, '');
      }
      return { type: type.toLowerCase(), params, order, quality: Number(params['q'] ?? 1) };
    })
    .filter(({ type }) => type !== '')
    .sort((a, b) => b.quality - a.quality || a.order - b.order);
}

/** Throws 406 when nothing fits. `transforms` says whether Tables and partial metadata make sense here. */
export function negotiate(request: Pick<ApiRequest, 'headers'>, transforms: boolean): Negotiated {
  const accept = header(request, 'accept') ?? '';
  if (accept.trim() === '') return { yaml: false, as: '', version: 'v1', pretty: false };
  for (const { type, params } of parseAccept(accept)) {
    const yaml = type === 'application/yaml';
    if (!yaml && type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const pretty = params['pretty'] === '1';
    const as = params['as'];
    if (as === undefined) return { yaml, as: '', version: 'v1', pretty };
    if (!transforms || params['g'] !== 'meta.k8s.io' || !META_VERSIONS.has(params['v'] ?? '') || !TRANSFORMS.has(as)) continue;
    return { yaml, as: as as Negotiated['as'], version: params['v'] as string, pretty };
  }
  const asked = parseAccept(accept).some(({ type, params }) => (type === 'application/json' || type === 'application/yaml') && params['as'] !== undefined);
  throw asked ? onlyAccepted() : notAcceptable();
}

/** The media type fits, but not what it is to be turned into. */
function onlyAccepted(): StatusError {
  return new StatusError(406, 'NotAcceptable', 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf');
}

export function notAcceptable(available = AVAILABLE): StatusError {
  return new StatusError(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${available}`, {});
}
