/**
 * Templates compared one by one: each runs as an included partial, so that its text comes back exactly
 * (base64 inside valid YAML), hundreds in one call of the real binary.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/base/random/index.ts';
import { loadChart, renderChart } from '../../src/render/chart/index.ts';
import { nodeRenderCrypto } from '../../src/cmd/adapters/render-crypto.ts';
import { run } from './binaries.ts';

/** Text, or the error with the place stripped. */
export type TemplateResult = { text: string } | { error: string };

export const BASE_FILES: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: "4.5"\ntype: application\nannotations:\n  k1: v1\n  k2: v2\n',
  'file.txt': 'first\nsecond\n',
  'tpl.txt': 'T{{ .Values.s }}',
  'conf/a.conf': 'a=1\n',
  'conf/b.conf': 'b=2\nc=3\n',
  'conf/sub/d.txt': 'deep',
};

export interface TemplateCase {
  template: string;
  /** Text of values.yaml. */
  values: string;
}

const partial = (index: number) => `templates/_t${String(index).padStart(6, '0')}.tpl`;
const page = (index: number) => `templates/r${String(index).padStart(6, '0')}.yaml`;
/** Values are copied for each template: `set` and `merge` change them in place, and hundreds share one run of the binary. */
const wrapper = (index: number) => `{{ $v := deepCopy .Values }}r: {{ include "c/${partial(index)}" (merge (dict "Values" $v) (omit . "Values")) | b64enc }}\n`;

function chartFiles(template: string, index: number): Record<string, string> {
  return { [partial(index)]: template, [page(index)]: wrapper(index) };
}

/** What we make of a template. */
export function ours({ template, values }: TemplateCase, index = 0): TemplateResult {
  const files = { ...BASE_FILES, 'values.yaml': values, ...chartFiles(template, index) };
  const nowMs = 1_700_000_000_000;
  try {
    const chart = loadChart(new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)])));
    const rendered = renderChart(chart, { release: { name: 'rel' }, random: seededRandom(7), nowMs, crypto: nodeRenderCrypto(() => nowMs) });
    return { text: decode(rendered.manifests[0]?.object['r'] as string) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.message };
  }
}

function decode(text: string | null): string {
  return Buffer.from(text ?? '', 'base64').toString('latin1');
}

/** What helm makes of templates that share their values; refused ones are found by the file its error names. */
export function theirs(helm: string, templates: readonly string[], values: string): TemplateResult[] {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const results = new Array<TemplateResult | undefined>(templates.length);
    writeFiles(folder, { ...BASE_FILES, 'values.yaml': values });
    for (const [index, template] of templates.entries()) writeFiles(folder, chartFiles(template, index));
    for (;;) {
      const outcome = run(helm, ['template', 'rel', folder]);
      if (outcome.text !== undefined) {
        collect(outcome.text, results);
        return results.map((result) => result ?? { error: 'no output' });
      }
      const failed = /_t(\d{6})\.tpl/.exec(outcome.error) ?? /r(\d{6})\.yaml/.exec(outcome.error);
      if (!failed && templates.length === 1) return [{ error: outcome.error }];
      if (!failed) throw new Error(`helm: ${outcome.error}`);
      const index = Number(failed[1]);
      results[index] = { error: outcome.error };
      rmSync(join(folder, partial(index)));
      rmSync(join(folder, page(index)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function collect(output: string, results: (TemplateResult | undefined)[]): void {
  for (const [, index, text] of output.matchAll(/# Source: c\/templates\/r(\d{6})\.yaml\nr: ?(.*)\n/g)) results[Number(index)] = { text: decode(text as string) };
}

/** The corpus file: one template a line, `\n` for a line break, `#` for comments. */
export function readCorpus(): TemplateCase[] {
  const folder = new URL('cases/', import.meta.url);
  const values = readFileSync(new URL('templates.values.yaml', folder), 'utf8');
  return readFileSync(new URL('templates.txt', folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ template: line.replaceAll('\\n', (escape, at: number) => (insideQuotes(line, at) ? escape : '\n')), values }));
}

/** Is the offset inside a quoted string of an action, where `\n` is Go's escape? */
function insideQuotes(line: string, at: number): boolean {
  const open = line.lastIndexOf('{{', at);
  const close = line.lastIndexOf('}}', at);
  if (open < 0 || close > open) return false;
  return (line.slice(open, at).match(/(?<!\\)["`']/g) ?? []).length % 2 === 1;
}
