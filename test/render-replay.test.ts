/** Replays what the real helm and kubectl said of the corpora (test/oracle), without needing either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHARTS } from './oracle/cases/charts.ts';
import { KUSTOMIZATIONS } from './oracle/cases/kustomizations.ts';
import * as charts from './oracle/charts.ts';
import * as kustomize from './oracle/kustomize.ts';
import { agrees, readRecord, type Outcome } from './oracle/record.ts';
import { ours, readCorpus } from './oracle/templates.ts';

function replay(name: string, casesMin: number, outcomes: Iterable<[string, () => Outcome]>): void {
  const recorded = readRecord(name);
  const differing: string[] = [];
  let count = 0;
  for (const [title, run] of outcomes) {
    const expected = recorded.get(title);
    if (expected === undefined) continue;
    count++;
    const outcome = run();
    if (!agrees(expected, outcome)) differing.push(`${title}: recorded ${String(expected).slice(0, 200)}, ours ${JSON.stringify(outcome).slice(0, 200)}`);
  }
  assert.deepEqual(differing, []);
  assert.ok(count >= casesMin, `${count} cases recorded, ${casesMin} wanted: npm run test:oracle -- --record`);
}

test('templates render as helm rendered them', () => {
  replay('templates', 300, readCorpus().map((one) => [one.template, () => ours(one)]));
});

test('charts render as helm rendered them', () => {
  replay('charts', 200, CHARTS.map((one) => [one.name, () => charts.ours(one)]));
});

test('kustomizations build as kubectl built them', () => {
  replay('kustomizations', 80, KUSTOMIZATIONS.map((one) => [one.name, () => kustomize.ours(one)]));
});
