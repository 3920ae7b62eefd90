/**
 * The git client: refs by `ls-remote`, files by a shallow fetch of one commit into a bare cache, read from
 * there as objects. There is never a work tree, so no file of a repository is ever created, no filter,
 * attribute or hook of it runs.
 *
 * Every operation can be cut off at any point and entered again: a fetch adds a pack as a whole or not at
 * all; locks of a killed git are removed before the next one; a cache that is damaged is thrown away.
 * Invariant: one client uses a cacheDir, and one operation at a time a repository's cache.
 */
import { sha256Hex, utf8Text } from '#base/hash';
import { cacheFor, type Cache } from './cache.ts';
import { openSession, SESSIONS, type Session } from './environment.ts';
import { failureOf } from './failures.ts';
import { readTree } from './objects.ts';
import { addSubmodules } from './submodules.ts';
import { GIT_LIMITS, GitError, type GitClient, type GitCredentials, type GitLimits, type GitOptions, type GitRef, type Snapshot } from './types.ts';
import { isCommit, parseRemote, refCandidates, type Remote } from './url.ts';

/** Output of `ls-remote` for a handful of refs. */
const LIST_BYTES_MAX = 1024 * 1024;

/** One operation against one remote: runs git, explains failures. */
export interface Operation {
  remote: Remote;
  limits: GitLimits;
  options: GitOptions;
  git(args: readonly string[], over?: { cache?: string; stdin?: Uint8Array; timeoutMs?: number; outputBytesMax?: number; tolerate?: boolean }): Promise<{ code: number | null; stdout: Uint8Array; stderr: string }>;
}

/** Starts nothing. Folders are made when they are first needed. */
export function createGitClient(options: GitOptions): GitClient {
  const limits: GitLimits = { ...GIT_LIMITS, ...options.limits };
  const queues = new Map<string, Promise<unknown>>();
  let sessions = 0;
  let prepared: Promise<void> | undefined;

  const operate = async <T>(what: string, url: string, credentials: GitCredentials, signal: AbortSignal | undefined, work: (operation: Operation) => Promise<T>): Promise<T> => {
    const remote = parseRemote(url, options.allowLocal ?? false);
    await (prepared ??= prepare(options));
    const session = await openSession(options, remote, credentials, `${++sessions}`);
    try {
      return await work(operationOf(`${what} ${remote.shown}`, { options, limits, remote, session, credentials, signal }));
    } finally {
      await session.close();
    }
  };

  const lsRemote: GitClient['lsRemote'] = async (url, ref, credentials = {}, signal) => {
    const candidates = refCandidates(ref);
    if (ref.revision && isCommit(ref.revision)) return ref.revision;
    return operate('git ls-remote', url, credentials, signal, (operation) => listRef(operation, ref, candidates));
  };

  const fetchTree = async (url: string, commit: string, credentials: GitCredentials, signal: AbortSignal | undefined): Promise<Snapshot> => {
    if (!isCommit(commit)) throw new GitError('refused', `git commit ${JSON.stringify(commit)} is not a full object name`);
    const cache = cacheFor(options, sha256Hex(JSON.stringify([url, credentials])));
    return inTurn(queues, cache.dir, () =>
      operate('git fetch', url, credentials, signal, async (operation) => {
        await ensureCommit(operation, cache, commit);
        const { tree, submodules } = await readTree(operation, cache.dir, commit);
        return { commit, tree, submodules: submodules.map(({ path }) => path), links: submodules };
      }),
    ).then(async ({ links, ...snapshot }) => addSubmodules({ snapshot, links, url, credentials, limits }, (inner, innerCommit, innerCredentials) => fetchTree(inner, innerCommit, innerCredentials, signal)));
  };

  return { lsRemote, snapshot: (url, commit, credentials = {}, signal) => fetchTree(url, commit, credentials, signal) };
}

/** Makes the folder, and removes credentials that a killed predecessor left there. */
async function prepare({ files, cacheDir }: GitOptions): Promise<void> {
  await files.makeDir(cacheDir);
  await files.remove(`${cacheDir}/${SESSIONS}`);
}

/** Runs `work` after everything queued before it under the same key. */
async function inTurn<T>(queues: Map<string, Promise<unknown>>, key: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.catch(() => undefined);
  queues.set(key, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(key) === settled) queues.delete(key);
  }
}

interface OperationParts {
  options: GitOptions;
  limits: GitLimits;
  remote: Remote;
  session: Session;
  credentials: GitCredentials;
  signal: AbortSignal | undefined;
}

function operationOf(what: string, { options, limits, remote, session, credentials, signal }: OperationParts): Operation {
  const secrets = [credentials.password, remote.password].filter((secret) => secret !== undefined);
  return {
    remote,
    limits,
    options,
    async git(args, over = {}) {
      const output = await options.run({
        args: [...session.config.flatMap((entry) => ['-c', entry]), ...(over.cache ? [`--git-dir=${over.cache}`] : []), ...args],
        env: session.env,
        cwd: options.cacheDir,
        timeoutMs: over.timeoutMs ?? limits.fetchTimeoutMs,
        outputBytesMax: over.outputBytesMax ?? LIST_BYTES_MAX,
        ...(over.stdin ? { stdin: over.stdin } : {}),
        ...(signal ? { signal } : {}),
      });
      const failed = output.killed !== undefined || output.code !== 0;
      if (failed && !(over.tolerate && output.killed === undefined)) throw failureOf(what, output, secrets);
      return output;
    },
  };
}

async function listRef(operation: Operation, ref: GitRef, candidates: readonly string[]): Promise<string> {
  const { stdout } = await operation.git(['ls-remote', '--quiet', '--', operation.remote.url, ...candidates], { timeoutMs: operation.limits.listTimeoutMs });
  const found = new Map(
    utf8Text(stdout)
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([commit = '', name = '']): [string, string] => [name, commit]),
  );
  const commit = candidates.map((candidate) => found.get(candidate)).find((candidate) => candidate !== undefined);
  if (commit && isCommit(commit)) return commit;
  const wanted = ref.revision ? `revision ${JSON.stringify(ref.revision)}` : `branch ${JSON.stringify(ref.branch || 'master')}`;
  throw new GitError('not-found', `git repository ${operation.remote.shown}: ${wanted} was not found: correct spec.${ref.revision ? 'revision' : 'branch'}`);
}

/** Brings the commit and all its files into the cache, unless they are there. */
async function ensureCommit(operation: Operation, cache: Cache, commit: string): Promise<void> {
  await cache.open(operation);
  if (await cache.has(operation, commit)) return;
  try {
    await fetchCommit(operation, cache, commit);
  } catch (error) {
    if (!(error instanceof GitError) || error.failure !== 'failed') throw error;
    // Not the remote's fault by its words: perhaps the cache is damaged. A fresh one tells.
    await cache.discard();
    await cache.open(operation);
    await fetchCommit(operation, cache, commit);
  }
}

/** Old servers give only what a ref names; there the history is fetched until the commit is found. */
async function fetchCommit(operation: Operation, cache: Cache, commit: string): Promise<void> {
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  try {
    await operation.git([...fetch, '--depth=1', '--', operation.remote.url, commit], { cache: cache.dir });
  } catch (error) {
    if (!(error instanceof GitError) || error.failure !== 'not-found') throw error;
    await operation.git([...fetch, '--', operation.remote.url, '+refs/heads/*:refs/cache/heads/*', '+refs/tags/*:refs/cache/tags/*'], { cache: cache.dir });
    if (!(await cache.has(operation, commit))) throw error;
  }
}
