/**
 * The short hash that tells versions of a pod template apart (`pod-template-hash`,
 * `controller-revision-hash`). Its value need not equal upstream's, since nobody may compute it from
 * outside; it must only be stable, short and a legal name part.
 */
import { canonicalJson } from '#base/json';

// Kubernetes writes such hashes in an alphabet without vowels, so that no word appears by chance.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Up to ten characters; `collision` makes another hash for the same template. */
export function templateHash(template: unknown, collision = 0): string {
  const hash = fnv1a(`${canonicalJson(template)}${collision > 0 ? `#${collision}` : ''}`);
  return String(hash).replace(/./g, (digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length] ?? '');
}

function fnv1a(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}
