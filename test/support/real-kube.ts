/**
 * A real kube-apiserver and etcd, started from a folder of binaries (`KUBEBUILDER_ASSETS`, the convention of
 * controller-runtime's envtest), and kube-controller-manager too when the folder has it. Everything they write lies in
 * one folder of the caller's; the administrator has a token. Used to hold tests and figures against the original.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const READY_MS = 60_000;
const POLL_MS = 200;
const STOP_MS = 15_000;
/** Of a log, when a server does not come up. */
const TAIL_CHARACTERS = 2000;

export interface RealKube {
  url: string;
  token: string;
  /** Path of the authority's certificate. */
  caFile: string;
  kubeconfig: string;
  /** The processes, by program; their CPU time can be read from them. */
  pids: Readonly<Record<string, number>>;
  hasControllers: boolean;
  stop(): Promise<void>;
}

/** What is wrong with the folder, or undefined. */
export function assetsProblem(assets: string | undefined): string | undefined {
  if (!assets) return 'set KUBEBUILDER_ASSETS to a folder with the programs kube-apiserver and etcd';
  const missing = ['kube-apiserver', 'etcd'].filter((name) => !existsSync(join(assets, name)));
  return missing.length > 0 ? `KUBEBUILDER_ASSETS: ${missing.join(' and ')} not found in ${assets}` : undefined;
}

export async function startRealKube(assets: string, folder: string): Promise<RealKube> {
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const token = randomBytes(16).toString('hex');
  const files = writeFiles(folder, token);
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const children = new Map<string, ChildProcess>();
  const start = (name: string, args: readonly string[]) => children.set(name, spawnLogged(join(assets, name), args, join(folder, `${name}.log`)));
  const stop = () => stopAll([...children.values()].reverse());
  const url = `https://127.0.0.1:${port}`;
  try {
    start('etcd', ['--data-dir', join(folder, 'etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd, '--listen-peer-urls', `http://127.0.0.1:${peerPort}`, '--initial-cluster', `default=http://127.0.0.1:${peerPort}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peerPort}`]);
    start('kube-apiserver', apiserverArgs({ etcd, port, folder, files }));
    const caFile = join(folder, 'certs', 'apiserver.crt');
    await waitReady({ url, token, caFile, children, folder });
    const kubeconfig = kubeconfigText(url, token, readFileSync(caFile, 'utf8'));
    const hasControllers = existsSync(join(assets, 'kube-controller-manager'));
    if (hasControllers) {
      writeFileSync(join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 });
      start('kube-controller-manager', ['--kubeconfig', join(folder, 'kubeconfig'), '--use-service-account-credentials=false', '--service-account-private-key-file', files.key, '--root-ca-file', caFile, '--leader-elect=false', '--secure-port=0']);
    }
    const pids = Object.fromEntries([...children].map(([name, child]) => [name, child.pid ?? 0]));
    return { url, token, caFile, kubeconfig, pids, hasControllers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Files {
  tokens: string;
  key: string;
  publicKey: string;
}

function writeFiles(folder: string, token: string): Files {
  mkdirSync(join(folder, 'certs'), { recursive: true });
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const files = { tokens: join(folder, 'tokens.csv'), key: join(folder, 'sa.key'), publicKey: join(folder, 'sa.pub') };
  writeFileSync(files.tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  writeFileSync(files.key, pair.privateKey, { mode: 0o600 });
  writeFileSync(files.publicKey, pair.publicKey);
  return files;
}

/** As the recordings were made: RBAC, anonymous requests, the same issuer and service addresses. */
function apiserverArgs({ etcd, port, folder, files }: { etcd: string; port: number; folder: string; files: Files }): string[] {
  return [
    `--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`, `--cert-dir=${join(folder, 'certs')}`,
    `--token-auth-file=${files.tokens}`, '--authorization-mode=Node,RBAC', '--anonymous-auth=true', '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${files.publicKey}`, `--service-account-signing-key-file=${files.key}`,
  ];
}

function spawnLogged(program: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(program, args, { stdio: ['ignore', log, log] });
    // A program that cannot be started is seen by its exit code, which stays null, and by its log.
    child.on('error', (error) => writeFileSync(logFile, `${error.message}\n`, { flag: 'a' }));
    return child;
  } finally {
    closeSync(log);
  }
}

interface Waiting {
  url: string;
  token: string;
  caFile: string;
  children: ReadonlyMap<string, ChildProcess>;
  folder: string;
}

async function waitReady({ url, token, caFile, children, folder }: Waiting): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const ended = [...children].find(([, child]) => child.pid === undefined || child.exitCode !== null || child.signalCode !== null);
    if (ended || performance.now() > deadline) {
      const name = ended?.[0] ?? 'kube-apiserver';
      throw new Error(`${name} ${ended ? 'ended' : `was not ready after ${READY_MS} ms`}: ${readFileSync(join(folder, `${name}.log`), 'utf8').slice(-TAIL_CHARACTERS)}`);
    }
    if (existsSync(caFile) && (await isReady(url, token, readFileSync(caFile, 'utf8')))) return;
    await delay(POLL_MS);
  }
}

function isReady(url: string, token: string, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(`${url}/readyz`, { ca, headers: { authorization: `Bearer ${token}` }, timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.on('timeout', () => call.destroy());
    call.end();
  });
}

async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function kubeconfigText(server: string, token: string, ca: string): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'admin' } }],
    users: [{ name: 'admin', user: { token } }],
  });
}
