/** The files of a cluster besides its objects: keys and certificates, readable by their owner only. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, createLeaf, isExpiring, type KeyPair } from '#embedded/apiserver';

const SECRET_MODE = 0o600;
const SERVER_NAMES = ['localhost', '127.0.0.1', '::1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', '10.96.0.1'];

export class ClusterFiles {
  readonly #directory: string | undefined;
  readonly #memory = new Map<string, string>();

  /** Without a directory everything stays in memory. */
  constructor(directory: string | undefined) {
    this.#directory = directory;
  }

  read(name: string): string | undefined {
    if (!this.#directory) return this.#memory.get(name);
    const path = join(this.#directory, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** Replaces a file as a whole, so that a crash leaves the old or the new one. */
  write(name: string, content: string): void {
    if (!this.#directory) return void this.#memory.set(name, content);
    const path = join(this.#directory, name);
    writeFileSync(`${path}.new`, content, { mode: SECRET_MODE });
    renameSync(`${path}.new`, path);
  }

  /** The content of a file, made up the first time. */
  keep(name: string, make: () => string): string {
    const existing = this.read(name);
    if (existing !== undefined) return existing;
    const content = make();
    this.write(name, content);
    return content;
  }

  async authority(nowMs: number): Promise<KeyPair> {
    const existing = this.#pair('ca');
    if (existing && !isExpiring(existing.certificate, nowMs)) return existing;
    return this.#keepPair('ca', await createAuthority('fleet-ts embedded cluster CA', nowMs));
  }

  async serverCertificate(authority: KeyPair, host: string, nowMs: number): Promise<KeyPair> {
    const names = [...new Set([...SERVER_NAMES, host])];
    const existing = this.#pair('server');
    const current = this.read('server.ca') === authority.certificate && this.read('server.names') === names.join(',');
    if (existing && current && !isExpiring(existing.certificate, nowMs)) return existing;
    this.write('server.ca', authority.certificate);
    this.write('server.names', names.join(','));
    return this.#keepPair('server', await createLeaf(authority, { commonName: 'kube-apiserver', hosts: names, nowMs }));
  }

  #pair(name: string): KeyPair | undefined {
    const certificate = this.read(`${name}.crt`);
    const key = this.read(`${name}.key`);
    return certificate && key ? { certificate, key } : undefined;
  }

  #keepPair(name: string, pair: KeyPair): KeyPair {
    this.write(`${name}.key`, pair.key);
    this.write(`${name}.crt`, pair.certificate);
    return pair;
  }
}
