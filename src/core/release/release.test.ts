import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { deepClone } from '#base/json';
import { decide, decodeRelease, encodeRelease, hookKey, hooksOf, nextAction, releaseSecretName, startJournal, type Decision, type Desired, type HookObservation, type Journal, type ReleaseHook, type ReleaseRecord, type ReleaseStatus, type Revision } from './index.ts';

class Crash extends Error {}

interface HookObject {
  uid: string;
  revision: number;
  phase: 'running' | 'succeeded' | 'failed';
}

const hook = (name: string, events: ReleaseHook['events'], over: Partial<ReleaseHook> = {}): ReleaseHook => ({ name, kind: 'Job', path: `templates/${name}.yaml`, manifest: '', events, ...over });

const HOOKS: ReleaseHook[] = [
  hook('migrate', ['pre-install', 'pre-upgrade'], { weight: 5, delete_policies: ['hook-succeeded'] }),
  hook('settings', ['pre-install', 'pre-upgrade'], { kind: 'ConfigMap', weight: -5 }),
  hook('notify', ['post-install', 'post-upgrade', 'post-rollback'], { delete_policies: ['before-hook-creation'] }),
  hook('farewell', ['pre-delete', 'post-delete'], { delete_policies: ['before-hook-creation', 'hook-succeeded'] }),
];

/** A cluster with one release, and the driver that the agent has in earnest. Every write may be the last. */
class World {
  revisions = new Map<number, Revision>();
  objects = new Set<string>();
  hooks = new Map<string, HookObject>();
  created: string[] = [];
  writes = 0;
  crashAfter = Infinity;
  private uid = 0;
  /** Hook objects that vanish as soon as they have run (ttlSecondsAfterFinished: 0). */
  vanishing = false;
  failing = new Set<string>();

  write(change: () => void): void {
    change();
    if (++this.writes >= this.crashAfter) {
      this.crashAfter = Infinity;
      throw new Crash();
    }
  }

  manifestOf(deploymentID: string): string[] {
    return deploymentID === '' ? [] : ['web', `only-${deploymentID}`];
  }

  put(revision: Revision): void {
    this.write(() => this.revisions.set(revision.record.version, deepClone(revision)));
  }

  /** Runs until there is nothing more to do; time passes by `advance`. */
  run(desired: Desired, rounds = 50): Decision {
    for (let round = 0; round < rounds; round++) {
      const decision = decide([...this.revisions.values()], desired);
      switch (decision.do) {
        case 'settle':
          for (const revision of decision.update) this.put(revision);
          for (const version of decision.remove) this.write(() => this.revisions.delete(version));
          break;
        case 'begin':
          this.begin(decision);
          break;
        case 'resume':
          this.put({ ...decision.revision, journal: decision.journal });
          this.follow(decision.revision.record.version, decision.previous);
          break;
        default:
          return decision;
      }
    }
    if (rounds < 50) return decide([...this.revisions.values()], desired);
    throw new Error('does not come to an end');
  }

  private begin(decision: Extract<Decision, { do: 'begin' }>): void {
    const pending: Record<string, ReleaseStatus> = { install: 'pending-install', upgrade: 'pending-upgrade', rollback: 'pending-rollback', uninstall: 'uninstalling' };
    const status = pending[decision.operation] as ReleaseStatus;
    const base = decision.operation === 'uninstall' ? this.revisions.get(decision.revision)?.record : undefined;
    const record: ReleaseRecord = base ?? { name: 'app', namespace: 'ns', version: decision.revision, info: {}, manifest: this.manifestOf(decision.journal.deploymentID).join(','), hooks: HOOKS };
    this.put({ record: { ...record, info: { ...record.info, status } }, journal: decision.journal });
    this.follow(decision.revision, decision.previous);
  }

