/** What is generated is what is committed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crdChartText } from '../tools/gen-crds.ts';

test('charts/fleet-crd is the output of tools/gen-crds.ts (run: npm run gen:crds)', () => {
  const committed = readFileSync(new URL('../charts/fleet-crd/templates/crds.yaml', import.meta.url), 'utf8');
  assert.equal(committed === crdChartText(), true, 'charts/fleet-crd/templates/crds.yaml is stale: run npm run gen:crds');
});
