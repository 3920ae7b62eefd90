/**
 * bcrypt (Provos and Mazières, 1999), which Node lacks: Blowfish with an expensive key schedule. Blowfish's
 * tables are the binary digits of π; they are computed once, on first use, instead of being listed here.
 */

const ROUNDS = 16;
const WORDS = ROUNDS + 2 + 4 * 256;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** "OrpheanBeholderScryDoubt" */
const MAGIC = [0x4f727068, 0x65616e42, 0x65686f6c, 0x64657253, 0x63727944, 0x6f756274];

interface State {
  /** The 18 round keys. */
  p: Uint32Array;
  /** Four substitution boxes of 256 words. */
  s: Uint32Array;
}

let initial: Uint32Array | undefined;

/** `$2a$` hash of a password of at most 72 bytes with 16 bytes of salt; takes 2^cost key schedules. */
export function bcryptHash(password: Uint8Array, cost: number, salt: Uint8Array): string {
  const key = Uint8Array.from([...password, 0]).subarray(0, 72);
  const state = initialState();
  expandKey(state, key, salt);
  for (let i = 0; i < 2 ** cost; i++) {
    expandKey(state, key);
    expandKey(state, salt);
  }
  const words = Uint32Array.from(MAGIC);
  for (let i = 0; i < 6; i += 2) for (let j = 0; j < 64; j++) encrypt(state, words, i);
  const bytes = Array.from(words).flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(bytes.slice(0, 23))}`;
}

function initialState(): State {
  initial ??= piWords();
  return { p: initial.slice(0, ROUNDS + 2), s: initial.slice(ROUNDS + 2) };
}

/** The fraction of π in words of 32 bits, by Machin's formula. */
function piWords(): Uint32Array {
  const bits = BigInt(WORDS * 32);
  const guard = 64n;
  const unit = 1n << (bits + guard);
  const pi = 4n * (4n * arctanInverse(5n, unit) - arctanInverse(239n, unit));
  const fraction = (pi - 3n * unit) >> guard;
  const hex = fraction.toString(16).padStart(WORDS * 8, '0');
  return Uint32Array.from({ length: WORDS }, (_, i) => Number.parseInt(hex.slice(i * 8, i * 8 + 8), 16));
}

function arctanInverse(x: bigint, unit: bigint): bigint {
  let power = unit / x;
  let sum = power;
  const square = x * x;
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= square;
    sum += (sign * power) / n;
  }
  return sum;
}

function round(s: Uint32Array, x: number): number {
  const a = s[x >>> 24] as number;
  const b = s[256 + ((x >>> 16) & 255)] as number;
  const c = s[512 + ((x >>> 8) & 255)] as number;
  const d = s[768 + (x & 255)] as number;
  return ((((a + b) >>> 0) ^ c) + d) >>> 0;
}

function encrypt({ p, s }: State, words: Uint32Array, at: number): void {
  let left = words[at] as number;
  let right = words[at + 1] as number;
  for (let i = 0; i < ROUNDS; i += 2) {
    left = (left ^ (p[i] as number)) >>> 0;
    right = (right ^ round(s, left)) >>> 0;
    right = (right ^ (p[i + 1] as number)) >>> 0;
    left = (left ^ round(s, right)) >>> 0;
  }
  words[at] = (right ^ (p[ROUNDS + 1] as number)) >>> 0;
  words[at + 1] = (left ^ (p[ROUNDS] as number)) >>> 0;
}

function expandKey(state: State, key: Uint8Array, salt?: Uint8Array): void {
  const nextKey = wordReader(key);
  for (let i = 0; i < state.p.length; i++) state.p[i] = ((state.p[i] as number) ^ nextKey()) >>> 0;
  const nextSalt = salt ? wordReader(salt) : () => 0;
  const block = new Uint32Array(2);
  for (const box of [state.p, state.s]) {
    for (let i = 0; i < box.length; i += 2) {
      block[0] = ((block[0] as number) ^ nextSalt()) >>> 0;
      block[1] = ((block[1] as number) ^ nextSalt()) >>> 0;
      encrypt(state, block, 0);
      box[i] = block[0] as number;
      box[i + 1] = block[1] as number;
    }
  }
}

/** Words of four bytes from a key that repeats for ever. */
function wordReader(bytes: Uint8Array): () => number {
  let at = 0;
  return () => {
    let word = 0;
    for (let i = 0; i < 4; i++) {
      word = ((word << 8) | (bytes[at] as number)) >>> 0;
      at = (at + 1) % bytes.length;
    }
    return word;
  };
}

function encode(bytes: ArrayLike<number>): string {
  let bits = '';
  for (const byte of Array.from(bytes)) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,6}/g) ?? []).map((group) => ALPHABET[Number.parseInt(group.padEnd(6, '0'), 2)]).join('');
}
