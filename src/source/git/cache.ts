/** The bare repository in which fetched commits of one remote lie. Losing it costs one fetch. */
import type { Operation } from './client.ts';
import { CACHE_PACKS_MAX, type GitOptions } from './types.ts';

export interface Cache {
  dir: string;
  /** Makes it ready: exists, no stale locks, not overgrown. */
  open(operation: Operation): Promise<void>;
  /** Whether the commit can be read without the remote. */
  has(operation: Operation, commit: string): Promise<boolean>;
  discard(): Promise<void>;
}

/** `key` stands for remote and credentials: what one credential fetched, another must not read. */
export function cacheFor({ cacheDir, files }: GitOptions, key: string): Cache {
  const dir = `${cacheDir}/${key.slice(0, 40)}.git`;
  const discard = () => files.remove(dir);
  return {
    dir,
    discard,
    async open(operation) {
      if ((await files.findBySuffix(`${dir}/objects`, '.pack')).length > CACHE_PACKS_MAX) await discard();
      for (const lock of await files.findBySuffix(dir, '.lock')) await files.remove(lock);
      // `git init` on an existing repository completes what a killed one left out, and harms nothing.
      await operation.git(['init', '--quiet', '--bare', '--template=', dir]);
      const { code } = await operation.git(['rev-parse', '--is-bare-repository'], { cache: dir, tolerate: true });
      if (code === 0) return;
      await discard();
      await operation.git(['init', '--quiet', '--bare', '--template=', dir]);
    },
    async has(operation, commit) {
      const { code } = await operation.git(['cat-file', '-e', `${commit}^{tree}`], { cache: dir, tolerate: true });
      return code === 0;
    },
  };
}
