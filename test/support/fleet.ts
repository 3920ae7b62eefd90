/**
 * A real `fleet up` for end-to-end tests: its own data folder, real processes, real sockets. Tests read the
 * API servers; nothing here looks at logs. Waiting is for conditions, with a limit that names them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '#base/clock';
import { type Client, createClient, createTransport, parseKubeconfig } from '#kube/client';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const LIMITS = { readyMs: 120_000, waitMs: 60_000, pollMs: 100, stopMs: 20_000 };

export interface FleetUp {
  readonly data: string;
  /** The process of `fleet up`. */
  readonly pid: number;
  client(cluster: string): Client;
  /** A `fleet` command against this data folder; its standard output. */
  fleet(...args: string[]): Promise<string>;
  /** Changes files of the working copy (null removes a file or folder) and commits; the commit. */
  commit(files: Readonly<Record<string, string | null>>): Promise<string>;
  /** Ends the process without a word, as a power failure would. */
  kill(): Promise<void>;
  /** Starts it again in the same folder. */
  restart(options?: { waitReady?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts and waits until every bundle is ready. */
export async function startFleet(): Promise<FleetUp> {
  const data = mkdtempSync(join(tmpdir(), 'fleet-e2e-'));
  const fleet = new RunningFleet(data);
  await fleet.restart();
  return fleet;
}

class RunningFleet implements FleetUp {
  readonly data: string;
  #child: ChildProcess | undefined;
  #clients: Client[] = [];
  #output = '';

  constructor(data: string) {
    this.data = data;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  client(cluster: string): Client {
    const kubeconfig = readFileSync(join(this.data, 'clusters', cluster, 'kubeconfig'), 'utf8');
    const client = createClient(createTransport(parseKubeconfig(kubeconfig), { clock: systemClock }), { userAgent: 'e2e' });
    this.#clients.push(client);
    return client;
  }

  async fleet(...args: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [join(root, 'dist', 'fleet.js'), ...args, '--data', this.data], { timeout: LIMITS.waitMs });
    return stdout;
  }

  async commit(files: Readonly<Record<string, string | null>>): Promise<string> {
    const copy = join(this.data, 'examples');
    for (const [path, text] of Object.entries(files)) {
      const file = join(copy, path);
      if (text === null) rmSync(file, { recursive: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    await run('git', ['add', '--all'], { cwd: copy });
    await run('git', ['commit', '--quiet', '--message', 'test'], { cwd: copy });
    return (await run('git', ['rev-parse', 'HEAD'], { cwd: copy })).stdout.trim();
  }

  async restart({ waitReady = true } = {}): Promise<void> {
    this.#output = '';
    const child = spawn(process.execPath, [join(root, 'dist', 'fleet.js'), 'up', '--data', this.data], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    if (!waitReady) return;
    await waitFor('fleet up to be ready', () => {
      if (child.exitCode !== null) throw new Error(`fleet up ended with code ${child.exitCode}:\n${this.#output}`);
      return this.#output.includes('Ready in');
    }, { limitMs: LIMITS.readyMs, onTimeout: () => this.#output });
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#end('SIGTERM');
    rmSync(this.data, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMITS.stopMs);
    await ended;
    clearTimeout(limit);
  }
}

/** Resolves with the first truthy answer; throws after the limit, naming what was waited for. Errors of the question count as "not yet". */
export async function waitFor<T>(what: string, question: () => Promise<T | undefined | false> | T | undefined | false, options: { limitMs?: number; onTimeout?: () => string } = {}): Promise<T> {
  const limitMs = options.limitMs ?? LIMITS.waitMs;
  const untilMs = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < untilMs) {
    try {
      const answer = await question();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, LIMITS.pollMs));
  }
  const detail = [last instanceof Error ? last.message : '', options.onTimeout?.() ?? ''].filter(Boolean).join('\n');
  throw new Error(`waited ${limitMs / 1000} s for ${what}${detail ? `:\n${detail}` : ''}`);
}
