/** Between Go strings (bytes) and ours; see value.ts for how broken UTF-8 is carried. */

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ASCII = /^[\x00-\x7f]*$/;
const BROKEN = /[\udc80-\udcff]/;
const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeBroken(bytes);
  }
}

function decodeBroken(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[i++] as number));
    else {
      text += strict.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return text;
}

/** Bytes of the well-formed character at `i`; 0 when there is none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i] as number;
  const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(i, i + length));
    return length;
  } catch {
    return 0;
  }
}

export function encodeUtf8(text: string): Uint8Array {
  if (!BROKEN.test(text) || !LONE.test(text)) return encoder.encode(text);
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else out.push(...encoder.encode(char));
  }
  return Uint8Array.from(out);
}

/** len(s): bytes. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : encodeUtf8(text).length;
}

/** s[start:end] by bytes. */
export function byteSlice(text: string, start: number, end: number): string {
  if (isAscii(text)) return text.slice(start, end);
  return decodeUtf8(encodeUtf8(text).subarray(start, end));
}

export function isValidUtf8(text: string): boolean {
  return text.isWellFormed();
}

/** The characters of a string as Go's `range` sees them: broken bytes are U+FFFD. */
export function runes(text: string): string[] {
  return Array.from(text, (char) => (char.length === 1 && char >= '\ud800' && char <= '\udfff' ? '\ufffd' : char));
}
