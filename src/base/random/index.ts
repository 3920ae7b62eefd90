/**
 * Chance as a guest: a seed reproduces a run. Security-relevant randomness (tokens, keys) does not come
 * from here but from `node:crypto`, passed in by `cmd`.
 */

/** A source of uniform numbers in [0, 1). */
export interface Random {
  next(): number;
}

/** The machine's generator. Only `cmd`, `testing` and tests may name it (checked by the house test). */
export const systemRandom: Random = { next: () => Math.random() };

/** A small deterministic generator (mulberry32): same seed, same sequence, on every platform. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
  };
}

/** An integer in [0, bound). */
export function intBelow(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** One element of a non-empty list. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[intBelow(random, items.length)] as T;
}

// The alphabet Kubernetes uses for generated name suffixes: no vowels, no digits that look like letters.
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix as `metadata.generateName` appends it (five characters in Kubernetes). */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++) suffix += SUFFIX_ALPHABET[intBelow(random, SUFFIX_ALPHABET.length)];
  return suffix;
}

/** `ms` lengthened by up to `factor` (0.1 = at most +10 %), to keep many timers from firing together. */
export function jitter(random: Random, ms: number, factor: number): number {
  return ms * (1 + random.next() * factor);
}
