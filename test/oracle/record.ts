/**
 * What the binaries said, kept compactly: one JSON array a line, case and either text or a hash of it, or
 * `null` for a refusal. Replayed by `npm test` without any binary.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

export type Outcome = { text: string } | { error: string };
export type Recorded = [title: string, outcome: Outcome];

/** Texts longer than this are kept as a hash. */
const TEXT_MAX = 300;

export function recordPath(name: string): string {
  return new URL(`recorded/${name}.jsonl`, import.meta.url).pathname;
}

export function digest(text: string): string {
  return text.length <= TEXT_MAX ? `=${text}` : `#${createHash('sha256').update(text).digest('hex').slice(0, 20)}`;
}

export function encodeRecord(records: readonly Recorded[]): string {
  return `${records.map(([title, outcome]) => JSON.stringify([title, 'text' in outcome ? digest(outcome.text) : null])).join('\n')}\n`;
}

/** Title and digest (`null`: refused) of every recorded case. */
export function readRecord(name: string): Map<string, string | null> {
  const path = recordPath(name);
  if (!existsSync(path)) return new Map();
  return new Map(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as [string, string | null]),
  );
}

/** Does our outcome agree with the recorded one? */
export function agrees(recorded: string | null, ours: Outcome): boolean {
  return recorded === null ? 'error' in ours : 'text' in ours && digest(ours.text) === recorded;
}
