/**
 * What a plain YAML scalar means to Go (go.yaml.in/yaml/v2 below sigs.k8s.io/yaml, which Kubernetes, Helm
 * and Fleet use): YAML 1.1 with Go's own number rules. Measured against helm 4.1 (test/oracle); the rules
 * that surprise: `y`, `on` are booleans, `0777` and `0o777` are octal, `1_000` is 1000, timestamps and
 * `12:30:45` are strings, `08` is the float 8.
 *
 * Absent: structure (parse.ts) and output (emit.ts).
 */

/** Integers that a JavaScript number cannot hold come back as bigint, so that callers may choose. */
export type Scalar = null | boolean | number | bigint | string;

const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

const TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]| )(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d+))?(Z|[-+]\d{2}:\d{2})?)?$/;

/** A date or time as the newer Go reader hands it on: RFC 3339; `undefined` when the text is none. */
export function timestampText(text: string): string | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const two = (part: string) => part.padStart(2, '0');
  const inRange = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31 && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (!inRange) return undefined;
  const rest = fraction.replace(/0+$/, '');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${rest ? `.${rest}` : ''}${zone === '+00:00' ? 'Z' : zone}`;
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
const YAML_FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const GO_FLOAT = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/;
const SMALL_INT = /^(?:0|[1-9][0-9]{0,14})$/;

/** The meaning of an untagged plain scalar. */
export function resolvePlain(text: string): Scalar {
  const first = text.charCodeAt(0);
  const isDigit = first >= 48 && first <= 57;
  if (isDigit && SMALL_INT.test(text)) return Number(text);
  if (isDigit || first === 43 || first === 45 || first === 46) return resolveNumber(text);
  return WORDS.has(text) ? (WORDS.get(text) as Scalar) : text;
}

function resolveNumber(text: string): Scalar {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (text.startsWith('.')) return GO_FLOAT.test(text) ? finite(Number(text), text) : text;
  const plain = text.replaceAll('_', '');
  const integer = parseGoInt(plain);
  if (integer !== undefined) return integer;
  if (YAML_FLOAT.test(plain)) return finite(Number(plain), text);
  return text;
}

// strconv.ParseFloat reports overflow as an error, which leaves a string.
function finite(value: number, text: string): number | string {
  return Number.isFinite(value) ? value : text;
}

/** strconv.ParseInt(text, 0, 64), then ParseUint: sign, 0x, 0o, 0b and leading-zero octal. */
export function parseGoInt(text: string): number | bigint | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|([1-9][0-9]*|0))$/.exec(text);
  if (!match) return undefined;
  const [, sign, hex, octal, binary, zero, decimal] = match;
  const magnitude = BigInt(hex ? `0x${hex}` : (octal ?? zero) ? `0o${octal ?? zero}` : binary ? `0b${binary}` : (decimal ?? '0'));
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < INT64_MIN || value > UINT64_MAX || (sign !== '' && value > INT64_MAX)) return undefined;
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}

export { GO_FLOAT };
