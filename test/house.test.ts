/** The house holds: rooms, doors, banned calls, sizes. The rules are data in tools/house.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, inspectFile } from '../tools/house.ts';

const root = new URL('..', import.meta.url).pathname;

test('the source tree keeps to the plan of the house', () => {
  const violations = inspect(root).map(({ file, line, message }) => `${file}:${line}: ${message}`);
  assert.deepEqual(violations, []);
});

const check = (file: string, text: string) => inspectFile(root, file, text).map((violation) => violation.message);

test('a pure room may not touch time, chance, the environment or a socket', () => {
  assert.equal(check('src/core/target/x.ts', 'const now = Date.now();\n').length, 1);
  assert.equal(check('src/core/target/x.ts', "import { connect } from 'node:net';\n").length, 1);
  assert.equal(check('src/core/target/x.ts', 'export async function x() {}\n').length, 1);
  assert.equal(check('src/agent/release/x.ts', 'const value = process.env.HOME;\n').length, 1);
});

test('a room is entered by its door and only by those the table names', () => {
  assert.equal(check('src/core/target/x.ts', "import { x } from '#kube/client';\n").length, 1);
  assert.equal(check('src/kube/cache/x.ts', "import { x } from '../client/http2.ts';\n").length, 1);
  assert.equal(check('src/agent/release/x.ts', "import { x } from '#controllers/bundle';\n").length, 1);
  assert.equal(check('src/controllers/bundle/x.ts', "import { x } from '#testing/clock';\n").length, 1);
  assert.deepEqual(check('src/controllers/bundle/x.ts', "import { x } from '#core/target';\n"), []);
});

test('a function or file that outgrows its limit is named', () => {
  const long = `export function x() {\n${'  a();\n'.repeat(80)}}\n`;
  assert.match(check('src/core/target/x.ts', long)[0] ?? '', /function of 82 lines/);
  assert.match(check('src/core/target/x.ts', 'const a = 1;\n'.repeat(600))[0] ?? '', /split it/);
});
