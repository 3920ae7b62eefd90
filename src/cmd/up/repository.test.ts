/** The demo's repository: made once, made again when it was left half made, filled by a commit in the working copy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dataDir } from './data-dir.ts';
import { DEMO_BRANCH, ensureRepository } from './repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-repository-'));
const dir = dataDir(join(folder, 'data'));
const examples = join(folder, 'examples');
const git = (...args: string[]) => execFileSync('git', args, { cwd: dir.workingCopy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

before(() => {
  mkdirSync(examples);
  mkdirSync(dir.root);
  writeFileSync(join(examples, 'fleet.yaml'), 'namespace: web\n');
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the examples are committed, a commit in the working copy reaches the bare repository, and a second start keeps it', async () => {
  const first = await ensureRepository(dir, examples);
  assert.match(first, /^[0-9a-f]{40}$/);
  assert.equal(readFileSync(join(dir.workingCopy, 'fleet.yaml'), 'utf8'), 'namespace: web\n');
  writeFileSync(join(dir.workingCopy, 'fleet.yaml'), 'namespace: shop\n');
  git('commit', '--quiet', '--all', '--message', 'Change');
  const second = await ensureRepository(dir, examples);
  assert.notEqual(second, first);
  assert.equal(second, git('rev-parse', DEMO_BRANCH));
});

test('a repository that a killed run left half made is made again', async () => {
  rmSync(join(dir.repository, 'fleet-ready'));
  rmSync(join(dir.repository, 'HEAD'));
  await ensureRepository(dir, examples);
  assert.equal(readFileSync(join(dir.workingCopy, 'fleet.yaml'), 'utf8'), 'namespace: web\n');
});

test('what git cannot do is named', async () => {
  await assert.rejects(ensureRepository(dataDir(join(folder, 'missing')), examples), /git init failed in .*missing/);
});
