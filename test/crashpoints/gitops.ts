/**
 * The management side in one process of the test's own pace: the real GitRepo and Bundle reconcilers over real
 * informers, ten clusters whose agents are simulated, and a repository that is a map of files.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { namespaces, secrets } from '#api/builtin';
import { type BundleDeployment, bundleDeployments, bundleNamespaceMappings, bundles, clusterGroups, clusters, contents, gitRepos } from '#api/fleet';
import { keyOf, keyText, type KubeObject, type ObjectKey, type Unstructured } from '#apimachinery/meta';
import { silentLog } from '#base/log';
import { seededRandom } from '#base/random';
import { BundleReconciler, BY_BUNDLE, bundleKeyOf, INTERNAL_SECRET_SELECTOR } from '#controllers/bundle';
import { BY_REPO, GitRepoReconciler, Poller, repoKeyOf } from '#controllers/gitrepo';
import { createInformer, type Informer, type InformerOptions } from '#kube/cache';
import { createApplier } from '#kube/apply';
import { createRestMapper } from '#kube/client';
import type { ReconcileContext, Reconciler } from '#kube/controller';
import { expandDelimited } from '#render/gotemplate';
import { dumpYaml, parseDocuments, parseYaml } from '#render/rawyaml';
import type { Replica, World } from './world.ts';

export const WORKSPACE = 'fleet-default';
const REPO = { namespace: WORKSPACE, name: 'repo' };
/** After that time a new leader has asked the repository: it spreads the first polls over one interval. */
const POLLED_MS = 20_000;
/** Passes over everything until nothing is left to do. */
const PASSES = 60;

/** What the repository holds at this moment. */
export interface Repository {
  commit: string;
  files: Readonly<Record<string, string>>;
}

