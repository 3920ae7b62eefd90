/** Request bodies: media types, JSON and YAML, and what the real server says about those it cannot read. */
import { isRecord } from '#base/json';
import { formatApiVersion, parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { decodeBuiltin } from '#api/builtin';
import { parseYaml } from '#render/rawyaml';
import { badRequest, unsupportedMediaType } from '../errors.ts';
import { header, type ApiRequest } from '../http/types.ts';
import { decodeProtobuf, ProtobufError } from '../protobuf/decode.ts';
import { goKind } from '../strategies/envelope.ts';
import { goSyntaxError } from './gojson.ts';

/** What a body must be. */
export interface ExpectedKind {
  group: string;
  version: string;
  kind: string;
  /** Kind and version must be in the body (custom resources); elsewhere the URL implies them. */
  explicit?: boolean;
}

export interface ParsedBody {
  document: unknown;
  /** The JSON text, or '' when the body was YAML (duplicate keys are judged on the text). */
  text: string;
}

const SUMMARY_BYTES = 30;
const GO_TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

export function mediaType(request: Pick<ApiRequest, 'headers'>): string {
  return (header(request, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The object of a create or update, with kind and version filled in when absent. Throws 400 and 415. */
export function readObject(request: ApiRequest, expected: ExpectedKind): { object: Unstructured; text: string } {
  const { document, text } = readDocument(request, expected);
  const record = document === null ? {} : document;
  if (!isRecord(record)) throw unrecognized(expected, request.body, `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(record)} into Go value of type ${GO_TYPE_META}`);
  for (const field of ['apiVersion', 'kind']) {
    const value = record[field];
    if (value === undefined || value === null || typeof value === 'string') continue;
    throw unrecognized(expected, request.body, `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(value)} into Go struct field .${field} of type string`);
  }
  if (expected.explicit) {
    const missing = !record['kind'] ? 'Kind' : !record['apiVersion'] ? 'apiVersion' : undefined;
    if (missing) throw unrecognized(expected, request.body, `Object '${missing}' is missing in '${text || JSON.stringify(record)}'`);
  }
  const { apiVersion, kind, metadata, ...rest } = record;
  const object = {
    kind: (kind as string) || expected.kind,
    apiVersion: (apiVersion as string) || formatApiVersion(expected.group, expected.version),
    metadata: metadata ?? {},
    ...rest,
  } as Unstructured;
  return { object, text };
}

export function readDocument(request: ApiRequest, expected: ExpectedKind): ParsedBody {
  const type = mediaType(request);
  if (type === 'application/yaml') return { document: readYaml(request, expected), text: '' };
  if (type === PROTOBUF && !expected.explicit) return { document: readProtobuf(request, expected), text: '' };
  if (type !== '' && type !== 'application/json') throw unsupportedMediaType();
  const text = Buffer.from(request.body).toString('utf8');
  try {
    return { document: JSON.parse(text) as unknown, text };
  } catch {
    const problem = goSyntaxError(text) ?? 'invalid JSON';
    throw unrecognized(expected, request.body, `couldn't get version/kind; json parse error: ${problem}`);
  }
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

function readProtobuf(request: ApiRequest, expected: ExpectedKind): unknown {
  try {
    return decodeProtobuf(request.body);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw unrecognized(expected, request.body, error.message);
  }
}

function readYaml(request: ApiRequest, expected: ExpectedKind): unknown {
  try {
    return parseYaml(Buffer.from(request.body).toString('utf8'));
  } catch (error) {
    throw unrecognized(expected, request.body, goYamlMessage((error as Error).message, request.body));
  }
}

/** Go's scanner names what it expected where ours names what it met. */
function goYamlMessage(message: string, body: Uint8Array): string {
  const match = /^(.*): unexpected end of the stream within a flow collection/.exec(message);
  if (!match) return message;
  const text = Buffer.from(body).toString('utf8');
  return `${match[1]}: did not find expected ',' or '${text.lastIndexOf('[') > text.lastIndexOf('{') ? ']' : '}'}'`;
}

export function unrecognized(expected: ExpectedKind, body: Uint8Array, problem: string) {
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${problem} (${summarize(body)})`);
}

function summarize(body: Uint8Array): string {
  if (body.byteLength === 0) return '<empty>';
  const cut = Buffer.from(body.subarray(0, SUMMARY_BYTES));
  const text = body[0] === 0x7b ? cut.toString('utf8') : cut.toString('hex');
  return body.byteLength > SUMMARY_BYTES ? `${text} ...` : text;
}

/** The body of a subresource, which is of a kind of its own. Throws 400 and 415. */
export function readBuiltin(request: ApiRequest, kind: ExpectedKind): Unstructured {
  const { object } = readObject(request, kind);
  const { group, version } = parseApiVersion(object.apiVersion ?? '');
  const refuse = (why: string) => badRequest(`${object.kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: ${why}`);
  if (object.kind !== kind.kind) throw refuse(`converting (${version}.${object.kind}) to (${group.split('.')[0] || 'core'}.${kind.kind}): unknown conversion`);
  try {
    return decodeBuiltin(kind, { ...object, apiVersion: formatApiVersion(kind.group, kind.version) }).object;
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** The version in the body must be the version of the URL. */
export function checkApiVersion(object: Unstructured, expected: ExpectedKind): void {
  const wanted = formatApiVersion(expected.group, expected.version);
  if (object.apiVersion !== wanted) throw badRequest(`the API version in the data (${object.apiVersion}) does not match the expected API version (${wanted})`);
}

export function versionOf(object: Unstructured): string {
  return parseApiVersion(object.apiVersion ?? '').version;
}
