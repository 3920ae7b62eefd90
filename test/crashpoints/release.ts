/** What the tests of Helm operations share: goals, a process that reaches one, and what must be equal afterwards. */
import { gunzipSync } from 'node:zlib';
import { converge, type ReleaseContent, type ReleaseOptions, type ReleaseResult, type Wanted } from '#agent/release';
import { configMaps, namespaces, secrets, type Secret } from '#api/builtin';
import { silentLog } from '#base/log';
import { decodeRelease, HOOK_REVISION_ANNOTATION } from '#core/release';
import { createRestMapper } from '#kube/client';
import { chart, KINDS, NAMESPACE, OPTIONS, WITH_THINGS } from './chart.ts';
import { type Replica, timeless, World } from './world.ts';

export interface Goal {
  deploymentID: string | undefined;
  content: ReleaseContent;
  options?: Partial<ReleaseOptions>;
  retry?: boolean;
  /** Put drifted objects back, if there are any when the process looks. */
  repair?: boolean;
}

function wantedOf({ deploymentID, content, options, ...rest }: Goal): Wanted {
  return { namespace: NAMESPACE, name: 'web', deploymentID, options: { ...OPTIONS, ...options }, content: async () => content, ...rest };
}

export async function reach(world: World, wanted: Goal, replica: Replica): Promise<ReleaseResult> {
  const goal = wanted.repair ? { ...wanted, repair: await hasDrifted(world) } : wanted;
  const options = { client: replica.client, mapper: createRestMapper(replica.plain, world.clock), clock: world.clock, log: silentLog, signal: replica.signal, isReady: (live: unknown) => live !== undefined };
  return world.run(converge(wantedOf(goal), options));
}

async function hasDrifted(world: World): Promise<boolean> {
  return (await world.run(world.admin.get(configMaps, { namespace: NAMESPACE, name: 'settings' }))).data?.['version'] === 'drifted';
}

/** A world in which these goals have been reached one after the other, under epoch 1. */
export async function worldAfter(goals: readonly Goal[]): Promise<World> {
  const world = await World.start();
  await world.run(world.admin.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));
  for (const goal of goals) await reach(world, goal, world.replica('first', 1));
  world.writes.length = 0;
  return world;
}

export async function drift(world: World): Promise<void> {
  const body = { data: { version: 'drifted' } };
  await world.run(world.admin.patch(configMaps, { namespace: NAMESPACE, name: 'settings' }, { type: 'merge', body }, { fieldManager: 'somebody' }));
}

/** Everything that must be equal after equal operations. */
export async function outcome(world: World): Promise<Record<string, unknown>> {
  const served = await world.run(world.admin.request({ method: 'GET', path: '/apis/example.org/v1' }));
  const objects = await world.dump(served.status === 200 ? WITH_THINGS : KINDS);
  const records: Record<string, unknown> = {};
  for (const secret of (await world.run(world.admin.list(secrets, { namespace: NAMESPACE, labelSelector: 'owner=helm' }))).items) {
    delete objects[`Secret ${NAMESPACE}/${secret.metadata.name}`];
    records[secret.metadata.name ?? ''] = recordOf(secret);
  }
  return { objects, records };
}

function recordOf(secret: Secret): unknown {
  const { record, journal } = decodeRelease(secret, (bytes) => gunzipSync(bytes));
  const { first_deployed: _first, last_deployed: _last, deleted: _deleted, ...info } = record.info;
  const { epoch: _epoch, ...rest } = journal ?? { epoch: 0 };
  return timeless({ ...record, info, journal: rest });
}

/** How often each hook ran, by name, kind and revision: Jobs run when they are let go, other kinds are created. */
export function hookRuns(world: World): Record<string, number> {
  const runs: Record<string, number> = {};
  for (const { method, path, object } of world.writes) {
    const revision = object?.metadata.annotations?.[HOOK_REVISION_ANNOTATION];
    if (!object || revision === undefined || path.endsWith('/status')) continue;
    const isJob = object.kind === 'Job';
    if (isJob ? method !== 'PATCH' : method !== 'POST') continue;
    const key = `${object.kind}/${object.metadata.name} of revision ${revision}`;
    runs[key] = (runs[key] ?? 0) + 1;
  }
  return runs;
}

export async function statuses(world: World): Promise<string[]> {
  const { items } = await world.run(world.admin.list(secrets, { namespace: NAMESPACE, labelSelector: 'owner=helm' }));
  return items.map(({ metadata }) => `${metadata.labels?.version} ${metadata.labels?.status}`).sort();
}

export const v1: Goal = { deploymentID: 'one', content: chart('1') };
export const v2: Goal = { deploymentID: 'two', content: chart('2') };
export const failing: Goal = { deploymentID: 'two', content: chart('2', { hookFails: true }) };
export const atomic: Goal = { deploymentID: 'two', content: chart('2', { hookFails: true }), options: { atomic: true } };
export const gone: Goal = { deploymentID: undefined, content: chart('1') };