export async function setUp(world: World, clusterCount: number): Promise<void> {
  const crds = parseDocuments(readFileSync(join(import.meta.dirname, '../../charts/fleet-crd/templates/crds.yaml'), 'utf8'), { file: 'crds.yaml' });
  const mapper = createRestMapper(world.admin, world.clock);
  await world.run(createApplier({ client: world.admin, mapper, clock: world.clock }).apply(crds.map(({ value }) => value as Unstructured), { fieldManager: 'test' }));
  const namespace = (name: string) => world.run(world.admin.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  await namespace(WORKSPACE);
  for (let index = 0; index < clusterCount; index++) {
    const name = `c${index}`;
    await namespace(`cluster-${name}`);
    await world.run(world.admin.create(clusters, { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'Cluster', metadata: { namespace: WORKSPACE, name, labels: { env: index < 3 ? 'canary' : 'prod' } }, spec: {} }));
    await world.run(world.admin.patch(clusters, { namespace: WORKSPACE, name }, { type: 'merge', body: { status: { namespace: `cluster-${name}` } } }, { subresource: 'status' }));
  }
  const spec = { repo: 'https://example.org/repo', branch: 'main', paths: ['*'], targets: [{ name: 'all', clusterSelector: {} }] };
  await world.run(world.admin.create(gitRepos, { apiVersion: 'fleet.cattle.io/v1alpha1', kind: 'GitRepo', metadata: REPO, spec }));
}

/** One controller process: caches, reconcilers, and a loop that calls them until nothing changes. */
export class Management {
  /** Reasons of the Events so far. */
  readonly told: string[] = [];
  readonly #world: World;
  readonly #replica: Replica;
  readonly #life = new AbortController();
  readonly #bundles;
  readonly #deployments;
  readonly #informers: Informer<KubeObject>[] = [];
  readonly #gitRepo: GitRepoReconciler;
  readonly #bundle: BundleReconciler;
  readonly #poller: Poller;
  readonly #seen: (deployments: readonly BundleDeployment[]) => void;

  constructor(world: World, replica: Replica, repository: () => Repository, seen: (deployments: readonly BundleDeployment[]) => void = () => {}) {
    this.#world = world;
    this.#replica = replica;
    this.#seen = seen;
    const { clock } = world;
    const informer = <T extends KubeObject>(options: InformerOptions<T>): Informer<T> => {
      const made = createInformer(options, { reader: world.admin, clock, random: seededRandom(1), log: silentLog });
      this.#informers.push(made as unknown as Informer<KubeObject>);
      return made;
    };
    const index = (of: (deployment: BundleDeployment) => ObjectKey | undefined) => (deployment: BundleDeployment) => [of(deployment)].flatMap((key) => (key ? [keyText(key)] : []));
    this.#bundles = informer({ resource: bundles });
    this.#deployments = informer({ resource: bundleDeployments, indexers: { [BY_REPO]: index(repoKeyOf), [BY_BUNDLE]: index(bundleKeyOf) } });
    this.#poller = new Poller(clock, seededRandom(2));
    this.#gitRepo = new GitRepoReconciler({
      repos: informer({ resource: gitRepos }),
      bundles: this.#bundles,
      deployments: this.#deployments,
      git: { newestCommit: async () => repository().commit, snapshot: async () => ({ files: new Map(Object.entries(repository().files).map(([path, text]) => [path, Buffer.from(text)])), links: new Map() }) },
      tools: { parseYaml: (text) => parseYaml(text), gzip: (bytes) => gzipSync(bytes) },
      poller: this.#poller,
      clock,
      events: () => ({ event: (_about, { reason }) => void this.told.push(reason), flush: async () => {} }),
    });
    this.#bundle = new BundleReconciler({
      bundles: this.#bundles,
      deployments: this.#deployments,
      clusters: informer({ resource: clusters }),
      clusterGroups: informer({ resource: clusterGroups }),
      mappings: informer({ resource: bundleNamespaceMappings }),
      namespaces: informer({ resource: namespaces }),
      contents: informer({ resource: contents }),
      internalSecrets: informer({ resource: secrets, labelSelector: INTERNAL_SECRET_SELECTOR }),
      templates: { expand: (text, context) => expandDelimited(text, context, { random: seededRandom(3), nowMs: clock.wallMs() }), parseYaml: (text) => parseYaml(text), formatYaml: (value) => dumpYaml(value) },
      clock,
    });
  }

  /** Runs until a pass writes nothing, or until the process dies. `agents` decides which BundleDeployments become ready. */
  async work(agents: (deployment: BundleDeployment) => boolean): Promise<void> {
    for (const informer of this.#informers) informer.start(this.#life.signal);
    try {
      for (let pass = 0; pass < PASSES; pass++) {
        const before = this.#world.writes.length;
        await this.#pass();
        if (this.#replica.dead()) return;
        await this.#agents(agents);
        if (pass === 0) await this.#world.clock.advance(POLLED_MS);
        else if (this.#world.writes.length === before) return;
      }
      throw new Error(`not settled after ${PASSES} passes`);
    } finally {
      this.#life.abort(new Error('the process ended'));
    }
  }

  async #fresh(): Promise<void> {
    await this.#world.run(Promise.all(this.#informers.map((informer) => informer.barrier(this.#life.signal))));
    this.#seen(this.#deployments.list());
  }

  async #pass(): Promise<void> {
    await this.#fresh();
    await this.#reconcile(this.#gitRepo, REPO);
    await this.#fresh();
    for (const bundle of this.#bundles.list()) {
      await this.#reconcile(this.#bundle, keyOf(bundle));
      await this.#fresh();
    }
  }

  /** As the controller does: an error means the key comes again. */
  async #reconcile(reconciler: Reconciler<'upstream'>, key: ObjectKey): Promise<void> {
    const { client, signal } = this.#replica;
    if (signal.aborted) return;
    const ctx: ReconcileContext<'upstream'> = { clients: { upstream: client }, term: client.term as ReconcileContext['term'], signal, log: silentLog };
    await this.#world.run(reconciler.reconcile(key, ctx).catch((error: unknown) => {
      if (!signal.aborted && !/modified|already exists|values secret does not belong/.test(String(error))) throw error;
    }));
  }

  async #agents(becomesReady: (deployment: BundleDeployment) => boolean): Promise<void> {
    await this.#fresh();
    for (const deployment of this.#deployments.list()) {
      const { deploymentID = '' } = deployment.spec;
      if (!deploymentID || deployment.status?.appliedDeploymentID === deploymentID || !becomesReady(deployment)) continue;
      const status = { appliedDeploymentID: deploymentID, ready: true, nonModified: true };
      await this.#world.run(this.#world.agent.patch(bundleDeployments, keyOf(deployment), { type: 'merge', body: { status } }, { subresource: 'status' }));
    }
  }
}
