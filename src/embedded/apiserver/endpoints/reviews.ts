/**
 * Kinds that are questions: who am I, may I, whose token is this. They are answered and forgotten.
 * Rule: kubernetes.io "Checking API access", "TokenReview".
 */
import { rfc3339 } from '#base/clock';
import { isRecord } from '#base/json';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import { invalid as invalidField, required, type FieldError } from '#apimachinery/validation';
import type { Attributes, Authorizer } from '../auth/attributes.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import type { Rbac } from '../auth/rbac.ts';
import { ISSUER, TokenError, type ServiceAccountTokens } from '../auth/serviceaccount.ts';
import { withAuthenticated } from '../auth/authenticate.ts';
import type { UserInfo } from '../auth/user.ts';
import { badRequest, invalid } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import type { Call } from './call.ts';
import { decodeBody } from './verbs.ts';
import { writeOptions } from './options.ts';
import { plainResponse } from './respond.ts';

export interface ReviewParts {
  authorize: Authorizer;
  rbac: Rbac;
  authenticator: Authenticator;
  tokens: ServiceAccountTokens;
}

interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
}

interface ReviewSpec {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  groups?: string[];
  uid?: string;
  extra?: Record<string, string[]>;
  namespace?: string;
  token?: string;
  audiences?: string[];
}

type Handler = (call: Call) => ApiResponse;

const AUTHORIZATION = 'authorization.k8s.io';
const AUTHENTICATION = 'authentication.k8s.io';

/** Handlers by `group/plural`. */
export function reviewHandlers(parts: ReviewParts): Readonly<Record<string, Handler>> {
  return {
    [`${AUTHORIZATION}/subjectaccessreviews`]: (call) => subjectAccess(call, parts, false),
    [`${AUTHORIZATION}/localsubjectaccessreviews`]: (call) => subjectAccess(call, parts, true),
    [`${AUTHORIZATION}/selfsubjectaccessreviews`]: (call) => selfAccess(call, parts),
    [`${AUTHORIZATION}/selfsubjectrulesreviews`]: (call) => selfRules(call, parts),
    [`${AUTHENTICATION}/selfsubjectreviews`]: selfSubject,
    [`${AUTHENTICATION}/tokenreviews`]: (call) => tokenReview(call, parts),
  };
}

function read(call: Call): { object: Unstructured; spec: ReviewSpec } {
  const object = decodeBody(call, writeOptions(call.info.query, 'CreateOptions'));
  return { object, spec: (isRecord(object['spec']) ? object['spec'] : {}) as ReviewSpec };
}

function answer(call: Call, object: Unstructured, status: unknown, metadata: Record<string, unknown> = {}): ApiResponse {
  const { type } = call;
  const given = { ...object.metadata } as Record<string, unknown>;
  const spec = object['spec'] === undefined ? {} : { spec: object['spec'] };
  return plainResponse(call, { kind: type.kind, apiVersion: formatApiVersion(type.group, type.version), metadata: { ...given, ...metadata }, ...spec, status }, 201);
}

function subjectAccess(call: Call, { authorize }: ReviewParts, local: boolean): ApiResponse {
  const { object, spec } = read(call);
  const findings = accessFindings(spec, true);
  if (local) {
    if (spec.resourceAttributes?.namespace !== (object.metadata.namespace ?? '')) findings.push(invalidField('spec.resourceAttributes.namespace', spec.resourceAttributes?.namespace ?? '', 'must match metadata.namespace'));
    if (spec.nonResourceAttributes) findings.push(invalidField('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'));
  }
  if (findings.length > 0) throw invalid({ group: AUTHORIZATION, kind: '' }, '', findings);
  if (local && (object.metadata.namespace ?? '') !== call.info.namespace) throw badRequest(`namespace on request does not match namespace: ${call.info.namespace}`);
  const user: UserInfo = { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid ? { uid: spec.uid } : {}), ...(spec.extra ? { extra: spec.extra } : {}) };
  return answer(call, object, decisionOf(authorize, attributesOf(user, spec)));
}

