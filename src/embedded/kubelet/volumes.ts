/**
 * Volumes as folders. A process cannot have file systems mounted at its paths, so each container gets a
 * root folder in which every `mountPath` is a link to its volume; `FLEET_TS_ROOT` names that folder. What
 * a volume holds is decided purely ({@link volumeFiles}); writing is atomic per file.
 *
 * Absent: hostPath, claims and network volumes; they are empty folders.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import type { Container, KeyToPath, Pod, Volume } from '#api/builtin';
import { ContainerConfigError, podField, resourceField, type NodeFacts, type References } from './environment.ts';

/** A file of a volume: path inside it and content. */
export interface VolumeFile {
  path: string;
  data: string | Uint8Array;
}

/** A projected service-account token; `expirationSeconds` as asked. */
export interface TokenRequestFacts {
  audience: string | undefined;
  expirationSeconds: number;
  path: string;
}

export interface VolumeContext {
  pod: Pod;
  references: References;
  facts: NodeFacts;
  /** A valid token for the request; bound to the pod. */
  token(request: TokenRequestFacts): string;
}

const TOKEN_SECONDS_DEFAULT = 3600;

/** The tokens that a pod's volumes ask for. */
export function tokenRequests(pod: Pod): TokenRequestFacts[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => (volume.projected?.sources ?? []).flatMap((source) => (source.serviceAccountToken ? [tokenFacts(source.serviceAccountToken)] : [])));
}

function tokenFacts({ audience, expirationSeconds, path }: { audience?: string; expirationSeconds?: number; path: string }): TokenRequestFacts {
  return { audience, expirationSeconds: expirationSeconds ?? TOKEN_SECONDS_DEFAULT, path };
}

/** The files of a volume; `undefined` for volumes whose content is not ours to write. Throws for missing required objects. */
export function volumeFiles(volume: Volume, context: VolumeContext): VolumeFile[] | undefined {
  if (volume.secret) return secretFiles(context, { ...volume.secret, name: volume.secret.secretName ?? '' });
  if (volume.configMap) return configMapFiles(context, { ...volume.configMap, name: volume.configMap.name ?? '' });
  if (volume.downwardAPI) return downwardFiles(context, volume.downwardAPI.items);
  if (!volume.projected) return undefined;
  return (volume.projected.sources ?? []).flatMap((source) => {
    if (source.secret) return secretFiles(context, { ...source.secret, name: source.secret.name ?? '' });
    if (source.configMap) return configMapFiles(context, { ...source.configMap, name: source.configMap.name ?? '' });
    if (source.downwardAPI) return downwardFiles(context, source.downwardAPI.items);
    if (source.serviceAccountToken) return [{ path: source.serviceAccountToken.path, data: context.token(tokenFacts(source.serviceAccountToken)) }];
    return [];
  });
}

interface ObjectSource {
  name: string;
  items?: KeyToPath[];
  optional?: boolean;
}

function secretFiles({ references }: VolumeContext, source: ObjectSource): VolumeFile[] {
  const secret = references.secret(source.name);
  if (!secret && !source.optional) throw new ContainerConfigError(`secret "${source.name}" not found`);
  const data = Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return selected(data, source, `secret "${source.name}"`);
}

function configMapFiles({ references }: VolumeContext, source: ObjectSource): VolumeFile[] {
  const map = references.configMap(source.name);
  if (!map && !source.optional) throw new ContainerConfigError(`configmap "${source.name}" not found`);
  const binary = Object.fromEntries(Object.entries(map?.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  return selected({ ...map?.data, ...binary }, source, `configmap "${source.name}"`);
}

function selected(data: Readonly<Record<string, string | Uint8Array>>, { items, optional }: ObjectSource, what: string): VolumeFile[] {
  if (!items) return Object.entries(data).map(([path, content]) => ({ path, data: content }));
  return items.flatMap(({ key, path }) => {
    const content = data[key];
    if (content === undefined && !optional) throw new ContainerConfigError(`${what} has no key ${key}`);
    return content === undefined ? [] : [{ path, data: content }];
  });
}

function downwardFiles({ pod, facts }: VolumeContext, items: readonly { path: string; fieldRef?: { fieldPath: string }; resourceFieldRef?: { resource: string; containerName?: string; divisor?: string } }[] | undefined): VolumeFile[] {
  const first: Container = pod.spec?.containers[0] ?? { name: '' };
  return (items ?? []).map(({ path, fieldRef, resourceFieldRef }) => ({
    path,
    data: fieldRef ? podField(pod, fieldRef, facts) : resourceFieldRef ? resourceField(pod, first, resourceFieldRef) : '',
  }));
}

/** Writes the volume's folder to hold exactly these files. */
export function writeVolume(folder: string, files: readonly VolumeFile[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const wanted = new Set<string>();
  for (const { path, data } of files) {
    const file = inside(folder, path);
    wanted.add(relative(folder, file).split('/')[0] ?? '');
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, data, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  for (const name of readdirSync(folder)) if (!wanted.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** The container's root folder with a link for each mount. */
export function linkMounts(root: string, volumesFolder: string, container: Container): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, 'tmp'), { recursive: true, mode: 0o700 });
  for (const mount of container.volumeMounts ?? []) {
    const link = inside(root, mount.mountPath);
    const target = mount.subPath ? inside(join(volumesFolder, mount.name), mount.subPath) : join(volumesFolder, mount.name);
    if (!mount.subPath) mkdirSync(target, { recursive: true, mode: 0o700 });
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    rmSync(link, { recursive: true, force: true });
    symlinkSync(target, link);
  }
}

/** `path` below `folder`; throws when it would leave it. */
export function inside(folder: string, path: string): string {
  const joined = normalize(join(folder, path));
  if (joined !== folder && !joined.startsWith(`${folder}/`)) throw new ContainerConfigError(`path ${JSON.stringify(path)} leaves its volume`);
  return joined;
}