  private follow(version: number, previous: readonly Revision[]): void {
    let seen: { key: string; observation: HookObservation } | undefined;
    for (let step = 0; step < 200; step++) {
      const revision = this.revisions.get(version) as Revision;
      const { record } = revision;
      const journal = revision.journal as Journal;
      const action = nextAction(journal, { record, wait: true, crds: true }, seen);
      seen = undefined;
      const manifest = (record.manifest ?? '').split(',').filter(Boolean);
      switch (action.act) {
        case 'journal':
          this.put({ record, journal: action.journal });
          break;
        case 'observe': {
          const object = this.hooks.get(action.hook.name);
          seen = { key: action.key, observation: object ? { exists: true, ...object } : { exists: false } };
          break;
        }
        case 'create-hook':
          assert.ok(!this.hooks.has(action.hook.name), 'a hook object is created over an existing one');
          this.write(() => {
            this.created.push(`${action.revision} ${action.key}`);
            this.hooks.set(action.hook.name, { uid: `u${++this.uid}`, revision: action.revision, phase: action.hook.kind === 'Job' ? 'running' : 'succeeded' });
          });
          break;
        case 'await-hook': {
          const object = this.hooks.get(action.hook.name);
          if (object) object.phase = this.failing.has(action.hook.name) ? 'failed' : 'succeeded';
          if (this.vanishing) this.hooks.delete(action.hook.name);
          break;
        }
        case 'delete-hooks':
          for (const { name } of action.hooks) if (this.hooks.has(name)) this.write(() => this.hooks.delete(name));
          if (action.journal) this.put({ record, journal: action.journal });
          break;
        case 'crds':
          if (!this.objects.has('crd')) this.write(() => this.objects.add('crd'));
          this.put({ record, journal: action.journal });
          break;
        case 'apply':
          for (const name of manifest) if (!this.objects.has(name)) this.write(() => this.objects.add(name));
          for (const name of previous.flatMap((old) => (old.record.manifest ?? '').split(','))) if (this.objects.has(name) && !manifest.includes(name)) this.write(() => this.objects.delete(name));
          this.put({ record, journal: action.journal });
          break;
        case 'delete':
          for (const name of manifest) if (this.objects.has(name)) this.write(() => this.objects.delete(name));
          this.put({ record, journal: action.journal });
          break;
        case 'wait':
          this.put({ record, journal: action.journal });
          break;
        case 'finish':
          this.put({ record: { ...record, info: { ...record.info, status: action.status } }, journal: action.journal });
          return;
        case 'fail':
          this.put({ record: { ...record, info: { ...record.info, status: 'failed', description: action.reason } }, journal: action.journal });
          return;
        case 'done':
          return;
      }
    }
    throw new Error('an operation does not come to an end');
  }

  /** What a user could see, without epochs. */
  picture() {
    const history = [...this.revisions.values()].map(({ record, journal }) => [record.version, record.info.status, journal?.deploymentID]);
    return { objects: [...this.objects].sort(), history, hooks: [...this.hooks].map(([name, { revision, phase }]) => [name, revision, phase]).sort() };
  }

  assertHooksOnce(): void {
    assert.deepEqual(this.created, [...new Set(this.created)], 'a hook ran twice in one revision');
  }
}

const want = (deploymentID: string | undefined, epoch: number, over: Partial<Desired> = {}): Desired => ({ name: 'app', namespace: 'ns', deploymentID, epoch, nowMs: Date.parse('2026-01-01T00:00:00Z'), ...over });

/** A world in which these versions were deployed one after the other. */
function deployed(...versions: (string | undefined)[]): World {
  const world = new World();
  for (const version of versions) world.run(want(version, 1));
  world.writes = 0;
  world.created = [];
  return world;
}

