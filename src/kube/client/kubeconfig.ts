/**
 * Kubeconfig files (`v1` Config) to a {@link Connection}. Pure: file references are read through a
 * function that is passed in, so that tests need no disk and `cmd` decides what may be read.
 * Rule: kubernetes.io "Organizing Cluster Access Using kubeconfig Files"; inline data wins over files.
 *
 * Absent: merging of several files, auth-provider plugins (removed from kubectl in 1.26), proxies.
 */
import { base64Decode, utf8Text } from '#base/hash';
import { getPath, isRecord } from '#base/json';
import { load } from 'js-yaml';
import type { Auth, Connection } from './transport/index.ts';

export interface KubeconfigOptions {
  /** Default: `current-context`. */
  context?: string;
  /** Reads a referenced file; relative paths have been joined to `baseDir` before. */
  readFile?: (path: string) => string;
  /** Folder of the kubeconfig; its relative references start here. */
  baseDir?: string;
}

/** Throws an `Error` that names the missing or wrong part. */
export function parseKubeconfig(text: string, options: KubeconfigOptions = {}): Connection {
  const config = load(text);
  if (!isRecord(config)) throw new Error('kubeconfig: not a YAML mapping');
  const contextName = options.context ?? asText(config['current-context']);
  if (!contextName) throw new Error('kubeconfig: no current-context: set one or name a context');
  const context = named(config, 'contexts', contextName, 'context');
  const cluster = named(config, 'clusters', asText(context['cluster']) ?? '', 'cluster');
  const userName = asText(context['user']);
  const user = userName ? named(config, 'users', userName, 'user') : {};
  return connectionOf({ cluster, user, namespace: asText(context['namespace']), options });
}

type Section = Record<string, unknown>;

function connectionOf({ cluster, user, namespace, options }: { cluster: Section; user: Section; namespace: string | undefined; options: KubeconfigOptions }): Connection {
  const server = asText(cluster['server']);
  if (!server || !URL.canParse(server)) throw new Error(`kubeconfig: cluster.server ${JSON.stringify(server ?? '')} is not a URL`);
  if (cluster['proxy-url']) throw new Error('kubeconfig: cluster.proxy-url is not supported: give the server a direct route');
  const ca = material(cluster, 'certificate-authority', options);
  const cert = material(user, 'client-certificate', options);
  const key = material(user, 'client-key', options);
  const tlsServerName = asText(cluster['tls-server-name']);
  return {
    server: server.replace(/\/+$/, ''),
    ...(ca === undefined ? {} : { ca }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(tlsServerName ? { tlsServerName } : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    auth: authOf(user, options),
    ...(namespace ? { namespace } : {}),
  };
}

function authOf(user: Section, options: KubeconfigOptions): Auth {
  const tokenFile = asText(user['tokenFile']);
  const token = asText(user['token']);
  const username = asText(user['username']);
  const exec = user['exec'];
  if (tokenFile) return { kind: 'tokenFile', path: resolvePath(tokenFile, options.baseDir) };
  if (token) return { kind: 'token', token };
  if (username) return { kind: 'basic', username, password: asText(user['password']) ?? '' };
  if (isRecord(exec)) return execOf(exec, options);
  if (user['auth-provider']) throw new Error('kubeconfig: user.auth-provider was removed from Kubernetes: use an exec plugin');
  return { kind: 'none' };
}

function execOf(exec: Section, options: KubeconfigOptions): Auth {
  const command = asText(exec['command']);
  if (!command) throw new Error('kubeconfig: user.exec.command is missing');
  const env: Record<string, string> = {};
  for (const entry of Array.isArray(exec['env']) ? exec['env'] : []) {
    const name = asText(getPath(entry, 'name'));
    if (name) env[name] = asText(getPath(entry, 'value')) ?? '';
  }
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : [];
  // As kubectl: a command with a slash is relative to the kubeconfig, a bare one is looked up on the PATH.
  const resolved = command.includes('/') ? resolvePath(command, options.baseDir) : command;
  return { kind: 'exec', command: resolved, args, env, apiVersion: asText(exec['apiVersion']) ?? 'client.authentication.k8s.io/v1' };
}

/** PEM text of `<name>-data` (base64) or of the file `<name>`. */
function material(section: Section, name: string, options: KubeconfigOptions): string | undefined {
  const data = asText(section[`${name}-data`]);
  if (data) return utf8Text(base64Decode(data));
  const path = asText(section[name]);
  if (!path) return undefined;
  if (!options.readFile) throw new Error(`kubeconfig: ${name} refers to a file: put its contents into ${name}-data`);
  return options.readFile(resolvePath(path, options.baseDir));
}

function resolvePath(path: string, baseDir: string | undefined): string {
  return path.startsWith('/') || !baseDir ? path : `${baseDir.replace(/\/+$/, '')}/${path}`;
}

function named(config: Section, list: string, name: string, field: string): Section {
  const entries = Array.isArray(config[list]) ? config[list] : [];
  const entry = entries.find((candidate) => isRecord(candidate) && candidate['name'] === name) as Section | undefined;
  const body = entry?.[field];
  if (!entry) throw new Error(`kubeconfig: ${field} ${JSON.stringify(name)} is not in ${list}`);
  return isRecord(body) ? body : {};
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
