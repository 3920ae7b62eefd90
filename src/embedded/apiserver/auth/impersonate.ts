/** Impersonation: acting as somebody else, when the real user may. Rule: kubernetes.io "User impersonation". */
import { badRequest, internalError } from '../errors.ts';
import type { RequestInfo } from '../http/requestinfo.ts';
import { header, headerValues, type ApiRequest } from '../http/types.ts';
import { forbiddenError, type Attributes, type Authorizer } from './attributes.ts';
import type { UserInfo } from './user.ts';

const EXTRA = 'impersonate-extra-';

export function impersonate(request: ApiRequest, _info: RequestInfo, user: UserInfo, authorize: Authorizer): UserInfo {
  const name = header(request, 'impersonate-user') ?? '';
  const groups = headerValues(request, 'impersonate-group');
  const uid = header(request, 'impersonate-uid') ?? '';
  const extra = extraOf(request);
  if (!name) {
    if (groups.length > 0 || uid || Object.keys(extra).length > 0) throw internalError(`requested [${groups.map((group) => `{Group  ${group}  }`).join(' ')}] without impersonating a user`);
    return user;
  }
  void badRequest;
  const check = (attributes: Pick<Attributes, 'group' | 'plural' | 'name'> & Partial<Attributes>) => {
    const full: Attributes = { user, verb: 'impersonate', namespace: '', version: 'v1', subresource: '', ...attributes };
    const { allowed, reason } = authorize(full);
    if (!allowed) throw forbiddenError(full, reason);
  };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (account) check({ group: '', plural: 'serviceaccounts', namespace: account[1] as string, name: account[2] as string });
  else check({ group: '', plural: 'users', name });
  for (const group of groups) check({ group: '', plural: 'groups', name: group });
  if (uid) check({ group: 'authentication.k8s.io', plural: 'uids', name: uid });
  for (const [key, values] of Object.entries(extra)) for (const value of values) check({ group: 'authentication.k8s.io', plural: 'userextras', subresource: key, name: value });
  return impersonated(name, account?.[1], { groups, uid, extra });
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
