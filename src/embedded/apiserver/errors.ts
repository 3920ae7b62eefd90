/**
 * The Status errors of an API server, with the words of the real one: clients show them and some parse them.
 * Rule: k8s.io/apimachinery `api/errors`; wordings taken from recorded answers of Kubernetes 1.36.
 */
import { StatusError, type StatusCause, type StatusDetails } from '#apimachinery/status';
import type { FieldError } from '#apimachinery/validation';

/** What error messages call a resource: `pods`, `deployments.apps`. */
export interface GroupResource {
  group: string;
  plural: string;
}

/** What validation messages call a kind: `Pod`, `Deployment.apps`. */
export interface GroupKind {
  group: string;
  kind: string;
}

export function qualified(group: string, name: string): string {
  return group ? `${name}.${group}` : name;
}

function details(group: string, kind: string, name?: string): StatusDetails {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), ...(kind ? { kind } : {}) };
}

export function notFound({ group, plural }: GroupResource, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(group, plural)} "${name}" not found`, details(group, plural, name));
}

/** A path that leads to nothing. */
export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function methodNotSupported({ group, plural }: GroupResource, verb: string): StatusError {
  return new StatusError(405, 'MethodNotAllowed', `${verb} is not supported on resources of kind "${qualified(group, plural)}"`, details(group, plural));
}

export function alreadyExists({ group, plural }: GroupResource, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${qualified(group, plural)} "${name}" already exists`, details(group, plural, name));
}

export function conflict({ group, plural }: GroupResource, name: string, why: string): StatusError {
  return new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(group, plural)} "${name}": ${why}`, details(group, plural, name));
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden({ group, plural }: GroupResource, name: string, why: string, causes?: StatusCause[]): StatusError {
  const subject = qualified(group, plural);
  const message = name ? `${subject} "${name}" is forbidden: ${why}` : `${subject} is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, { ...details(group, plural, name), ...(causes ? { causes } : {}) });
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** A failure the real server reports as a bare 500 without reason. */
export function plainError(message: string): StatusError {
  return new StatusError(500, '', message);
}

/** `Kind "name" is invalid: …` with one cause per finding, as field.ErrorList.ToAggregate words it. */
export function invalid({ group, kind }: GroupKind, name: string, findings: readonly FieldError[]): StatusError {
  const seen = new Set<string>();
  const texts = findings.map(({ field, message }) => `${field}: ${message}`).filter((text) => !seen.has(text) && seen.add(text));
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes = findings.map(({ type, message, field }) => ({ reason: type, message, field }));
  return new StatusError(422, 'Invalid', `${qualified(group, kind)} "${name}" is invalid: ${list}`, { ...details(group, kind, name), causes });
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

export function tooLarge(limitBytes: number): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);
}

export function unsupportedMediaType(): StatusError {
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  return new StatusError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted}`);
}
