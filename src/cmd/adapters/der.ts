/** The little of ASN.1 DER that a certificate needs. */

export function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...parts]);
}

function lengthBytes(length: number): number[] {
  if (length < 128) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 255);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tagged(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => tagged(0x31, ...parts);
export const octetString = (data: Uint8Array): Uint8Array => tagged(0x04, data);
export const utf8String = (text: string): Uint8Array => tagged(0x0c, Buffer.from(text, 'utf8'));
export const boolean = (value: boolean): Uint8Array => Uint8Array.of(1, 1, value ? 255 : 0);
export const explicit = (index: number, inner: Uint8Array): Uint8Array => tagged(0xa0 | index, inner);
export const context = (index: number, data: Uint8Array): Uint8Array => tagged(0x80 | index, data);
export const raw = (data: Uint8Array): Uint8Array => data;

export function bitString(data: Uint8Array, unusedBits = 0): Uint8Array {
  return tagged(0x03, Uint8Array.of(unusedBits), data);
}

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes[0] ?? 0;
  return tagged(0x02, first & 0x80 ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes);
}

export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const value of rest) {
    const groups = [value & 127];
    for (let left = value >>> 7; left > 0; left >>>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tagged(0x06, Uint8Array.from(bytes));
}

/** UTCTime before 2050, GeneralizedTime after. */
export function time(wallMs: number): Uint8Array {
  const text = new Date(wallMs).toISOString().replace(/[-:T]/g, '').replace(/\.\d+Z$/, 'Z');
  const short = new Date(wallMs).getUTCFullYear() < 2050;
  return tagged(short ? 0x17 : 0x18, Buffer.from(short ? text.slice(2) : text, 'latin1'));
}
