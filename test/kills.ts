/**
 * `npm run test:kills -- [N]`: the two kills of the main job, N times each in a row (default 10) on one
 * `fleet up`: kill -9 of prod's leading agent while a commit rolls out, and kill -9 of `fleet up` itself.
 * Ends with `N passed, N failed`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundles } from '#api/fleet';
import { type FleetUp, startFleet, waitFor } from './support/fleet.ts';
import { configMapValue, gitRepo, isDeployed, leader, pidOfPod, processesBelow, releases } from './support/observe.ts';

const SETTINGS = readFileSync(join(import.meta.dirname, '..', 'examples', 'guestbook', 'settings.yaml'), 'utf8');
const VALUES = readFileSync(join(import.meta.dirname, '..', 'examples', 'web', 'values.yaml'), 'utf8');

function change(text: string): Record<string, string> {
  return {
    'guestbook/settings.yaml': SETTINGS.replace('Hello', text),
    'web/values.yaml': VALUES.replace('theme: light', `theme: light\n  round: "${text}"`),
  };
}

async function check(fleet: FleetUp, commit: string, text: string): Promise<void> {
  await waitFor('the commit on every cluster', () => isDeployed(fleet.client('local'), commit));
  const prod = fleet.client('prod');
  const seen = [await configMapValue(prod, 'guestbook', 'guestbook', 'greeting'), await configMapValue(prod, 'web', 'web-settings', 'round')];
  if (seen.some((value) => value !== text)) throw new Error(`prod has ${JSON.stringify(seen)}, not ${text}`);
  const unsettled = (await releases(prod)).filter(({ status }) => status !== 'deployed');
  if (unsettled.length > 0) throw new Error(`left half done: ${JSON.stringify(unsettled)}`);
}

/** The other replica finishes what the leader had begun. */
async function killAgent(fleet: FleetUp, text: string): Promise<void> {
  const local = fleet.client('local');
  const old = await waitFor('a leader in prod', () => leader(fleet.client('prod'), 'fleet-agent'));
  const commit = await fleet.commit(change(text));
  await waitFor('the rollout to begin', async () => (await local.list(bundles, { namespace: 'fleet-default' })).items.some(({ metadata }) => metadata.labels?.['fleet.cattle.io/commit'] === commit));
  process.kill(pidOfPod(old.pod), 'SIGKILL');
  await check(fleet, commit, text);
  const { epoch } = await leader(fleet.client('prod'), 'fleet-agent');
  if (epoch <= old.epoch) throw new Error(`the epoch did not grow: ${old.epoch} → ${epoch}`);
}

/** It picks up where it was; no process is left behind or runs twice. */
async function killAll(fleet: FleetUp, text: string): Promise<void> {
  const commit = await fleet.commit(change(text));
  await waitFor('the rollout to begin', async () => (await gitRepo(fleet.client('local'))).status?.pollingCommit === commit);
  await fleet.kill();
  await waitFor('the pods to die with it', () => processesBelow(fleet.data).length === 0);
  await fleet.restart();
  await check(fleet, commit, text);
  const pods = processesBelow(fleet.data).map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').find((variable) => variable.startsWith('POD_UID=')));
  if (new Set(pods).size !== pods.length) throw new Error('a pod runs twice');
}

const rounds = Number(process.argv[2] ?? 10);
const tally = { passed: 0, failed: 0 };
const fleet = await startFleet();
try {
  for (const [name, kill] of [['kill the leading agent of prod', killAgent], ['kill fleet up', killAll]] as const) {
    for (let round = 1; round <= rounds; round++) {
      const startMs = performance.now();
      try {
        await kill(fleet, `${name} ${round}`);
        tally.passed++;
        process.stdout.write(`✔ ${name}, ${round} of ${rounds} (${((performance.now() - startMs) / 1000).toFixed(1)}s)\n`);
      } catch (error) {
        tally.failed++;
        process.stdout.write(`✖ ${name}, ${round} of ${rounds}: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
} finally {
  await fleet.stop();
}
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
process.exitCode = tally.failed === 0 ? 0 : 1;
