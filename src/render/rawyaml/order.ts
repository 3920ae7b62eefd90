/**
 * The order in which Go's YAML writer puts the keys of a map: letters after other characters, and runs of
 * digits by their number (`a2` before `a10`). Measured against helm 4.1.
 */

const ASCII_LETTER = /^[A-Za-z]$/;
const ASCII_DIGIT = /^[0-9]$/;

/** Unicode classes take milliseconds to compile, so they are asked about other characters only. */
function isLetter(char: string): boolean {
  return char < '\x80' ? ASCII_LETTER.test(char) : /^\p{L}$/u.test(char);
}

function isDigit(char: string): boolean {
  return char < '\x80' ? ASCII_DIGIT.test(char) : /^\p{Nd}$/u.test(char);
}

/** Negative when `a` is written before `b`. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const left = Array.from(a);
  const right = Array.from(b);
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    if (left[i] !== right[i]) return compareAt(left, right, i);
  }
  return left.length - right.length;
}

function compareAt(left: readonly string[], right: readonly string[], at: number): number {
  const l = left[at] as string;
  const r = right[at] as string;
  const leftIsLetter = isLetter(l);
  const rightIsLetter = isLetter(r);
  if (leftIsLetter && rightIsLetter) return codePoint(l) - codePoint(r);
  if (leftIsLetter !== rightIsLetter) return rightIsLetter ? -1 : 1;
  // A zero inside a longer number counts as a digit of it; zeros that lead one do not.
  const inNumber = (l === '0' || r === '0') && hasSignificantDigitBefore(left, at);
  const leftRun = digitRun(left, at);
  const rightRun = digitRun(right, at);
  const leftNumber = BigInt(`${inNumber ? '1' : '0'}${leftRun}`);
  const rightNumber = BigInt(`${inNumber ? '1' : '0'}${rightRun}`);
  if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
  if (leftRun.length !== rightRun.length) return leftRun.length - rightRun.length;
  return codePoint(l) - codePoint(r);
}

function codePoint(char: string): number {
  return char.codePointAt(0) as number;
}

function hasSignificantDigitBefore(chars: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && isDigit(chars[i] as string); i--) {
    if (chars[i] !== '0') return true;
  }
  return false;
}

function digitRun(chars: readonly string[], at: number): string {
  let end = at;
  while (end < chars.length && ASCII_DIGIT.test(chars[end] as string)) end++;
  return chars.slice(at, end).join('');
}
