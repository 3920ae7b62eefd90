/** Whole charts compared with the real binary, as text. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { seededRandom } from '../../src/base/random/index.ts';
import { loadChart, mergeMaps, parseSet, parseValues, renderChart, type RenderedChart, type Values } from '../../src/render/chart/index.ts';
import { nodeRenderCrypto } from '../../src/cmd/adapters/render-crypto.ts';
import { run } from './binaries.ts';
import type { ChartCase } from './cases/charts.ts';

export type ChartResult = { text: string } | { error: string };

export function ours(subject: ChartCase): ChartResult {
  const flag = (name: string) => (subject.flags ?? []).flatMap((value, index, all) => (all[index - 1] === name ? [value] : []));
  const nowMs = 1_700_000_000_000;
  try {
    const chart = loadChart(new Map(Object.entries(subject.files).map(([path, text]) => [path, new TextEncoder().encode(text)])));
    let values: Values = subject.values === undefined ? {} : mergeMaps({}, parseValues(subject.values, 'user.yaml'));
    for (const text of subject.sets ?? []) parseSet(text, values);
    const [kubeVersion] = flag('--kube-version');
    const rendered = renderChart(chart, {
      release: { name: 'rel', namespace: flag('--namespace')[0] ?? 'default', isUpgrade: subject.flags?.includes('--is-upgrade') ?? false },
      values,
      capabilities: { ...(kubeVersion ? { kubeVersion } : {}), extraApiVersions: flag('--api-versions') },
      random: seededRandom(7),
      nowMs,
      crypto: nodeRenderCrypto(() => nowMs),
      skipSchemaValidation: subject.flags?.includes('--skip-schema-validation') ?? false,
    });
    return { text: print(rendered, subject.flags ?? []) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: `${error.name}: ${error.message}` };
  }
}

function print(rendered: RenderedChart, flags: readonly string[]): string {
  const block = (source: string, text: string) => `---\n# Source: ${source}\n${text}\n`;
  let manifest = '';
  if (flags.includes('--include-crds')) for (const crd of rendered.crds) manifest += block(crd.source, crd.text);
  for (const { source, text } of rendered.manifests) manifest += block(source, text);
  let out = `${manifest.trim()}\n`;
  if (flags.includes('--no-hooks')) return out;
  for (const hook of rendered.hooks) if (!(flags.includes('--skip-tests') && hook.events.includes('test'))) out += block(hook.path, hook.text);
  return out;
}

export function theirs(helm: string, subject: ChartCase): ChartResult {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const files = { ...subject.files, ...(subject.values === undefined ? {} : { '../user.yaml': subject.values }) };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'chart', path)), { recursive: true });
      writeFileSync(join(folder, 'chart', path), text);
    }
    const args = ['template', 'rel', join(folder, 'chart'), ...(subject.values === undefined ? [] : ['-f', join(folder, 'user.yaml')]), ...(subject.sets ?? []).flatMap((set) => ['--set', set]), ...(subject.flags ?? [])];
    const outcome = run(helm, args);
    return outcome.text === undefined ? { error: outcome.error.replaceAll(folder, '') } : { text: outcome.text };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
