/**
 * Names derived from paths and repositories, equal to those Fleet derives, so that an existing
 * installation keeps its Bundles and releases. Source of the rules: Fleet, package internal/names.
 */
import { md5Hex, sha256Hex } from '#base/hash';

/** Helm allows release names of this length. */
export const RELEASE_NAME_MAX = 53;
const ALTERED_SUFFIX = 8;
const LIMIT_SUFFIX = 5;
const FALLBACK_LENGTH = 24;
/** Names below this length are labels (RFC 1123). */
const LABEL_LENGTH = 64;

/** The text cut to `max` characters, with a hash of the whole when anything was cut. */
export function limitName(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = max - LIMIT_SUFFIX - 1;
  if (kept <= 0) return text.slice(0, max);
  const head = text.slice(0, kept);
  return `${head}${head.endsWith('-') ? '' : '-'}${md5Hex(text).slice(0, LIMIT_SUFFIX)}`;
}

/**
 * The name of the bundle found at `path` of a repository: lower case, `/` becomes `-`, a hash where
 * characters had to change (two paths never get one name because of that), 53 characters at most.
 */
export function bundleName(path: string): string {
  const dashed = path.replaceAll('/', '-');
  const altered = /[^a-z0-9-]/.test(dashed);
  const unique = altered ? `${dashed}-${md5Hex(dashed).slice(0, ALTERED_SUFFIX)}` : dashed;
  const clean = unique
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/-+/g, '-')
    .replace(/^-|-$/g, '');
  return clean === '' ? md5Hex(path).slice(0, FALLBACK_LENGTH) : limitName(clean, RELEASE_NAME_MAX);
}

/** Parts joined by `-`, cut with a hash to fit a label: names of cluster namespaces, set ids, image scans. */
export function safeConcatName(...parts: readonly string[]): string {
  const full = parts.join('-');
  if (full.length < LABEL_LENGTH) return full;
  const digest = sha256Hex(full);
  return /[a-z0-9]/.test(full[56] ?? '') ? `${full.slice(0, 57)}-${digest.slice(0, 5)}` : `${full.slice(0, 56)}-${digest.slice(0, 6)}`;
}

/** Folder inside the bundle for a chart that is fetched from elsewhere. */
export function chartKey({ chart = '', repo = '', version = '' }: { chart?: string; repo?: string; version?: string }): string {
  return `.chart/${sha256Hex(`${chart}:${repo}:${version}`)}`;
}

/**
 * The folder of a bundle's files where a deployment's fetched chart lies: the key's own, or one below it, as
 * archives have it. `undefined` when the bundle holds no such chart.
 */
export function chartFolder(files: ReadonlyMap<string, unknown>, helm: { chart?: string; repo?: string; version?: string } | undefined): string | undefined {
  if (!helm?.chart && !helm?.repo) return undefined;
  const key = chartKey(helm);
  const found = [...files.keys()].find((path) => path.startsWith(`${key}/`) && /^([^/]+\/)?Chart\.yaml$/.test(path.slice(key.length + 1)));
  return found?.replace(/\/Chart\.yaml$/, '');
}