describe('an operation cut off after any write and finished by the next leader', () => {
  const check = (title: string, before: string[], target: string | undefined) =>
    it(title, () => {
      const calm = deployed(...before);
      calm.run(want(target, 2));
      const total = calm.writes;
      assert.ok(total >= 5, `${total} writes`);
      for (let cut = 1; cut <= total; cut++) {
        const world = deployed(...before);
        world.crashAfter = cut;
        assert.throws(() => world.run(want(target, 2)), Crash);
        world.run(want(target, 3));
        assert.deepEqual(world.picture(), calm.picture(), `cut off after write ${cut} of ${total}`);
        world.assertHooksOnce();
        assert.deepEqual([...new Set(world.created)].sort(), [...calm.created].sort());
      }
    });
  check('install', [], 'v1');
  check('upgrade', ['v1'], 'v2');
  check('upgrade that trims the history', ['v1', 'v2', 'v3'], 'v4');
  check('uninstall', ['v1', 'v2'], undefined);

  it('twice in a row, at every pair of writes', () => {
    const calm = deployed('v1');
    calm.run(want('v2', 2));
    for (let first = 1; first <= calm.writes; first++) {
      for (let second = 1; second <= calm.writes; second++) {
        const world = deployed('v1');
        for (const [epoch, cut] of [[2, first], [3, second]] as const) {
          world.crashAfter = world.writes + cut;
          try {
            world.run(want('v2', epoch));
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
          }
        }
        world.crashAfter = Infinity;
        world.run(want('v2', 4));
        assert.deepEqual(world.picture(), calm.picture(), `cut off after ${first} and ${second}`);
        world.assertHooksOnce();
      }
    }
  });

  it('while something else is wanted meanwhile', () => {
    const calm = deployed('v1');
    calm.run(want('v2', 2));
    for (let cut = 1; cut < calm.writes; cut++) {
      const world = deployed('v1');
      world.crashAfter = cut;
      assert.throws(() => world.run(want('v2', 2)), Crash);
      world.run(want('v3', 3));
      assert.deepEqual(world.picture().objects, ['crd', 'only-v3', 'web'], `cut off after ${cut}`);
      assert.equal(world.run(want('v3', 3)).do, 'nothing');
      world.assertHooksOnce();
    }
  });

  it('or is wanted gone', () => {
    const calm = deployed('v1');
    calm.run(want('v2', 2));
    for (let cut = 1; cut < calm.writes; cut++) {
      const world = deployed('v1');
      world.crashAfter = cut;
      assert.throws(() => world.run(want('v2', 2)), Crash);
      world.run(want(undefined, 3));
      assert.deepEqual([world.picture().history, world.objects.has('web')], [[], false], `cut off after ${cut}`);
    }
  });
});

describe('a hook', () => {
  it('that vanished before its end was seen is not run again: the release returns to the version before', () => {
    const world = deployed('v1');
    const journal: Journal = { ...startJournal('upgrade', 2, 'v2'), hooks: { 'pre-upgrade/ConfigMap/settings': { phase: 'done' }, 'pre-upgrade/Job/migrate': { phase: 'created', uid: 'gone' } } };
    const record: ReleaseRecord = { name: 'app', namespace: 'ns', version: 2, info: { status: 'pending-upgrade' }, hooks: HOOKS };
    const action = nextAction(journal, { record, wait: true, crds: false }, { key: 'pre-upgrade/Job/migrate', observation: { exists: false } });
    assert.equal(action.act, 'fail');
    assert.equal(action.act === 'fail' && action.journal.failure, 'hook-lost');
    const failed: Revision = { record: { ...record, info: { status: 'failed' } }, journal: { ...journal, failure: 'hook-lost' } };
    const back = decide([world.revisions.get(1) as Revision, failed], want('v2', 3));
    assert.deepEqual(back.do === 'begin' && [back.operation, back.revision, back.journal.deploymentID], ['rollback', 3, 'v1']);
  });

  it('whose object vanishes while it runs leads back, once, and is tried again when asked', () => {
    const world = deployed('v1');
    world.vanishing = true;
    assert.equal(world.run(want('v2', 2)).do, 'failed');
    assert.deepEqual([...world.objects].sort(), ['crd', 'only-v1', 'web']);
    world.assertHooksOnce();
    world.vanishing = false;
    assert.equal(world.run(want('v2', 2, { retry: true })).do, 'nothing');
    assert.ok(world.objects.has('only-v2'));
    world.assertHooksOnce();
  });

  it('of another kind than Job and Pod is done when it is created', () => {
    const journal: Journal = { ...startJournal('upgrade', 2, 'v2'), hooks: { 'pre-upgrade/ConfigMap/settings': { phase: 'created', uid: 'x' } } };
    const record: ReleaseRecord = { name: 'app', namespace: 'ns', version: 2, info: {}, hooks: HOOKS };
    const action = nextAction(journal, { record, wait: true, crds: false }, { key: 'pre-upgrade/ConfigMap/settings', observation: { exists: false } });
    assert.equal(action.act === 'journal' && action.journal.hooks['pre-upgrade/ConfigMap/settings']?.phase, 'done');
  });

  it('that fails stops the operation, and the same version is not tried again unasked', () => {
    const world = deployed('v1');
    world.failing.add('migrate');
    assert.equal(world.run(want('v2', 2)).do, 'failed');
    assert.deepEqual(world.picture().history.map(([version, status]) => [version, status]), [[1, 'deployed'], [2, 'failed']]);
    assert.ok(!world.objects.has('only-v2'));
    world.failing.clear();
    assert.equal(world.run(want('v2', 2, { retry: true })).do, 'nothing');
    assert.ok(world.objects.has('only-v2'));
  });

  it('that fails leads back when the release is atomic', () => {
    const world = deployed('v1');
    world.failing.add('notify');
    const decision = decide([...world.revisions.values(), { record: { name: 'app', namespace: 'ns', version: 2, info: { status: 'failed' } }, journal: { ...startJournal('upgrade', 2, 'v2'), failure: 'hook-failed' } }], want('v2', 3, { atomic: true }));
    assert.equal(decision.do === 'begin' && decision.operation, 'rollback');
  });

  it('runs in the order of weights, then names', () => {
    assert.deepEqual(hooksOf(HOOKS, 'pre-install').map(({ name }) => name), ['settings', 'migrate']);
    assert.deepEqual(hooksOf([hook('b', ['test']), hook('a', ['test']), hook('z', ['test'], { weight: -1 })], 'test').map(({ name }) => name), ['z', 'a', 'b']);
    assert.equal(hookKey('test', hook('a', ['test'])), 'test/Job/a');
  });
});

