/**
 * Where in a YAML text a field stands, for messages. A scanner of indentation, good for block style as
 * people write fleet.yaml; inside flow style (`{a: 1}`) it answers with the line of the enclosing field.
 *
 * Absent: parsing. A wrong line would mislead, so that every step only moves inside the block found so far.
 */

/** Keys stand at the beginning of a line; the rest of a long one is not looked at. */
const LINE_MAX = 500;

type Path = readonly (string | number)[];

interface Line {
  number: number;
  indent: number;
  text: string;
}

/** 1-based line of the deepest part of `path` that is found; 1 when nothing is. */
export function lineOf(text: string, path: Path): number {
  let block = significantLines(text);
  let found = block[0]?.number ?? 1;
  for (const step of path) {
    const next = typeof step === 'number' ? itemBlock(block, step) : memberBlock(block, step);
    if (!next) return found;
    found = next.line;
    block = next.block;
  }
  return found;
}

function significantLines(text: string): Line[] {
  return text
    .split('\n')
    .map((raw, index) => ({ number: index + 1, indent: raw.length - raw.trimStart().length, text: raw.trim().slice(0, LINE_MAX) }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#') && line.text !== '---');
}

interface Found {
  line: number;
  block: Line[];
}

/** The member `key` of the mapping that is `block`. */
function memberBlock(block: readonly Line[], key: string): Found | undefined {
  const indent = block[0]?.indent;
  if (indent === undefined) return undefined;
  const at = block.findIndex((line) => line.indent === indent && keyOf(line.text)?.toLowerCase() === key.toLowerCase());
  if (at < 0) return undefined;
  const end = block.findIndex((line, index) => index > at && (line.indent < indent || (line.indent === indent && !line.text.startsWith('-'))));
  return { line: (block[at] as Line).number, block: block.slice(at + 1, end < 0 ? undefined : end) };
}

function keyOf(text: string): string | undefined {
  const match = /^(?:"([^"]*)"|'([^']*)'|([^\s'"{[#][^:#]*?))\s*:(?:\s|$)/.exec(text);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}

/** Item `index` of the sequence that is `block`; its dash becomes indentation. */
function itemBlock(block: readonly Line[], index: number): Found | undefined {
  const indent = block[0]?.indent;
  const starts = block.flatMap((line, at) => (line.indent === indent && /^-(\s|$)/.test(line.text) ? [at] : []));
  const start = starts[index];
  if (start === undefined) return undefined;
  const first = block[start] as Line;
  const body = block.slice(start + 1, starts[index + 1]);
  const content = first.text.slice(1);
  const inner = content.trim() === '' ? [] : [{ number: first.number, indent: first.indent + 1 + (content.length - content.trimStart().length), text: content.trim() }];
  return { line: first.number, block: [...inner, ...body] };
}
