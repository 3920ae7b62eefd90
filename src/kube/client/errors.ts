/** Failed responses to `StatusError`, whether or not the server (or a proxy before it) sent a Status body. */
import { isRecord } from '#base/json';
import { StatusError, type Status, type StatusReason } from '#apimachinery/status';
import type { RawResponse } from './types.ts';

/** What an HTTP code means where no Status says more (apimachinery's NewGenericServerResponse names the same reasons). */
const REASON_BY_CODE: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 406: 'NotAcceptable', 409: 'Conflict',
  410: 'Gone', 413: 'RequestEntityTooLarge', 415: 'UnsupportedMediaType', 422: 'Invalid', 429: 'TooManyRequests', 500: 'InternalError',
  503: 'ServiceUnavailable', 504: 'Timeout',
};
/** Enough of a foreign body to recognise a proxy's error page. */
const EXCERPT_CHARS_MAX = 200;

export function statusErrorOf(response: RawResponse, method: string, path: string): StatusError {
  const text = new TextDecoder().decode(response.body);
  const status = parseStatus(text);
  const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN);
  const wait = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : undefined;
  if (status) {
    const details = wait || status.details ? { ...wait, ...status.details } : undefined;
    return StatusError.from({ ...status, ...(details ? { details } : {}) }, response.status);
  }
  const message = `${method} ${path.split('?')[0]}: HTTP ${response.status}: ${text.slice(0, EXCERPT_CHARS_MAX).trim()}`;
  return new StatusError(response.status, REASON_BY_CODE[response.status] ?? 'Unknown', message, wait);
}

function parseStatus(text: string): Partial<Status> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value['kind'] === 'Status' ? (value as Partial<Status>) : undefined;
  } catch {
    return undefined;
  }
}
