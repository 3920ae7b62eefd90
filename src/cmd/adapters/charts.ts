/** The charts that ship with the binaries, read from the folder beside them. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChartFiles } from '#render/chart';

/** Files of one of our charts by path. Throws an `Error` naming the folder when it is missing. */
export function readOwnChart(name: 'fleet' | 'fleet-crd' | 'fleet-agent'): ChartFiles {
  const candidates = [join(import.meta.dirname, 'charts', name), join(import.meta.dirname, '..', '..', '..', 'charts', name)];
  const folder = candidates.find((path) => existsSync(join(path, 'Chart.yaml')));
  if (!folder) throw new Error(`chart ${name}: not found beside the program (${candidates[0]})`);
  return readFolder(folder);
}

/** Every file below a folder by relative path. */
export function readFolder(folder: string): Map<string, Uint8Array> {
  const entries = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry): [string, Uint8Array] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path)];
    }),
  );
}
