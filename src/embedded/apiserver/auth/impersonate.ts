/** Impersonation: acting as somebody else, when the real user may. Rule: kubernetes.io "User impersonation". */
import { internalError } from '../errors.ts';
import type { RequestInfo } from '../http/requestinfo.ts';
import { header, headerValues, type ApiRequest } from '../http/types.ts';
import { attributesOfRequest, forbiddenError, type Attributes, type Authorizer } from './attributes.ts';
import type { UserInfo } from './user.ts';

const EXTRA = 'impersonate-extra-';

export function impersonate(request: ApiRequest, info: RequestInfo, user: UserInfo, authorize: Authorizer): UserInfo {
  const name = header(request, 'impersonate-user') ?? '';
  const groups = headerValues(request, 'impersonate-group');
  const uid = header(request, 'impersonate-uid') ?? '';
  const extra = extraOf(request);
  if (!name) {
    if (groups.length > 0 || uid || Object.keys(extra).length > 0) throw internalError(`requested [${groups.map((group) => `{Group  ${group}  }`).join(' ')}] without impersonating a user`);
    return user;
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const targets = targetsOf(user, { name, account, groups, uid, extra });
  const refused = targets.find((target) => !authorize(target).allowed);
  if (refused) checkConstrained(user, info, { targets, mode: account ? 'serviceaccount' : 'user-info' }, authorize);
  return impersonated(name, account?.[1], { groups, uid, extra });
}

interface Asked {
  name: string;
  account: RegExpExecArray | null;
  groups: readonly string[];
  uid: string;
  extra: Record<string, readonly string[]>;
}

/** One permission per identity asked for, in the classic form: verb `impersonate`. */
function targetsOf(user: UserInfo, { name, account, groups, uid, extra }: Asked): Attributes[] {
  const base: Attributes = { user, verb: 'impersonate', namespace: '', group: '', version: 'v1', plural: '', subresource: '', name: '' };
  const identity = { ...base, group: 'authentication.k8s.io' };
  return [
    account ? { ...base, plural: 'serviceaccounts', namespace: account[1] as string, name: account[2] as string } : { ...base, plural: 'users', name },
    ...groups.map((group) => ({ ...base, plural: 'groups', name: group })),
    ...(uid ? [{ ...identity, plural: 'uids', name: uid }] : []),
    ...Object.entries(extra).flatMap(([key, values]) => values.map((value) => ({ ...identity, plural: 'userextras', subresource: key, name: value }))),
  ];
}

/** The narrower form of Kubernetes 1.36: may act on this resource as somebody else, and may be that somebody. */
function checkConstrained(user: UserInfo, info: RequestInfo, { targets, mode }: { targets: Attributes[]; mode: string }, authorize: Authorizer): void {
  const action = attributesOfRequest(user, info);
  const identities = targets.map((target) => ({ ...target, verb: `impersonate:${mode}`, group: 'authentication.k8s.io' }));
  for (const attributes of [{ ...action, verb: `impersonate-on:${mode}:${action.verb}` }, ...identities]) {
    const { allowed, reason } = authorize(attributes);
    if (!allowed) throw forbiddenError(attributes, reason);
  }
}

function impersonated(name: string, accountNamespace: string | undefined, asked: { groups: readonly string[]; uid: string; extra: Record<string, readonly string[]> }): UserInfo {
  const groups = asked.groups.length > 0 || !accountNamespace ? [...asked.groups] : ['system:serviceaccounts', `system:serviceaccounts:${accountNamespace}`];
  const anonymous = name === 'system:anonymous';
  const implied = anonymous ? 'system:unauthenticated' : 'system:authenticated';
  if (!groups.includes('system:authenticated') && !groups.includes('system:unauthenticated')) groups.push(implied);
  return { name, groups, ...(asked.uid ? { uid: asked.uid } : {}), ...(Object.keys(asked.extra).length > 0 ? { extra: asked.extra } : {}) };
}

function extraOf(request: ApiRequest): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  for (const key of Object.keys(request.headers)) {
    if (key.startsWith(EXTRA)) extra[decodeURIComponent(key.slice(EXTRA.length)).toLowerCase()] = headerValues(request, key);
  }
  return extra;
}
