/**
 * Charts in the manner of the large public catalogues, written for this corpus: one text file each in stress/.
 * A section `-- path --` is a file; `-- @values NAME --` is one case with these user values, and
 * a line `# flags: …` in them adds flags. Text before the first section is a comment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { ChartCase } from './charts.ts';

const FOLDER = new URL('stress/', import.meta.url);
const SECTION = /^-- (\S.*?) --\n/m;

/** Escapes that keep odd bytes visible in the text files: a carriage return and a byte order mark. */
function unescape(text: string): string {
  return text.replaceAll('␍', '\r').replaceAll('⟨BOM⟩', '\ufeff');
}

function readCases(file: string): ChartCase[] {
  const [, ...parts] = readFileSync(new URL(file, FOLDER), 'utf8').split(SECTION);
  const files: Record<string, string> = {};
  const cases: [name: string, values: string][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const title = parts[i] as string;
    const text = unescape(parts[i + 1] as string);
    if (title.startsWith('@values ')) cases.push([title.slice(8), text]);
    else files[title] = text;
  }
  const name = file.replace(/\.txt$/, '');
  return cases.map(([variant, values]) => {
    const flags = /^# flags: (.*)$/m.exec(values)?.[1]?.split(' ');
    return { name: `${name}: ${variant}`, files, values, ...(flags ? { flags } : {}) };
  });
}

export const STRESS: readonly ChartCase[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.txt'))
  .sort()
  .flatMap(readCases);
