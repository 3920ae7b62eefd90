/**
 * Structured logging: a constant message plus fields, never values formatted into the message.
 * The implementation is passed in by `cmd` (JSON lines to standard error); {@link silentLog} serves tests.
 * Secrets must not be passed as fields; see `redact` in `#base/hash` for fingerprints of them.
 */

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  with(fields: LogFields): Log;
}

/** Drops everything. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

/** One line of text for an unknown thrown value, with its causes; never a stack. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${errorText(error.cause)}`;
  return `${error.message}${cause}`;
}
