/**
 * Reads request bodies in Kubernetes' protobuf form, which kubectl's typed commands (`create configmap`,
 * `auth can-i`, `create token`) send. Answers are always JSON: those clients accept it.
 *
 * `fields.generated.json` holds, per message, `[number, JSON name, type]`; an empty name means the fields of the
 * message belong to the object around it. Types: `s` string, `i` integer, `b` bool, `y` bytes, `d` double, else a
 * message; `*` before it repeats, `%` makes it the values of a map. Rule: k8s.io/apimachinery
 * `runtime/serializer/protobuf` (magic, then `runtime.Unknown`), protobuf encoding (varint, length-delimited).
 */
import { isRecord } from '#base/json';
import { parseApiVersion } from '#apimachinery/meta';
import data from './fields.generated.json' with { type: 'json' };

type Field = readonly [number: number, name: string, type: string];

const FIELDS = data.messages as unknown as Readonly<Record<string, readonly Field[]>>;
const PACKAGES = data.groupVersions as Readonly<Record<string, string>>;
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const MAGIC = Buffer.from('k8s\0');
/** Messages nest at most this deep. */
const DEPTH_MAX = 64;

/** The body is not protobuf of a kind that is known; the message says what is wrong. */
export class ProtobufError extends Error {
  override name = 'ProtobufError';
}

/** The object in a body, as JSON would have it. */
export function decodeProtobuf(body: Uint8Array): Record<string, unknown> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.subarray(0, 4).equals(MAGIC)) throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const envelope = readFields(bytes.subarray(4));
  const types = readFields(bytesOf(envelope.get(1)));
  const apiVersion = textOf(types.get(1));
  const kind = textOf(types.get(2));
  const message = messageOf(apiVersion, kind);
  if (!message) throw new ProtobufError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`);
  return { kind, apiVersion, ...(readMessage(bytesOf(envelope.get(2)), message, 0) as Record<string, unknown>) };
}

function messageOf(apiVersion: string, kind: string): string | undefined {
  const own = `${PACKAGES[apiVersion] ?? ''}.${kind}`;
  if (FIELDS[own]) return own;
  // DeleteOptions and their like travel under the version of the resource they act on.
  return FIELDS[`${META}.${kind}`] && parseApiVersion(apiVersion).version ? `${META}.${kind}` : undefined;
}

type Raw = number | bigint | Buffer;

/** All fields of a message: number → values in order. */
function readFields(bytes: Buffer): Map<number, Raw[]> {
  const fields = new Map<number, Raw[]>();
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = Number(reader.varint());
    const number = tag >>> 3;
    const value = reader.value(tag & 7);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return fields;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new ProtobufError('unexpected EOF');
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new ProtobufError('proto: integer overflow');
  }

  value(wireType: number): Raw {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.#take(8).readDoubleLE();
      case 2:
        return this.#take(Number(this.varint()));
      case 5:
        return this.#take(4).readFloatLE();
      default:
        throw new ProtobufError(`proto: illegal wireType ${wireType}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (!(length >= 0) || end > this.#bytes.length) throw new ProtobufError('unexpected EOF');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

function bytesOf(values: readonly Raw[] | undefined): Buffer {
  const last = values?.at(-1);
  return Buffer.isBuffer(last) ? last : Buffer.alloc(0);
}

function textOf(values: readonly Raw[] | undefined): string {
  return bytesOf(values).toString('utf8');
}

function integerOf(values: readonly Raw[] | undefined): number {
  const last = values?.at(-1);
  return typeof last === 'bigint' ? Number(BigInt.asIntN(64, last)) : 0;
}

/** Messages whose JSON form is no object. */
const SPECIAL: Readonly<Record<string, (fields: Map<number, Raw[]>) => unknown>> = {
  'k8s.io.apimachinery.pkg.api.resource.Quantity': (fields) => textOf(fields.get(1)),
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': (fields) => (integerOf(fields.get(1)) === 1 ? textOf(fields.get(3)) : integerOf(fields.get(2))),
  'k8s.io.apimachinery.pkg.runtime.RawExtension': (fields) => jsonOf(fields),
  [`${META}.FieldsV1`]: (fields) => jsonOf(fields),
  [`${META}.Time`]: (fields) => timeOf(fields, false),
  [`${META}.MicroTime`]: (fields) => timeOf(fields, true),
  [`${META}.Duration`]: (fields) => `${integerOf(fields.get(1)) / 1e9}s`,
};

function jsonOf(fields: Map<number, Raw[]>): unknown {
  const text = textOf(fields.get(1));
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    throw new ProtobufError('embedded JSON is malformed');
  }
}

/** The zero time is an empty message, and null in JSON. */
function timeOf(fields: Map<number, Raw[]>, micro: boolean): string | null {
  if (fields.size === 0) return null;
  const date = new Date(integerOf(fields.get(1)) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError('a time is out of range');
  const seconds = date.toISOString().slice(0, 19);
  return micro ? `${seconds}.${String(Math.floor(integerOf(fields.get(2)) / 1000)).padStart(6, '0')}Z` : `${seconds}Z`;
}

function readMessage(bytes: Buffer, message: string, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new ProtobufError('the message is nested too deeply');
  const raw = readFields(bytes);
  const special = SPECIAL[message];
  if (special) return special(raw);
  const object: Record<string, unknown> = {};
  const fields = FIELDS[message] ?? [];
  // Types that are lists in Go (Verbs, ExtraValue) travel as a message of items.
  if (fields.length === 1 && fields[0]?.[1] === 'items' && fields[0][2] === '*s') return (raw.get(1) ?? []).map((value) => textOf([value]));
  for (const [number, name, type] of fields) {
    const values = raw.get(number);
    if (!values) continue;
    const value = readValue(values, type, depth + 1);
    if (name !== '') object[name] = value;
    else if (isRecord(value)) Object.assign(object, value);
  }
  return object;
}

function readValue(values: Raw[], type: string, depth: number): unknown {
  if (type.startsWith('*')) return values.flatMap((value) => repeated(value, type.slice(1), depth));
  if (type.startsWith('%')) return Object.fromEntries(values.map((value) => readEntry(bytesOf([value]), type.slice(1), depth)));
  return readSingle(values.at(-1) as Raw, type, depth);
}

/** Numbers may be packed into one value. */
function repeated(value: Raw, type: string, depth: number): unknown[] {
  if ((type === 'i' || type === 'b') && Buffer.isBuffer(value)) {
    const reader = new Reader(value);
    const all: unknown[] = [];
    while (!reader.done) all.push(readSingle(reader.varint(), type, depth));
    return all;
  }
  return [readSingle(value, type, depth)];
}

function readEntry(bytes: Buffer, type: string, depth: number): [string, unknown] {
  const fields = readFields(bytes);
  const value = fields.get(2)?.at(-1);
  return [textOf(fields.get(1)), value === undefined ? readSingle(Buffer.alloc(0), type, depth) : readSingle(value, type, depth)];
}

function readSingle(value: Raw, type: string, depth: number): unknown {
  switch (type) {
    case 's':
      return textOf([value]);
    case 'i':
      return integerOf([value]);
    case 'b':
      return integerOf([value]) !== 0;
    case 'd':
      return typeof value === 'number' ? value : 0;
    case 'y':
      return bytesOf([value]).toString('base64');
    default:
      return readMessage(bytesOf([value]), type, depth);
  }
}
