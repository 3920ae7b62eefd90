/** What went wrong, read from git's words (in the C locale) into a kind and a message that says what to do. */
import { GitError, type GitFailure, type GitOutput } from './types.ts';
import { shownText } from './url.ts';

/** Characters of git's own words that go into a message. */
const DETAIL_MAX = 400;

/** Characters of git's output that are looked at: its last words tell. */
const SCRUBBED_MAX = 4000;

const PATTERNS: readonly { pattern: RegExp; failure: GitFailure; advice: string }[] = [
  { pattern: /host key verification failed|no .* host key is known|remote host identification has changed/i, failure: 'host-key', advice: 'the host key is unknown or has changed: check known_hosts' },
  { pattern: /ssl certificate|certificate verif|self[- ]signed|unable to get local issuer|tls|gnutls|SSL_/i, failure: 'tls', advice: 'the certificate is not trusted: set caBundle' },
  { pattern: /authentication failed|could not read (username|password)|permission denied|invalid credentials|403|401|access denied/i, failure: 'authentication', advice: 'access was refused: check clientSecretName' },
  { pattern: /repository .*not found|does not appear to be a git repository|not a git repository|returned error: 404|could not read from remote/i, failure: 'not-found', advice: 'the repository was not found or is not readable: check repo and clientSecretName' },
  { pattern: /not our ref|couldn't find remote ref|no such ref|unadvertised object/i, failure: 'not-found', advice: 'the commit is not there (any more)' },
  { pattern: /transport .* not allowed/i, failure: 'refused', advice: 'the transport is not allowed' },
  { pattern: /could not resolve host|connection (refused|timed out|reset)|network is unreachable|no route to host|failed to connect|unexpectedly|early eof|timed out/i, failure: 'network', advice: 'the host cannot be reached' },
];

/** The error for a failed run; `what` names operation and repository. */
export function failureOf(what: string, output: GitOutput, secrets: readonly string[]): GitError {
  if (output.killed === 'timeout') return new GitError('timeout', `${what}: no end in time: check the host, or raise gitClientTimeout`);
  if (output.killed === 'output') return new GitError('too-large', `${what}: more data than the limit: use a smaller repository or leave files out`);
  if (output.killed === 'aborted') return new GitError('failed', `${what}: stopped`);
  const detail = scrub(output.stderr, secrets);
  const known = PATTERNS.find(({ pattern }) => pattern.test(detail));
  const text = `${what}: ${known ? `${known.advice} (${detail})` : detail || `exit code ${output.code}`}`;
  return new GitError(known?.failure ?? 'failed', text);
}

/** The last words of git on one line, without credentials. */
function scrub(text: string, secrets: readonly string[]): string {
  let clean = shownText(text.slice(-SCRUBBED_MAX));
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  const lines = clean.split('\n').map((line) => line.replace(/^(fatal|error|remote): /, '').trim());
  return lines.filter((line) => line !== '').slice(-3).join('; ').slice(-DETAIL_MAX);
}
