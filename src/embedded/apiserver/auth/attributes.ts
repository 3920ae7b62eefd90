/** What authorization decides about: who wants to do what to which resource or path. */
import { StatusError } from '#apimachinery/status';
import { qualified } from '../errors.ts';
import type { RequestInfo } from '../http/requestinfo.ts';
import type { UserInfo } from './user.ts';

export interface Attributes {
  user: UserInfo;
  verb: string;
  /** Undefined for requests to a resource. */
  path?: string;
  namespace: string;
  group: string;
  version: string;
  plural: string;
  subresource: string;
  name: string;
}

export type Authorizer = (attributes: Attributes) => { allowed: boolean; reason?: string };

export function attributesOfRequest(user: UserInfo, info: RequestInfo): Attributes {
  const { verb, namespace, group, version, plural, subresource, name } = info;
  const resource = { user, verb, namespace, group, version, plural, subresource, name };
  return info.isResource ? resource : { ...resource, path: info.path };
}

/** The 403 of a refused request, in the words of the real server. */
export function forbiddenError(attributes: Attributes, reason = ''): StatusError {
  const { group, plural, name } = attributes;
  const why = `${denial(attributes)}${reason ? `: ${reason}` : ''}`;
  if (attributes.path !== undefined) return new StatusError(403, 'Forbidden', `forbidden: ${why}`, {});
  const subject = qualified(group, plural);
  const message = name ? `${subject} ${JSON.stringify(name)} is forbidden: ${why}` : `${subject} is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: plural });
}

function denial({ user, verb, path, plural, subresource, group, namespace }: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (path !== undefined) return `${who} path ${JSON.stringify(path)}`;
  const resource = subresource ? `${plural}/${subresource}` : plural;
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${where}`;
}
