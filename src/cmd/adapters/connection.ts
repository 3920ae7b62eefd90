/** Where the API server is and who we are: a kubeconfig file, or the service account of our pod. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '#base/clock';
import { type Client, type Connection, createClient, createTransport, inClusterConnection, parseKubeconfig } from '#kube/client';

const run = promisify(execFile);
const ACCOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';
const LIMITS = { execPluginMs: 60_000 };

/** Throws an `Error` that says what is missing. */
export function processConnection(kubeconfig: string | undefined, env: NodeJS.ProcessEnv): Connection {
  const file = kubeconfig || env.KUBECONFIG;
  if (file) return readKubeconfig(file);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) throw new Error('no API server: pass --kubeconfig FILE, set KUBECONFIG, or run in a pod');
  // The embedded kubelet cannot mount into a process; it says where the pod's file system begins.
  const folder = join(env.FLEET_TS_ROOT || '/', ACCOUNT);
  return inClusterConnection({
    host,
    port,
    ca: readFileSync(join(folder, 'ca.crt'), 'utf8'),
    tokenFile: join(folder, 'token'),
    namespace: readFileSync(join(folder, 'namespace'), 'utf8').trim(),
  });
}

export function readKubeconfig(file: string): Connection {
  try {
    return parseKubeconfig(readFileSync(file, 'utf8'), { readFile: (path: string) => readFileSync(path, 'utf8'), baseDir: dirname(resolve(file)) });
  } catch (error) {
    throw new Error(`kubeconfig ${file} cannot be used`, { cause: error });
  }
}

/** A client with the system's clock; opens nothing before the first request. */
export function connect(connection: Connection, component: string, token?: () => string): Client {
  const transport = createTransport(connection, {
    clock: systemClock,
    readFile: (path) => (token ? Promise.resolve(token()) : readFile(path, 'utf8')),
    run: async (command, args, env) => (await run(command, [...args], { env: { ...process.env, ...env }, timeout: LIMITS.execPluginMs })).stdout,
  });
  return createClient(transport, { userAgent: `fleet-ts/${component}` });
}
