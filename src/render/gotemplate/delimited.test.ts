import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random';
import { expandDelimited, toUsualDelimiters } from './delimited.ts';

const context = { ClusterName: 'prod-1', ClusterLabels: { env: 'prod', 'region/zone': 'eu' }, ClusterValues: { replicas: 3 } };
const expand = (text: string) => expandDelimited(text, context, { random: seededRandom(1), nowMs: 0 });
const check = (text: string, expected: string) => assert.equal(expand(text), expected);

test('${ } is a Go template with Sprig', () => {
  check('name: ${ .ClusterName }', 'name: prod-1');
  check('${ .ClusterLabels.env | upper | quote }', '"PROD"');
  check('${ index .ClusterLabels "region/zone" }', 'eu');
  check('${- if eq .ClusterLabels.env "prod" -} big ${- end }', 'big');
  check('${ printf "%s}" .ClusterName }', 'prod-1}');
});

test('the usual delimiters are plain text here', () => {
  check('{{ .Values.x }} ${ .ClusterName }', '{{ .Values.x }} prod-1');
  check('no template {{ }}', 'no template {{ }}');
  assert.equal(toUsualDelimiters('a {{ b ${/* } */} c'), 'a {{"{{"}} b {{/* } */}} c');
});

test('a missing key, a closing that is missing and functions that reach outside are errors', () => {
  assert.throws(() => expand('${ .ClusterLabels.none }'), /none/);
  assert.throws(() => expand('${ .ClusterName'), /unclosed|unterminated|unexpected/i);
  assert.throws(() => expand('${ env "HOME" }'), /env/);
});
