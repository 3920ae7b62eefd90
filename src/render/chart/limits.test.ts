/** Hostile charts end in a clear error, in bounded time and memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random';
import { loadChart, renderChart, type RenderChartOptions } from './index.ts';

const encoder = new TextEncoder();

function render(template: string, options: Partial<RenderChartOptions> = {}, values = '') {
  const files = { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n', 'values.yaml': values, 'templates/a.yaml': template };
  const chart = loadChart(new Map(Object.entries(files).map(([path, text]) => [path, encoder.encode(text)])));
  return renderChart(chart, { release: { name: 'r' }, random: seededRandom(1), nowMs: 0, ...options });
}

const HOSTILE: readonly [name: string, template: string, message: RegExp][] = [
  ['endless include', '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}', /nested calls|nest too deep/],
  ['endless template', '{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', /nest too deep|template depth/],
  ['endless tpl', '{{ define "x" }}{{ tpl "{{ include \\"x\\" . }}" . }}{{ end }}{{ include "x" . }}', /nested calls|nest too deep/],
  ['range of a billion', '{{ range 1000000000 }}{{ end }}', /steps/],
  ['until a billion', '{{ until 1000000000 }}', /1000000 at most/],
  ['repeat', '{{ repeat 1000000000 "x" }}', /at most/],
  ['doubling', '{{ $x := "0123456789" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}', /bytes of text|too large/],
  ['deep parentheses', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`, /nested deeper/],
  ['deep ifs', `${'{{ if true }}'.repeat(5000)}${'{{ end }}'.repeat(5000)}`, /nested deeper/],
  ['indent', '{{ indent 1000000 (repeat 1000 "\\n") }}', /at most|more than/],
  ['random text', '{{ randAlphaNum 1000000000 }}', /at most/],
];

for (const [name, template, message] of HOSTILE) {
  test(`${name} ends in an error`, () => {
    assert.throws(() => render(template, { limits: { stepsMax: 300_000, outputBytesMax: 16 * 1024 * 1024 } }), message);
  });
}

test('wide widths of printf are Go\'s misuse report, not memory', () => {
  assert.match(render('x: {{ printf "%1000000000d" 1 | len }}').manifests[0]?.text ?? '', /x: \d+$/);
});

test('a cyclic value is refused by the writers', () => {
  assert.throws(() => render('{{ $d := dict }}{{ $_ := set $d "d" $d }}x: {{ mustToJson $d }}'), /cycle|nest too deep/);
});

test('blank lines by the megabyte are split in linear time', () => {
  assert.equal(render(`a: 1\n${'\n'.repeat(2_000_000)}\n---\nb: 2\n`).manifests.length, 2);
});

test('an alias bomb in values is refused', () => {
  let values = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 9; i++) values += `a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(',')}]\n`;
  assert.throws(() => render('x: 1', {}, values), /excessive aliasing/);
});

test('broken UTF-8 neither fails nor is lost', () => {
  assert.match(render('x: {{ "\\xff" | b64enc }}').manifests[0]?.text ?? '', /\/w==/);
});