function selfAccess(call: Call, { authorize }: ReviewParts): ApiResponse {
  const { object, spec } = read(call);
  const findings = accessFindings(spec, false);
  if (findings.length > 0) throw invalid({ group: AUTHORIZATION, kind: '' }, '', findings);
  return answer(call, object, decisionOf(authorize, attributesOf(call.user, spec)));
}

function accessFindings(spec: ReviewSpec, needsUser: boolean): FieldError[] {
  const findings: FieldError[] = [];
  if (spec.resourceAttributes && spec.nonResourceAttributes) findings.push(invalidField('spec.nonResourceAttributes', spec.nonResourceAttributes, 'cannot be specified in combination with resourceAttributes'));
  if (!spec.resourceAttributes && !spec.nonResourceAttributes) findings.push(invalidField('spec.resourceAttributes', spec.nonResourceAttributes ?? null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'));
  if (needsUser && !spec.user && !spec.groups?.length) findings.push(invalidField('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
  return findings;
}

function decisionOf(authorize: Authorizer, attributes: Attributes): unknown {
  const { allowed, reason } = authorize(attributes);
  return { allowed, ...(reason ? { reason } : {}) };
}

function attributesOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: ReviewSpec): Attributes {
  const { namespace = '', verb = '', group = '', version = '', resource = '', subresource = '', name = '' } = resourceAttributes ?? {};
  const attributes: Attributes = { user, verb: nonResourceAttributes?.verb ?? verb, namespace, group, version, plural: resource, subresource, name };
  return nonResourceAttributes ? { ...attributes, path: nonResourceAttributes.path ?? '' } : attributes;
}

function selfRules(call: Call, { rbac }: ReviewParts): ApiResponse {
  const { object, spec } = read(call);
  if (!spec.namespace) throw badRequest('no namespace on request');
  const rules = rbac.rulesFor(call.user, spec.namespace);
  const resourceRules = rules
    .filter((rule) => rule.resources?.length)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames?.length ? { resourceNames } : {}) }));
  const nonResourceRules = rules.filter((rule) => rule.nonResourceURLs?.length).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  return answer(call, { ...object, spec: {} }, { resourceRules, nonResourceRules, incomplete: false });
}

function selfSubject(call: Call): ApiResponse {
  const { object } = read(call);
  const { spec: _, ...rest } = object;
  return answer(call, rest as Unstructured, { userInfo: userInfo(call.user) }, { creationTimestamp: rfc3339(call.deps.clock.wallMs()) });
}

function userInfo({ name, uid, groups, extra }: UserInfo): Record<string, unknown> {
  return { username: name, ...(uid ? { uid } : {}), ...(groups.length > 0 ? { groups } : {}), ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) };
}

function tokenReview(call: Call, { authenticator, tokens }: ReviewParts): ApiResponse {
  const { object, spec } = read(call);
  if (call.info.namespace) throw badRequest('namespace is not allowed on this type');
  if (!spec.token) throw invalid({ group: AUTHENTICATION, kind: 'TokenReview' }, object.metadata.name ?? '', [required('spec.token', '')]);
  const audiences = spec.audiences?.length ? spec.audiences : [ISSUER];
  const known = authenticator.staticUser(spec.token);
  // A static token is meant for this server, and for nobody else who may ask about it.
  if (known) return answer(call, object, audiences.includes(ISSUER) ? { authenticated: true, user: userInfo(known), audiences: [ISSUER] } : { user: {} });
  try {
    const found = tokens.authenticate(spec.token, audiences);
    if (!found) return answer(call, object, { user: {} });
    return answer(call, object, { authenticated: true, user: userInfo(withAuthenticated(found.user)), audiences: found.audiences });
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return answer(call, object, { user: {}, error: `[invalid bearer token, ${error.message}]` });
  }
}
