/** The suffix kustomize gives generated names: from the content, so that a change of it changes the name. */
import { base64Encode, sha256Hex } from '#base/hash';
import { canonicalJson } from '#base/json';
import type { KubeManifest } from './types.ts';

const ALPHABET: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
const LENGTH = 10;

export function contentHash(object: KubeManifest): string {
  const kind = object['kind'];
  // The name does not count, so that a prefix does not change the suffix.
  const name = '';
  let content: Record<string, unknown>;
  if (kind === 'ConfigMap') content = { kind, name, data: object['data'] ?? '', ...(object['binaryData'] === undefined ? {} : { binaryData: object['binaryData'] }) };
  else if (kind === 'Secret') content = { kind, type: object['type'] ?? '', name, data: object['data'] ?? '', ...(object['stringData'] === undefined ? {} : { stringData: object['stringData'] }) };
  else content = object;
  return encode(sha256Hex(goJson(content)));
}

// Go escapes these three in JSON.
function goJson(value: unknown): string {
  return canonicalJson(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function encode(hex: string): string {
  return Array.from(hex.slice(0, LENGTH), (char) => ALPHABET[char] ?? char).join('');
}

/** Secret data as kustomize writes it: base64 in lines of 70. */
export function secretText(data: Uint8Array): string {
  const text = base64Encode(data);
  const lines = text.match(/.{1,70}/g) ?? [''];
  return text.length >= 70 ? `${lines.join('\n')}\n` : text;
}
