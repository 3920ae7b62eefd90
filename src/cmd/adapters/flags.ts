/** Flags of the server binaries: `--name value` or `--name=value`, as controller binaries take them. */

export class FlagError extends Error {
  override name = 'FlagError';
}

export interface ParsedFlags {
  flags: Readonly<Record<string, string>>;
  words: readonly string[];
}

/** Throws {@link FlagError} for a flag that is not in `known` (names without dashes). Flags without a value are `true`. */
export function parseFlags(args: readonly string[], known: readonly string[]): ParsedFlags {
  const flags: Record<string, string> = {};
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as string;
    const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(argument);
    if (!match) {
      words.push(argument);
      continue;
    }
    const [, name = '', inline] = match;
    if (!known.includes(name)) throw new FlagError(`unknown flag --${name}; known: ${known.map((flag) => `--${flag}`).join(', ')}`);
    const next = args[index + 1];
    if (inline !== undefined) flags[name] = inline;
    else if (next === undefined || next.startsWith('--')) flags[name] = 'true';
    else {
      flags[name] = next;
      index++;
    }
  }
  return { flags, words };
}