describe('decide', () => {
  const revision = (version: number, status: ReleaseStatus, journal?: Partial<Journal>, begun?: string): Revision => ({
    record: { name: 'app', namespace: 'ns', version, info: { status, ...(begun ? { last_deployed: begun } : {}) } },
    ...(journal ? { journal: { ...startJournal('upgrade', 1, 'v1'), ...journal } } : {}),
  });
  const check = (title: string, history: Revision[], desired: Desired, expected: (decision: Decision) => unknown, wanted: unknown) => it(title, () => assert.deepEqual(expected(decide(history, desired)), wanted));
  const what = (decision: Decision) => (decision.do === 'begin' ? `begin ${decision.operation} ${decision.revision}` : decision.do);

  check('nothing wanted, nothing there', [], want(undefined, 1), what, 'nothing');
  check('wanted and not there', [], want('v1', 1), what, 'begin install 1');
  check('as wanted', [revision(1, 'deployed', { step: 'done' })], want('v1', 1), what, 'nothing');
  check('another version', [revision(1, 'deployed', { step: 'done' })], want('v2', 1), what, 'begin upgrade 2');
  check('a release of Helm is taken over by an upgrade', [revision(4, 'deployed')], want('v1', 1), what, 'begin upgrade 5');
  check('a higher epoch has been here', [revision(1, 'deployed', { epoch: 9 })], want('v1', 3), what, 'step-down');
  check('half done by a dead leader', [revision(1, 'pending-upgrade', { epoch: 1 })], want('v1', 2), (decision) => decision.do === 'resume' && decision.journal.epoch, 2);
  check('somebody is just at it', [revision(1, 'pending-install', undefined, '2025-12-31T23:59:00Z')], want('v1', 1), (decision) => decision.do === 'wait' && decision.untilMs - want('v1', 1).nowMs, 4 * 60_000);
  check('somebody was at it long ago', [revision(1, 'pending-install', undefined, '2025-12-31T23:00:00Z')], want('v1', 1), (decision) => decision.do === 'settle' && decision.update[0]?.record.info.status, 'failed');
  check('half uninstalled by Helm', [revision(1, 'uninstalling')], want('v1', 1), (decision) => decision.do === 'resume' && decision.journal.operation, 'uninstall');
  check('uninstalled with its history kept', [revision(1, 'uninstalled')], want('v1', 1), what, 'begin install 2');
  check('a finish that was cut off', [revision(1, 'deployed', { step: 'done' }), revision(2, 'deployed', { step: 'done' })], want('v1', 1), (decision) => decision.do === 'settle' && decision.update.map(({ record }) => [record.version, record.info.status]), [[1, 'superseded']]);
  check('more history than wanted', [1, 2, 3, 4].map((version) => revision(version, version === 4 ? 'deployed' : 'superseded', { step: 'done' })), want('v1', 1), (decision) => decision.do === 'settle' && decision.remove, [1, 2]);
  check('unlimited history', [1, 2, 3, 4].map((version) => revision(version, version === 4 ? 'deployed' : 'superseded', { step: 'done' })), want('v1', 1, { maxHistory: 0 }), what, 'nothing');
  check('what failed and a good one before it are pruned together', [revision(1, 'superseded'), revision(2, 'deployed'), revision(3, 'failed', {})], want('v2', 1), (decision) => decision.do === 'begin' && decision.previous.map(({ record }) => record.version), [2, 3]);
});

