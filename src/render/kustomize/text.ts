/** Bytes to text, as far as it is text. */

const strict = new TextDecoder('utf-8', { fatal: true });
const loose = new TextDecoder();

export function decodeText(bytes: Uint8Array): string {
  return loose.decode(bytes);
}

/** `undefined` when the bytes are no UTF-8. */
export function textOrNothing(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
