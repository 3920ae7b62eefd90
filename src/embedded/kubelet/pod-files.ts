/**
 * What a pod's processes find when they start: their environment, their volumes, their token; and the
 * refreshing of what changes while they run (tokens at 80 % of their life, secrets and config maps every
 * minute).
 */
import { join } from 'node:path';
import type { Clock, Timer } from '#base/clock';
import { errorText, type Log } from '#base/log';
import { isNotFound } from '#apimachinery/status';
import { configMaps, secrets, serviceAccounts, type ConfigMap, type Container, type Pod, type Secret, type ServiceAccount } from '#api/builtin';
import type { Client } from '#kube/client';
import type { Launch } from './container.ts';
import { ContainerConfigError, containerEnvironment, expand, type NodeFacts, type References } from './environment.ts';
import type { ResolvedImage } from './types.ts';
import { inside, linkMounts, tokenRequests, volumeFiles, writeVolume, type TokenRequestFacts, type VolumeContext } from './volumes.ts';

export interface PodFilesDeps {
  client: Client;
  clock: Clock;
  log: Log;
  /** The pod's folder on this node. */
  folder: string;
  facts: NodeFacts;
  /** Added below everything else: PATH, where the API server is. */
  baseEnv: Readonly<Record<string, string>>;
  online(): boolean;
}

const ROOT_CA = 'kube-root-ca.crt';
const REFRESH_MS = 60_000;
const TOKEN_LIFE_USED = 0.8;

interface Token {
  text: string;
  refreshAtMs: number;
}