describe('a repair of drift', () => {
  it('puts objects back as a rollback to the current version, cut off anywhere or not', () => {
    const drifted = () => {
      const world = deployed('v1');
      world.objects.delete('web');
      return world;
    };
    const repair = (epoch: number) => want('v1', epoch, { repair: true });
    const calm = drifted();
    once(calm, repair(2));
    assert.ok(calm.objects.has('web'));
    assert.deepEqual(calm.picture().history.map(([version, status]) => [version, status]), [[1, 'superseded'], [2, 'deployed']]);
    for (let cut = 1; cut <= calm.writes; cut++) {
      const world = drifted();
      world.crashAfter = cut;
      assert.throws(() => once(world, repair(2)), Crash);
      world.run(want('v1', 3));
      assert.deepEqual(world.picture(), calm.picture(), `cut off after ${cut}`);
    }
  });

  /** One repair, and then what is left to tidy. */
  function once(world: World, desired: Desired): void {
    world.run(desired, 1);
    world.run({ ...desired, repair: false });
  }

  it('that fails leaves the version before standing', () => {
    const good: Revision = { record: { name: 'app', namespace: 'ns', version: 1, info: { status: 'deployed' } }, journal: { ...startJournal('install', 1, 'v1'), step: 'done' } };
    const begun = decide([good], want('v1', 1, { repair: true }));
    assert.deepEqual(begun.do === 'begin' && [begun.operation, begun.revision, begun.journal.repair], ['rollback', 2, true]);
    const failed: Revision = { record: { ...good.record, version: 2, info: { status: 'failed' } }, journal: { ...startJournal('rollback', 1, 'v1'), repair: true, failure: 'error' } };
    assert.deepEqual(decide([good, failed], want('v1', 1)), { do: 'settle', update: [good], remove: [2] });
    assert.equal(decide([good, failed], want('v1', 1, { keepFailHistory: true })).do, 'nothing');
    assert.equal(decide([good, failed], want('v2', 1, { keepFailHistory: true })).do, 'begin');
  });
});

describe('the record', () => {
  const compression = { gzip: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)), gunzip: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };
  const revision: Revision = {
    record: { name: 'app', namespace: 'ns', version: 3, info: { status: 'deployed', description: 'Install complete' }, manifest: '---\nü', config: { a: 1 }, labels: { team: 'x' } },
    journal: startJournal('install', 7, 'v1'),
    resourceVersion: '42',
  };

  it('survives its Secret', () => {
    const secret = encodeRelease(revision, compression, { createdAtMs: 1_700_000_000_999 });
    assert.equal(secret.metadata.name, releaseSecretName('app', 3));
    assert.deepEqual(secret.metadata.labels, { name: 'app', owner: 'helm', status: 'deployed', version: '3', createdAt: '1700000000', team: 'x' });
    assert.equal(secret.type, 'helm.sh/release.v1');
    assert.deepEqual(decodeRelease(secret, compression.gunzip), revision);
  });

  it('is read from Helm: base64 in base64 of gzipped JSON, labels beside it', () => {
    const inner = Buffer.from(gzipSync('{"name":"app","namespace":"ns","version":1,"info":{"status":"deployed"},"future":true}')).toString('base64');
    const { record, journal } = decodeRelease({ metadata: { name: 'x', annotations: { 'fleet.cattle.io/journal': 'broken' } }, data: { release: Buffer.from(inner).toString('base64') } }, compression.gunzip);
    assert.equal((record as unknown as { future: boolean }).future, true);
    assert.equal(journal, undefined);
  });

  it('that is damaged or too large is named', () => {
    assert.throws(() => decodeRelease({ metadata: { name: 'x', namespace: 'n' }, data: { release: 'AAAA' } }, compression.gunzip), /Secret\/n\/x: holds no Helm release/);
    const large = { ...revision, record: { ...revision.record, manifest: Array.from({ length: 400_000 }, (_, index) => index * 7919).join('') } };
    assert.throws(() => encodeRelease(large, compression, {}), /a Secret takes 1048576/);
  });
});
