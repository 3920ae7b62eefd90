import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsOpenApiV2Protobuf, minimalOpenApiV2Protobuf } from '#apimachinery/openapi';

test('the protobuf document has the version in field 1 and title and version in field 2', () => {
  const bytes = [...minimalOpenApiV2Protobuf('v1')];
  assert.deepEqual(bytes, [0x0a, 3, ...Buffer.from('2.0'), 0x12, 16, 0x0a, 10, ...Buffer.from('Kubernetes'), 0x12, 2, ...Buffer.from('v1')]);
  assert.ok(minimalOpenApiV2Protobuf('x'.repeat(300)).length > 300);
});

test('protobuf is asked for with an at sign or a dot, and only when it comes first', () => {
  for (const [accept, expected] of [['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', true], ['application/com.github.proto-openapi.spec.v2.v1.0+protobuf, application/json', true], ['application/json', false], ['', false]] as const) {
    assert.equal(acceptsOpenApiV2Protobuf(accept), expected);
  }
});
