/**
 * The `Authorization` header of a connection, kept fresh: token files are re-read once a minute and after
 * a 401, exec plugins run again when their credential expires.
 * Rule: kubernetes.io "client-go credential plugins" (ExecCredential), bound service-account tokens.
 *
 * Absent: client certificates from exec plugins (the TLS session is made before requests are).
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Clock } from '#base/clock';
import { base64Encode } from '#base/hash';
import { getPath } from '#base/json';
import type { Auth } from './connection.ts';

/** How long a token read from a file is used before the file is read again. */
const TOKEN_FILE_MAX_AGE_MS = 60_000;
/** An exec credential is replaced this long before it expires. */
const EXEC_EXPIRY_MARGIN_MS = 30_000;
const EXEC_TIMEOUT_MS = 30_000;

export interface Authorizer {
  /** The header's value, or `undefined` for anonymous or certificate access. */
  header(): Promise<string | undefined>;
  /** Forgets what is cached; call after a 401. Resolves to whether a new attempt can differ. */
  refresh(): Promise<boolean>;
}

/** What an authorizer needs from the machine; the defaults read real files and run real plugins. */
export interface AuthCapabilities {
  clock: Clock;
  readFile?: (path: string) => Promise<string>;
  /** Runs an exec plugin and resolves to its standard output. */
  run?: (command: string, args: readonly string[], env: Readonly<Record<string, string>>) => Promise<string>;
}

export function createAuthorizer(auth: Auth, capabilities: AuthCapabilities): Authorizer {
  switch (auth.kind) {
    case 'none':
      return constant(undefined);
    case 'token':
      return constant(`Bearer ${auth.token}`);
    case 'basic':
      return constant(`Basic ${base64Encode(`${auth.username}:${auth.password}`)}`);
    case 'tokenFile':
      return cached(capabilities.clock, async () => {
        const token = (await (capabilities.readFile ?? readText)(auth.path)).trim();
        return { value: `Bearer ${token}`, maxAgeMs: TOKEN_FILE_MAX_AGE_MS };
      });
    case 'exec':
      return cached(capabilities.clock, () => execCredential(auth, capabilities));
  }
}

function constant(value: string | undefined): Authorizer {
  return { header: () => Promise.resolve(value), refresh: () => Promise.resolve(false) };
}

interface Fresh {
  value: string;
  maxAgeMs: number;
}

/** One read at a time; a failed re-read keeps the old value in use, since it may still be accepted. */
function cached(clock: Clock, read: () => Promise<Fresh>): Authorizer {
  let current: { value: string; untilMs: number } | undefined;
  let reading: Promise<string> | undefined;
  const renew = () => {
    reading ??= read()
      .then(({ value, maxAgeMs }) => {
        current = { value, untilMs: clock.monotonicMs() + maxAgeMs };
        return value;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  return {
    async header() {
      if (current && clock.monotonicMs() < current.untilMs) return current.value;
      const stale = current;
      return stale ? renew().catch(() => stale.value) : renew();
    },
    async refresh() {
      const before = current?.value;
      const after = await renew().catch(() => before);
      return after !== undefined && after !== before;
    },
  };
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

async function execCredential(auth: Extract<Auth, { kind: 'exec' }>, { clock, run = runPlugin }: AuthCapabilities): Promise<Fresh> {
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion: auth.apiVersion, spec: { interactive: false } });
  const output = await run(auth.command, auth.args, { ...auth.env, KUBERNETES_EXEC_INFO: info });
  const credential: unknown = JSON.parse(output);
  const token = getPath(credential, 'status', 'token');
  if (typeof token !== 'string') throw new Error(`exec plugin ${auth.command}: no status.token in its output`);
  const expiry = getPath(credential, 'status', 'expirationTimestamp');
  const leftMs = typeof expiry === 'string' ? Date.parse(expiry) - clock.wallMs() - EXEC_EXPIRY_MARGIN_MS : Number.POSITIVE_INFINITY;
  return { value: `Bearer ${token}`, maxAgeMs: Math.max(0, leftMs) };
}

function runPlugin(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    // PATH and HOME reach the plugin because `cmd` puts them into the kubeconfig's exec env; nothing else of ours does.
    execFile(command, [...args], { env: { ...env }, timeout: EXEC_TIMEOUT_MS, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error) reject(new Error(`exec plugin ${command}: failed`, { cause: error }));
      else resolve(stdout);
    });
  });
}
