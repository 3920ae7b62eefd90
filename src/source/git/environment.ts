/**
 * The environment git runs in: nothing of the user's or the machine's configuration, no prompts, only
 * allowed transports, credentials by askpass and by files that live as long as one operation. Nothing
 * secret stands on a command line, where every process of the machine could read it.
 */
import { GitError, type GitCredentials, type GitOptions } from './types.ts';
import type { Remote } from './url.ts';

export interface Session {
  env: Record<string, string>;
  /** `-c key=value` arguments that go before the git command. */
  config: string[];
  /** Removes the files of this session. */
  close(): Promise<void>;
}

/** Folder below the cacheDir for what lives as long as one operation. */
export const SESSIONS = 'sessions';

const ASKPASS = '#!/bin/sh\ncase "$1" in\nUsername*) printf %s "$FLEET_GIT_USERNAME" ;;\n*) printf %s "$FLEET_GIT_PASSWORD" ;;\nesac\n';

/** Prepares one operation against `remote`. `id` names its folder for credentials. */
export async function openSession(options: GitOptions, remote: Remote, credentials: GitCredentials, id: string): Promise<Session> {
  const dir = `${options.cacheDir}/${SESSIONS}/${id}`;
  let used = false;
  const file = async (name: string, text: string, executable = false) => {
    if (!used) await options.files.makeDir(dir);
    used = true;
    await options.files.writePrivate(`${dir}/${name}`, text, executable);
    return `${dir}/${name}`;
  };
  const session: Session = { env: baseEnvironment(options, remote), config: [...SAFE_CONFIG], close: async () => (used ? options.files.remove(dir) : undefined) };
  try {
    if (remote.transport === 'ssh') await useSsh(session, credentials, file);
    if (remote.transport === 'https' || remote.transport === 'http') await useHttp(session, remote, credentials, file);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

type WriteFile = (name: string, text: string, executable?: boolean) => Promise<string>;

/** Hooks, monitors and automatic housekeeping would run code or processes of their own. */
const SAFE_CONFIG = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'gc.auto=0', 'maintenance.auto=false', 'protocol.version=2', 'http.followRedirects=initial', 'credential.helper=', 'submodule.recurse=false', 'fetch.fsckObjects=false'];

function baseEnvironment(options: GitOptions, remote: Remote): Record<string, string> {
  return {
    ...options.env,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: remote.transport === 'http' ? 'http:https' : remote.transport,
    // Messages are recognised by their text.
    LC_ALL: 'C',
    HOME: options.cacheDir,
  };
}

async function useHttp(session: Session, remote: Remote, credentials: GitCredentials, file: WriteFile): Promise<void> {
  const username = credentials.username ?? remote.username ?? '';
  const password = credentials.password ?? remote.password ?? '';
  if (username || password) {
    session.env.GIT_ASKPASS = await file('askpass', ASKPASS, true);
    session.env.FLEET_GIT_USERNAME = username;
    session.env.FLEET_GIT_PASSWORD = password;
  }
  if (credentials.caBundle) session.env.GIT_SSL_CAINFO = await file('ca.pem', credentials.caBundle);
  if (credentials.insecureSkipTLSVerify) session.env.GIT_SSL_NO_VERIFY = 'true';
}

async function useSsh(session: Session, credentials: GitCredentials, file: WriteFile): Promise<void> {
  if (!credentials.knownHosts && !credentials.insecureSkipHostKey) {
    throw new GitError('host-key', 'git over ssh: no known_hosts for the host: put them into the secret or the known-hosts ConfigMap');
  }
  const key = credentials.sshPrivateKey ? await file('key', `${credentials.sshPrivateKey.trimEnd()}\n`) : undefined;
  const hosts = await file('known_hosts', credentials.knownHosts ?? '');
  const strict = credentials.knownHosts ? 'yes' : 'no';
  const options = ['BatchMode=yes', `StrictHostKeyChecking=${strict}`, `UserKnownHostsFile=${hosts}`, 'GlobalKnownHostsFile=/dev/null', 'IdentitiesOnly=yes', 'IdentityAgent=none', 'ConnectTimeout=20', 'PermitLocalCommand=no', 'ForwardAgent=no'];
  const quoted = options.map((option) => `-o ${quote(option)}`).join(' ');
  session.env.GIT_SSH_COMMAND = `ssh -F /dev/null ${quoted}${key ? ` -i ${quote(key)}` : ''}`;
  session.env.GIT_SSH_VARIANT = 'ssh';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
