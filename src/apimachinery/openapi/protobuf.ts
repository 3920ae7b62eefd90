/**
 * The OpenAPI v2 document in protobuf, as kubectl asks for it when the v3 documents do not know a kind. It
 * carries the version and no definitions: a client that gets here looks for something that is not served, and
 * only needs a document that can be read. Rule: `openapi.v2.Document` of gnostic, fields 1 (swagger) and 2 (info).
 */

/** What the answer is; a media type may not contain the `@` that clients write in Accept. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Whether an Accept header asks for protobuf first, in either spelling. */
export function acceptsOpenApiV2Protobuf(accept: string): boolean {
  return /^\s*application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/.test(accept);
}

export function minimalOpenApiV2Protobuf(serverVersion: string): Uint8Array {
  const info = [...textField(1, 'Kubernetes'), ...textField(2, serverVersion)];
  return Uint8Array.from([...textField(1, '2.0'), ...bytesField(2, info)]);
}

function textField(number: number, value: string): number[] {
  return bytesField(number, [...new TextEncoder().encode(value)]);
}

/** A length-delimited field. */
function bytesField(number: number, bytes: readonly number[]): number[] {
  return [(number << 3) | 2, ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}
