/**
 * `metav1.Status`, the body of every failed Kubernetes request, as an error with predicates.
 * A caller asks "what should I do?" through {@link isNotFound}, {@link isConflict} and so on, never by
 * comparing messages. Rule: Kubernetes API conventions, "Response Status Kind".
 */

export type StatusReason =
  | 'BadRequest' | 'Unauthorized' | 'Forbidden' | 'NotFound' | 'AlreadyExists' | 'Conflict' | 'Gone' | 'Expired'
  | 'Invalid' | 'ServerTimeout' | 'Timeout' | 'TooManyRequests' | 'MethodNotAllowed' | 'NotAcceptable'
  | 'UnsupportedMediaType' | 'RequestEntityTooLarge' | 'InternalError' | 'ServiceUnavailable' | 'Unknown' | '';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** The wire form. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code: number;
}

/** A failed API request: HTTP code, machine-readable reason, and the server's message. */
export class StatusError extends Error {
  override name = 'StatusError';
  readonly code: number;
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: StatusReason, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  static from(status: Partial<Status>, fallbackCode: number): StatusError {
    return new StatusError(status.code ?? fallbackCode, status.reason ?? 'Unknown', status.message ?? `HTTP ${fallbackCode}`, status.details);
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

const has = (error: unknown, ...reasons: StatusReason[]): boolean => error instanceof StatusError && reasons.includes(error.reason);

export const isNotFound = (error: unknown): boolean => has(error, 'NotFound');
export const isAlreadyExists = (error: unknown): boolean => has(error, 'AlreadyExists');
export const isConflict = (error: unknown): boolean => has(error, 'Conflict');
export const isExpired = (error: unknown): boolean => has(error, 'Expired', 'Gone');
export const isForbidden = (error: unknown): boolean => has(error, 'Forbidden');
export const isUnauthorized = (error: unknown): boolean => has(error, 'Unauthorized');
export const isInvalid = (error: unknown): boolean => has(error, 'Invalid');
export const isBadRequest = (error: unknown): boolean => has(error, 'BadRequest');
export const isTooManyRequests = (error: unknown): boolean => has(error, 'TooManyRequests');

/** For `.catch`: an object that is not there is an answer, not a failure; everything else is thrown on. */
export function ignoreNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
