import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpYaml, GoYamlError, parseDocuments, parseYaml } from './index.ts';

// Each row was measured with helm 4.1: the scalar, and what `toJson` says of it.
const SCALARS: readonly [string, unknown][] = [
  ['y', true], ['n', false], ['on', true], ['Off', false], ['yes', true], ['~', null], ['null', null], ['', null],
  ['0777', 511], ['0o777', 511], ['0x1F', 31], ['0b11', 3], ['1_000', 1000], ['08', 8], ['+1', 1], ['-0', 0],
  ['1e3', 1000], ['1.5', 1.5], ['.5', 0.5], ['12:30:45', '12:30:45'], ['2020-01-01', '2020-01-01'],
  ['!!str 1', '1'], ['!!binary aGk=', 'hi'], ['"y"', 'y'], ["'1'", '1'], ['NaN', 'NaN'], ['1.2.3', '1.2.3'], ['0x', '0x'],
];

test('a scalar means what Go makes of it', () => {
  for (const [text, value] of SCALARS) assert.deepEqual(parseYaml(`a: ${text}\n`), { a: value }, text);
});

test('the last of two equal keys wins, unless strict', () => {
  assert.deepEqual(parseYaml('a: 1\na: 2\n'), { a: 2 });
  assert.throws(() => parseYaml('a: 1\na: 2\n', { strict: true }), GoYamlError);
});

test('keys become text', () => {
  assert.deepEqual(parseYaml('1: a\ntrue: b\n0777: c\n'), { 1: 'a', true: 'b', 511: 'c' });
});

test('a merge key counts at its place: entries behind it win, entries before it do not', () => {
  assert.deepEqual(parseYaml('x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  b: 3\n'), { x: { a: 1, b: 2 }, z: { a: 1, b: 3 } });
  assert.deepEqual(parseYaml('x: &x {a: 1, b: 2}\nz:\n  b: 3\n  <<: *x\n'), { x: { a: 1, b: 2 }, z: { b: 2, a: 1 } });
  assert.deepEqual(parseYaml('x: &x {a: 1}\nw: &w {a: 2, c: 3}\nz:\n  <<: [*x, *w]\n'), { x: { a: 1 }, w: { a: 2, c: 3 }, z: { a: 1, c: 3 } });
});

test('brackets and quotes may continue left of their node', () => {
  assert.deepEqual(parseYaml('a: {\n"b": 1,\n"c": [\n2\n]\n}\nd:\n- e: "x\n  y"\n'), { a: { b: 1, c: [2] }, d: [{ e: 'x y' }] });
});

test('an alias bomb is refused', () => {
  let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]\n`;
  assert.throws(() => parseYaml(text), /excessive aliasing/);
});

test('an error names file and line', () => {
  assert.throws(() => parseDocuments('a: 1\n---\nb: [\n', { file: 'x.yaml' }), (error: unknown) => error instanceof GoYamlError && error.file === 'x.yaml' && (error.line ?? 0) >= 3);
});

test('documents know their lines and empty ones are dropped', () => {
  assert.deepEqual(parseDocuments('# only\n---\na: 1\n---\n\n---\nb: 2\n'), [
    { value: { a: 1 }, line: 3 },
    { value: { b: 2 }, line: 7 },
  ]);
});

test('a __proto__ key is data', () => {
  const value = parseYaml('__proto__: {polluted: 1}\n') as Record<string, unknown>;
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('output is Go\'s', () => {
  const check = (value: unknown, text: string) => assert.equal(dumpYaml(value), text);
  check({ b: 1, a10: 1, a2: [1, [2, 3], { x: 'y' }] }, 'a2:\n- 1\n- - 2\n  - 3\n- x: "y"\na10: 1\nb: 1\n');
  check({ e: {}, l: [], m: null, s: '', t: 'a: b' }, "e: {}\nl: []\nm: null\ns: \"\"\nt: 'a: b'\n");
  check('x\ny\n', '|\n  x\n  y\n');
  check(1e6, '1000000\n');
  check(1234567.5, '1.2345675e+06\n');
});
