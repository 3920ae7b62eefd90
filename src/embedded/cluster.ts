/**
 * One embedded cluster: storage, API server, certificates and the components that run on it. Nothing starts
 * before `start`; everything that was started ends with `stop`.
 *
 *   DIR/state.db       every object (SQLite)         DIR/ca.crt, ca.key          certificate authority
 *   DIR/kubeconfig     the administrator's access    DIR/server.crt, server.key  the listener's
 *   DIR/sa.key         signs service-account tokens  DIR/admin.token             unless a token is given
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import type { Random } from '#base/random';
import { createApiServer, generateTokenKey, listen, type ApiRequest, type ApiResponse, type ApiServer, type KeyPair, type Listener, type PodRuntime, type StaticToken } from '#embedded/apiserver';
import { durableStorage, memoryStorage, type Storage } from '#embedded/storage';
import { inProcessTransport } from '#embedded/inprocess';
import type { Transport } from '#kube/client';
import { ClusterFiles } from './files.ts';

/** A part of the control plane that works on the cluster as a client (controllers, scheduler, nodes). */
export interface Component {
  name: string;
  /** Runs until the signal aborts; a component that fails is reported, the others go on. */
  start(signal: AbortSignal): Promise<void>;
}

export interface ClusterOptions {
  name: string;
  /** Where everything is kept; absent: in memory, gone with the process. */
  dataDir?: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** The administrator's bearer token (group system:masters); absent: made up, and kept when there is a directory. */
  adminToken?: string;
  /** Further static tokens. */
  tokens?: readonly StaticToken[];
  /** Made once the cluster can be reached; started after the API server, stopped before it. */
  components?: (cluster: Cluster) => readonly Component[];
}

export interface ListenAddress {
  host: string;
  port: number;
}

export class Cluster {
  readonly name: string;
  readonly server: ApiServer;
  readonly adminToken: string;
  readonly #options: ClusterOptions;
  readonly #storage: Storage;
  readonly #files: ClusterFiles;
  readonly #running = new AbortController();
  readonly #listening = Promise.withResolvers<void>();
  #podRuntime: PodRuntime | undefined;
  #components: Promise<void>[] = [];
  #listener: Listener | undefined;
  #authority: KeyPair | undefined;

  constructor(options: ClusterOptions) {
    const { dataDir, clock, random, log } = options;
    this.name = options.name;
    this.#options = options;
    if (dataDir) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    this.#files = new ClusterFiles(dataDir);
    this.#storage = dataDir ? durableStorage(join(dataDir, 'state.db')) : memoryStorage();
    this.adminToken = options.adminToken ?? this.#files.keep('admin.token', () => randomBytes(24).toString('base64url'));
    const admin: StaticToken = { token: this.adminToken, user: 'admin', uid: 'admin', groups: ['system:masters'] };
    this.server = createApiServer({
      storage: this.#storage,
      clock,
      random,
      log,
      tokens: [admin, ...(options.tokens ?? [])],
      newUid: randomUUID,
      tokenKey: this.#files.keep('sa.key', generateTokenKey),
      podRuntime: () => this.#podRuntime,
      address: () => (this.#listener ? `${this.#listener.host}:${this.#listener.port}` : '127.0.0.1'),
    });
  }

  handle(request: ApiRequest): Promise<ApiResponse> {
    return this.server.handle(request);
  }

  /** A transport of the administrator inside this process. */
  adminTransport(): Transport {
    return this.transport(this.adminToken);
  }

  /** A transport inside this process that authenticates with a bearer token. */
  transport(token: string, userAgent = 'embedded'): Transport {
    const headers = { authorization: `Bearer ${token}`, 'user-agent': userAgent };
    return inProcessTransport({ handle: (request) => this.server.handle(request), clock: this.#options.clock, headers });
  }

  async start(): Promise<void> {
    await this.server.start();
    const components = this.#options.components?.(this) ?? [];
    this.#podRuntime = components.find(isPodRuntime);
    this.#components = components.map((component) => this.#run(component));
  }

  async #run(component: Component): Promise<void> {
    try {
      await component.start(this.#running.signal);
    } catch (error) {
      if (!this.#running.signal.aborted) this.#options.log.error('component failed', { component: component.name, error: errorText(error) });
    }
  }

  /** Opens the TLS port. */
  async listen({ host, port }: ListenAddress): Promise<ListenAddress> {
    const nowMs = this.#options.clock.wallMs();
    this.#authority = await this.#files.authority(nowMs);
    const leaf = await this.#files.serverCertificate(this.#authority, host, nowMs);
    this.#listener = await listen({ host, port, certificate: leaf.certificate, key: leaf.key, clientCa: this.#authority.certificate, handle: (request) => this.server.handle(request) });
    this.#files.write('ca.crt', this.#authority.certificate);
    this.#files.write('kubeconfig', this.kubeconfig());
    await this.server.announce({ host, port: this.#listener.port });
    this.#listening.resolve();
    return { host, port: this.#listener.port };
  }

  /** Resolves once `listen` has opened the port; for components that need it or the authority. */
  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  /** PEM of the authority that signed the server's certificate; only after `listen`. */
  get caCert(): string {
    return this.#authority?.certificate ?? '';
  }

  /** `https://host:port` of the listener. */
  get url(): string {
    return this.#listener ? `https://${this.#listener.host}:${this.#listener.port}` : '';
  }

  /** A kubeconfig for a bearer token; default: the administrator's. */
  kubeconfig(token = this.adminToken): string {
    const ca = Buffer.from(this.caCert).toString('base64');
    return [
      'apiVersion: v1',
      'kind: Config',
      `clusters: [{name: ${this.name}, cluster: {server: "${this.url}", certificate-authority-data: "${ca}"}}]`,
      `users: [{name: admin, user: {token: "${token}"}}]`,
      `contexts: [{name: ${this.name}, context: {cluster: ${this.name}, user: admin}}]`,
      `current-context: ${this.name}`,
      '',
    ].join('\n');
  }

  /** Components first, then the port, then the storage; everything acknowledged is on disk afterwards. */
  async stop(): Promise<void> {
    this.#running.abort(new Error('the cluster is stopping'));
    await Promise.all(this.#components);
    await this.#listener?.close();
    this.server.stop();
    await this.#storage.close();
  }
}

function isPodRuntime(component: Component): component is Component & PodRuntime {
  return typeof (component as Partial<PodRuntime>).logs === 'function';
}

/** A cluster that has not been started. */
export function createCluster(options: ClusterOptions): Cluster {
  return new Cluster(options);
}
