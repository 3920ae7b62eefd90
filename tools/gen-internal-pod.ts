/**
 * Writes `src/api/builtin/internal-pod.generated.json`: how the server's own form of a PodSpec spells its
 * fields. The only place where clients see it is the difference at the end of a refused pod update.
 *
 *     node tools/gen-internal-pod.ts MODULES VERSION     # as gen-builtin-schemas.ts
 *
 * Format: struct -> list of [Go name, name on the wire (empty when it has none of that name), type]; types are
 * Go's, without package: `*T`, `[]T`, `map[]T`, `T`; `+T` embeds the fields of T.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [modules, version] = process.argv.slice(2);
if (!modules || !version) throw new Error('usage: gen-internal-pod.ts MODULES VERSION');
const internal = readFileSync(join(modules, `kubernetes@v1.${version}/pkg/apis/core/types.go`), 'utf8');
const external = readFileSync(join(modules, `api@v0.${version}/core/v1/types.go`), 'utf8');

function structsOf(text: string): Map<string, string[]> {
  return new Map([...text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)].map((match) => [match[1] ?? '', (match[2] ?? '').split('\n')]));
}

const internals = structsOf(internal);
const externals = structsOf(external);
const scalars = new Map([...internal.matchAll(/^type (\w+) (string|int32|int64|bool)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
const maps = new Map([...internal.matchAll(/^type (\w+) map\[\w+\]([\w.]+)$/gm)].map((match) => [match[1] ?? '', `map[]${match[2]}`]));
const out: Record<string, [string, string, string][]> = {};

function wireNames(name: string): Map<string, string> {
  return new Map((externals.get(name) ?? []).flatMap((line) => {
    const match = /^\t(\w+)\s+.*json:"(\w+)/.exec(line);
    return match ? [[match[1] ?? '', match[2] ?? ''] as [string, string]] : [];
  }));
}

function typeOf(text: string): string {
  if (text.startsWith('*')) return `*${typeOf(text.slice(1))}`;
  if (text.startsWith('[]')) return `[]${typeOf(text.slice(2))}`;
  const map = /^map\[\w+\](.*)$/.exec(text);
  if (map) return `map[]${typeOf(map[1] ?? '')}`;
  const bare = text.slice(text.lastIndexOf('.') + 1);
  if (maps.has(bare)) return maps.get(bare)?.replace(/[\w]+\./, '') ?? bare;
  if (scalars.has(bare)) return scalars.get(bare) ?? bare;
  if (internals.has(bare)) visit(bare);
  return bare;
}

function visit(name: string): void {
  if (out[name]) return;
  const fields: [string, string, string][] = [];
  out[name] = fields;
  const wire = wireNames(name);
  for (const line of internals.get(name) ?? []) {
    const embedded = /^\t([A-Z]\w+)$/.exec(line.replace(/\s*\/\/.*$/, ''));
    const field = /^\t([A-Z]\w*)\s+([\w.*[\]]+)/.exec(line);
    if (embedded?.[1]) fields.push([embedded[1], '', `+${typeOf(embedded[1])}`]);
    else if (field) fields.push([field[1] ?? '', wire.get(field[1] ?? '') ?? '', typeOf(field[2] ?? '')]);
  }
}

visit('PodSpec');
const path = join(import.meta.dirname, '../src/api/builtin/internal-pod.generated.json');
writeFileSync(path, `{\n${Object.entries(out).map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`).join(',\n')}\n}\n`);
