/** Kustomizations compared with the real binary. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildKustomization } from '../../src/render/kustomize/index.ts';
import { dumpYaml } from '../../src/render/rawyaml/index.ts';
import { run } from './binaries.ts';
import type { KustomizeCase } from './cases/kustomizations.ts';

export type KustomizeResult = { text: string } | { error: string };

export function ours({ files, dir }: KustomizeCase): KustomizeResult {
  try {
    const bytes = new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
    return { text: buildKustomization(bytes, dir ?? '.').map((object) => dumpYaml(object)).join('---\n') };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: `${error.name}: ${error.message}` };
  }
}

export function theirs(kubectl: string, { files, dir }: KustomizeCase): KustomizeResult {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const outcome = run(kubectl, ['kustomize', join(folder, dir ?? '.')]);
    return outcome.text === undefined ? { error: outcome.error.replaceAll(folder, '') } : { text: outcome.text };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