export class PodFiles {
  readonly #deps: PodFilesDeps;
  readonly #tokens = new Map<string, Token>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(deps: PodFilesDeps) {
    this.#deps = deps;
  }

  /** Everything to start a container with; throws {@link ContainerConfigError} while something is missing. */
  async prepare(pod: Pod, container: Container, image: ResolvedImage): Promise<Launch> {
    const { folder, facts, baseEnv } = this.#deps;
    const references = await this.#references(pod, container);
    const own = containerEnvironment(pod, container, references, facts);
    const argv = argvOf(container, image, own);
    await this.#writeVolumes(pod, references);
    const root = join(folder, 'containers', container.name, 'root');
    linkMounts(root, join(folder, 'volumes'), container);
    this.#armRefresh(pod);
    const env = { ...baseEnv, ...image.env, HOME: root, TMPDIR: join(root, 'tmp'), HOSTNAME: pod.spec?.hostname ?? pod.metadata.name ?? '', POD_IP: facts.podIP, ...own, FLEET_TS_ROOT: root };
    return { argv, env, cwd: root };
  }

  /** Whether the pod or the container names objects that must exist, besides the cluster's own certificate. */
  refers(pod: Pod, container: Container): boolean {
    const names = referencedNames(pod, container);
    return names.secrets.size > 0 || [...names.configMaps].some((name) => name !== ROOT_CA);
  }

  /** Throws {@link ContainerConfigError} while something that the container needs is missing. */
  async verify(pod: Pod, container: Container): Promise<void> {
    const references = await this.#references(pod, container);
    containerEnvironment(pod, container, references, this.#deps.facts);
    const context: VolumeContext = { pod, references, facts: this.#deps.facts, token: () => '' };
    for (const volume of pod.spec?.volumes ?? []) volumeFiles(volume, context);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #references(pod: Pod, container: Container | undefined): Promise<References> {
    const names = referencedNames(pod, container);
    const namespace = pod.metadata.namespace ?? '';
    const { client } = this.#deps;
    const maps = new Map<string, ConfigMap>();
    const held = new Map<string, Secret>();
    await Promise.all([
      ...[...names.configMaps].map(async (name) => {
        const map = await orUndefined(client.get(configMaps, { namespace, name }));
        if (map) maps.set(name, map);
      }),
      ...[...names.secrets].map(async (name) => {
        const secret = await orUndefined(client.get(secrets, { namespace, name }));
        if (secret) held.set(name, secret);
      }),
    ]);
    return { configMap: (name) => maps.get(name), secret: (name) => held.get(name) };
  }

  async #writeVolumes(pod: Pod, references: References): Promise<void> {
    for (const request of tokenRequests(pod)) await this.#ensureToken(pod, request);
    const context: VolumeContext = { pod, references, facts: this.#deps.facts, token: (request) => this.#tokens.get(tokenKey(request))?.text ?? '' };
    for (const volume of pod.spec?.volumes ?? []) {
      const files = volumeFiles(volume, context);
      if (files) writeVolume(inside(join(this.#deps.folder, 'volumes'), volume.name), files);
    }
  }

  async #ensureToken(pod: Pod, request: TokenRequestFacts): Promise<void> {
    const { client, clock } = this.#deps;
    const known = this.#tokens.get(tokenKey(request));
    if (known && clock.monotonicMs() < known.refreshAtMs) return;
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const account = pod.spec?.serviceAccountName ?? 'default';
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: account, namespace },
      spec: { ...(request.audience ? { audiences: [request.audience] } : { audiences: [] }), expirationSeconds: request.expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
    };
    const answer = (await client.create(serviceAccounts, body as ServiceAccount, { subresource: 'token' })) as unknown as { status: { token: string; expirationTimestamp: string } };
    const lifeMs = Date.parse(answer.status.expirationTimestamp) - clock.wallMs();
    this.#tokens.set(tokenKey(request), { text: answer.status.token, refreshAtMs: clock.monotonicMs() + lifeMs * TOKEN_LIFE_USED });
  }

  #armRefresh(pod: Pod): void {
    this.#timer?.cancel();
    const changing = (pod.spec?.volumes ?? []).some((volume) => volume.secret || volume.configMap || volume.projected?.sources?.some((source) => source.secret));
    const dueMs = Math.min(...[...this.#tokens.values()].map((token) => token.refreshAtMs - this.#deps.clock.monotonicMs()), changing ? REFRESH_MS : Number.POSITIVE_INFINITY);
    if (this.#closed || !Number.isFinite(dueMs)) return;
    this.#timer = this.#deps.clock.after(Math.max(1000, dueMs), () => void this.#refresh(pod));
  }

  async #refresh(pod: Pod): Promise<void> {
    try {
      if (this.#deps.online()) await this.#writeVolumes(pod, await this.#references(pod, undefined));
    } catch (error) {
      this.#deps.log.warn('volumes of a pod could not be refreshed', { pod: pod.metadata.name, error: errorText(error) });
    }
    this.#armRefresh(pod);
  }
}

function tokenKey({ audience, expirationSeconds }: TokenRequestFacts): string {
  return `${audience ?? ''}/${expirationSeconds}`;
}

/** Names of the objects that the pod's volumes and one container's environment refer to. */
export function referencedNames(pod: Pod, container: Container | undefined): { configMaps: Set<string>; secrets: Set<string> } {
  const maps = new Set<string | undefined>();
  const held = new Set<string | undefined>();
  for (const volume of pod.spec?.volumes ?? []) {
    maps.add(volume.configMap?.name);
    held.add(volume.secret?.secretName);
    for (const source of volume.projected?.sources ?? []) {
      maps.add(source.configMap?.name);
      held.add(source.secret?.name);
    }
  }
  for (const source of container?.envFrom ?? []) {
    maps.add(source.configMapRef?.name);
    held.add(source.secretRef?.name);
  }
  for (const variable of container?.env ?? []) {
    maps.add(variable.valueFrom?.configMapKeyRef?.name);
    held.add(variable.valueFrom?.secretKeyRef?.name);
  }
  const named = (names: Set<string | undefined>) => new Set([...names].filter((name) => name !== undefined && name !== '')) as Set<string>;
  return { configMaps: named(maps), secrets: named(held) };
}

/** The container's command line: a program of the image when it names one, else the image's entrypoint. */
export function argvOf(container: Container, image: ResolvedImage, env: Readonly<Record<string, string>>): string[] {
  const args = (container.args ?? []).map((text) => expand(text, env));
  const [program, ...rest] = (container.command ?? []).map((text) => expand(text, env));
  if (program === undefined) return [...image.command, ...args];
  const known = image.programs?.[program.slice(program.lastIndexOf('/') + 1)];
  if (!known) throw new ContainerConfigError(`exec: "${program}": executable file not found in image ${container.image}`);
  return [...known, ...rest, ...args];
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
