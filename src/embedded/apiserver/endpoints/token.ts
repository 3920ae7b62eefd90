/** `serviceaccounts/token`: a new token for an account, bound to a pod, secret or node when asked. Rule: TokenRequest v1. */
import { rfc3339 } from '#base/clock';
import type { Unstructured } from '#apimachinery/meta';
import { invalid as invalidField } from '#apimachinery/validation';
import { ISSUER, type BoundObject } from '../auth/serviceaccount.ts';
import { badRequest, conflict, invalid, notFound } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import { decodeEntry } from '../registry/codec.ts';
import { getEntry } from '../registry/read.ts';
import type { Call } from './call.ts';
import { readBuiltin } from './body.ts';
import { writeOptions } from './options.ts';
import { plainResponse } from './respond.ts';

const KIND = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const DEFAULT_SECONDS = 3600;
const SECONDS_MIN = 600;
const SECONDS_MAX = 2 ** 32;
/** Pods ask for this lifetime; their tokens live a year and warn after it, for clients that never reread the file. */
const POD_TOKEN_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

interface Spec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string };
}

export function tokenRequest(call: Call): ApiResponse {
  const { info, deps, type } = call;
  writeOptions(info.query, 'CreateOptions');
  const account = decodeEntry(getEntry(deps, type, info), type);
  const object = readBuiltin(call.request, KIND);
  const metadata = checkMetadata(call, object);
  const spec = (object['spec'] ?? {}) as Spec;
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  checkLifetime(seconds);
  const { bound, pod } = resolveBound(call, spec.boundObjectRef);
  const node = (pod?.['spec'] as { nodeName?: string } | undefined)?.nodeName;
  const extended = pod !== undefined && seconds === POD_TOKEN_SECONDS && audiences.includes(ISSUER);
  const token = deps.services.tokens.issue({
    namespace: info.namespace,
    name: info.name,
    uid: account.metadata.uid ?? '',
    audiences,
    lifetimeSeconds: extended ? EXTENDED_SECONDS : seconds,
    ...(bound ? { bound } : {}),
    ...(node ? { node: nodeClaim(call, node) } : {}),
    ...(extended ? { warnAfterSeconds: seconds } : {}),
  });
  const nowMs = deps.clock.wallMs();
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { ...metadata, uid: deps.newUid(), creationTimestamp: rfc3339(nowMs) },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: rfc3339(nowMs + seconds * 1000) },
  };
  return plainResponse(call, answer, 201);
}

function checkMetadata({ info }: Call, { metadata }: Unstructured): Record<string, unknown> {
  if (metadata.name && metadata.name !== info.name) throw badRequest(`metadata.name: Invalid value: ${JSON.stringify(metadata.name)}: must match the service account name if specified`);
  if (metadata.namespace && metadata.namespace !== info.namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return { name: info.name, namespace: info.namespace };
}

function checkLifetime(seconds: number): void {
  const field = 'spec.expirationSeconds';
  const refuse = (why: string) => invalid(KIND, '', [invalidField(field, seconds, why)]);
  if (seconds < SECONDS_MIN) throw refuse('may not specify a duration less than 10 minutes');
  if (seconds > SECONDS_MAX) throw refuse('may not specify a duration larger than 2^32 seconds');
}

function nodeClaim({ deps }: Call, name: string): { name: string; uid?: string } {
  const entry = deps.storage.get('core/nodes', name);
  const uid = entry && decodeEntry(entry, { group: '', version: 'v1', kind: 'Node' }).metadata.uid;
  return uid ? { name, uid } : { name };
}

const BINDABLE: Readonly<Record<string, { kind: BoundObject['kind']; plural: string; namespaced: boolean }>> = {
  'v1/Pod': { kind: 'Pod', plural: 'pods', namespaced: true },
  'v1/Secret': { kind: 'Secret', plural: 'secrets', namespaced: true },
  'v1/Node': { kind: 'Node', plural: 'nodes', namespaced: false },
};

function resolveBound(call: Call, ref: Spec['boundObjectRef']): { bound?: BoundObject; pod?: Unstructured } {
  if (!ref) return {};
  const { info, deps } = call;
  const { apiVersion = '', kind = '', name = '', uid } = ref;
  const target = BINDABLE[`${apiVersion}/${kind}`];
  if (!target) throw badRequest(`cannot bind token for object of type ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`);
  const entry = deps.storage.get(`core/${target.plural}`, target.namespaced ? `${info.namespace}/${name}` : name);
  if (!entry) throw notFound({ group: '', plural: target.plural }, name);
  const object = decodeEntry(entry, { group: '', version: 'v1', kind });
  if (kind === 'Pod' && (object['spec'] as { serviceAccountName?: string }).serviceAccountName !== info.name) {
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(info.name)} to pod running with different serviceaccount name.`);
  }
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural: kind }, name, why);
  }
  const bound = { kind: target.kind, name, uid: object.metadata.uid ?? '' };
  return kind === 'Pod' ? { bound, pod: object } : { bound };
}
