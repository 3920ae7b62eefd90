/** Inputs and results of kustomize builds, as plain data. */

/** Files by path relative to a common root, with `/`; no path leaves the root. */
export type KustomizeFiles = ReadonlyMap<string, Uint8Array>;
export type KubeManifest = Record<string, unknown>;
/** Order of the result where a kustomization sets none. */
export type BuildOrder = 'legacy' | 'fifo';

/** A kustomization that cannot be built; the message names the field and the file. */
export class KustomizeError extends Error {
  override name = 'KustomizeError';
  readonly file: string | undefined;
  constructor(message: string, file?: string, options?: ErrorOptions) {
    super(file ? `${file}: ${message}` : message, options);
    this.file = file;
  }
}
