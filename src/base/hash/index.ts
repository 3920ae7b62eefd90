/**
 * Hashes and the byte encodings around them. `node:crypto` is allowed here and nowhere else in `base`:
 * content addresses must be synchronous, which the Web Crypto API is not.
 */
import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Lower-case hex MD5; only for names that must equal Fleet's (never for security). */
export function md5Hex(data: string | Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

/** Lower-case hex SHA-1; only where a wire format demands it. */
export function sha1Hex(data: string | Uint8Array): string {
  return createHash('sha1').update(data).digest('hex');
}

/** A short fingerprint that may be logged in place of a secret. */
export function redact(secret: string): string {
  return `sha256:${sha256Hex(secret).slice(0, 8)}`;
}

export function base64Encode(data: string | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString('base64');
}

export function base64Decode(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function utf8Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
