/** What git needs from outside, and what it answers. Nothing here knows Kubernetes. */
import type { SourceTree } from '#base/sourcetree';

/** How to prove who we are and whom we trust. Secrets stay in memory, files of mode 0600 and the environment of git alone. */
export interface GitCredentials {
  username?: string;
  password?: string;
  /** PEM or OpenSSH private key, without passphrase. */
  sshPrivateKey?: string;
  /** Lines of known_hosts. Without them an ssh host is refused, unless {@link insecureSkipHostKey}. */
  knownHosts?: string;
  insecureSkipHostKey?: boolean;
  /** PEM. */
  caBundle?: string;
  insecureSkipTLSVerify?: boolean;
}

/** A branch (default `master`), or a revision (tag or commit), which wins. */
export interface GitRef {
  branch?: string;
  revision?: string;
}

export interface GitCommand {
  args: readonly string[];
  /** Added to the scrubbed environment. */
  env: Readonly<Record<string, string>>;
  /** Folder to run in. */
  cwd: string;
  /** Written to git's standard input, which is closed then. */
  stdin?: Uint8Array;
  /** Killed (SIGKILL to its process group) after that long. */
  timeoutMs: number;
  /** Killed when its output is longer; the result says so. */
  outputBytesMax: number;
  signal?: AbortSignal;
}

export interface GitOutput {
  /** Exit code; `null` when killed. */
  code: number | null;
  stdout: Uint8Array;
  /** Last part of the error output. */
  stderr: string;
  killed?: 'timeout' | 'output' | 'aborted';
}

/** Runs `git` with these arguments and no environment but the given one. Passed in; see `nodeGitRunner`. */
export type GitRunner = (command: GitCommand) => Promise<GitOutput>;

/** The few file operations a cache needs. */
export interface GitFiles {
  makeDir(path: string): Promise<void>;
  /** Removes a file or folder; absent is fine. */
  remove(path: string): Promise<void>;
  /** Writes a file readable by us alone. */
  writePrivate(path: string, text: string, executable?: boolean): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Paths of files below `dir` whose name ends with `suffix`, at most some thousands. */
  findBySuffix(dir: string, suffix: string): Promise<string[]>;
}

export interface GitLimits {
  /** Entries and bytes of one snapshot, unpacked. */
  entriesMax: number;
  bytesMax: number;
  /** For `ls-remote`. Source: Fleet's gitClientTimeout. */
  listTimeoutMs: number;
  /** For a fetch, and for an archive. */
  fetchTimeoutMs: number;
}

/** Entries: Fleet's number. Bytes: a snapshot lives in memory, so less than Fleet's 2 GiB on disk. */
export const GIT_LIMITS: GitLimits = { entriesMax: 100_000, bytesMax: 512 * 1024 ** 2, listTimeoutMs: 30_000, fetchTimeoutMs: 600_000 };

/** Submodules of submodules are followed this deep. */
export const SUBMODULE_DEPTH_MAX = 5;
/** Packs in a cache before it is fetched afresh, so that it does not grow for ever. */
export const CACHE_PACKS_MAX = 50;

export interface GitOptions {
  run: GitRunner;
  files: GitFiles;
  /** Folder for caches and, briefly, credentials; ours alone. */
  cacheDir: string;
  /** The environment git may see (PATH, proxies), already reduced by the caller. */
  env?: Readonly<Record<string, string>>;
  /** Also file paths and `file://` as repositories. Off where users choose URLs. */
  allowLocal?: boolean;
  limits?: Partial<GitLimits>;
}

/** Why git failed, for the caller's decision. */
export type GitFailure = 'refused' | 'not-found' | 'authentication' | 'host-key' | 'tls' | 'network' | 'timeout' | 'too-large' | 'unsupported' | 'failed';

/** A failed git operation. The message never contains credentials. */
export class GitError extends Error {
  override name = 'GitError';
  readonly failure: GitFailure;
  constructor(failure: GitFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

export interface Snapshot {
  commit: string;
  tree: SourceTree;
  /** Folders whose content came from submodules. */
  submodules: readonly string[];
}

/** One client for all repositories of a process. Safe to call concurrently; one repository's operations queue up. */
export interface GitClient {
  /** The commit a ref stands for now. Throws a {@link GitError}. */
  lsRemote(url: string, ref: GitRef, credentials?: GitCredentials, signal?: AbortSignal): Promise<string>;
  /** The files of a commit. Throws a {@link GitError}. */
  snapshot(url: string, commit: string, credentials?: GitCredentials, signal?: AbortSignal): Promise<Snapshot>;
}
