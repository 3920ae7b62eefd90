/**
 * Command lines of the offline commands, read as Fleet's (cobra) reads them: flags anywhere, short forms,
 * `-l a=b,c=d` and `-l a=b -l c=d` alike.
 */
import { parseArgs } from 'node:util';

/** A command line that cannot be understood; the message says how it is written. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export type FlagSpec = Readonly<Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>>;

export interface Arguments {
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** `key=value` pairs of a repeatable flag. */
  pairs(name: string): Record<string, string>;
  positionals: readonly string[];
}

/** Throws a {@link UsageError} with the command's usage line. */
export function readArguments(args: readonly string[], options: FlagSpec, usage: string): Arguments {
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}\nusage: ${usage}`);
  }
  const { values, positionals } = parsed;
  return {
    positionals,
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    flag: (name) => values[name] === true,
    pairs: (name) => Object.fromEntries(((values[name] as string[] | undefined) ?? []).flatMap((text) => text.split(',')).map((text) => pairOf(text, name))),
  };
}

function pairOf(text: string, name: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`--${name} ${JSON.stringify(text)}: write key=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}
