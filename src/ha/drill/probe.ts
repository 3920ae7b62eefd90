/**
 * The probe workload: a few small Bundles (each one ConfigMap) that the drill keeps changing, so that the
 * leader always has something to do, and whose end state tells whether anything got lost. A change selects
 * another overlay of the same content: no new Content objects, no Secrets, a new release each time.
 */
import { type ConfigMap, configMaps, namespaces, secrets } from '#api/builtin';
import { type Bundle, bundleDeployments, bundles, FLEET_API_VERSION, label } from '#api/fleet';
import { isNotFound } from '#apimachinery/status';
import { mapLimit } from '#base/async';
import type { ProbeScope } from './recorder.ts';
import type { DrillTarget } from './types.ts';

const LIMITS = { atOnce: 8, requestMs: 5_000 };
/** Overlays of each Bundle; a change takes the next. */
const OVERLAYS = 16;
export const DRILL_LABEL = 'fleet.cattle.io/drill';

export interface Probe {
  readonly scope: ProbeScope;
  create(): Promise<void>;
  /** Changes the next object; the caller decides when. */
  change(): Promise<void>;
  /** What is not (yet) as last asked for; empty when all is. */
  unsettled(): Promise<string[]>;
  /** Removes everything, and tells what is still being removed. */
  remove(): Promise<string[]>;
}

export class BundleProbe implements Probe {
  readonly scope: ProbeScope;
  readonly #target: DrillTarget;
  readonly #names: readonly string[];
  readonly #sequence: number[];
  #next = 0;

  constructor(target: DrillTarget, count: number) {
    this.#target = target;
    const id = `fleet-drill-${target.component.name === 'agent' ? 'agent' : 'controller'}`;
    this.scope = { label: [DRILL_LABEL, target.component.name], namespace: id };
    this.#names = Array.from({ length: count }, (_, index) => `${id}-${index}`);
    this.#sequence = this.#names.map(() => 0);
  }

  async create(): Promise<void> {
    const { upstream, fleetCluster } = this.#target;
    await mapLimit(this.#names, LIMITS.atOnce, async (name) => {
      const bundle = bundleOf(name, { namespace: fleetCluster.namespace, cluster: fleetCluster.name, workload: this.scope.namespace, component: this.scope.label[1] });
      await upstream.apply(bundles, bundle, { fieldManager: 'fleet-drill', force: true });
    });
  }

  async change(): Promise<void> {
    const { upstream, fleetCluster } = this.#target;
    const index = this.#next++ % this.#names.length;
    const sequence = ((this.#sequence[index] ?? 0) + 1) % OVERLAYS;
    this.#sequence[index] = sequence;
    const key = { namespace: fleetCluster.namespace, name: this.#names[index] as string };
    await upstream.patch(bundles, key, { type: 'merge', body: { spec: { yaml: { overlays: [overlay(sequence)] } } } }, { timeoutMs: LIMITS.requestMs });
  }

  async unsettled(): Promise<string[]> {
    const { upstream, fleetCluster } = this.#target;
    const labelSelector = this.scope.label.join('=');
    const [deployments, workloads, releases] = await Promise.all([
      upstream.list(bundleDeployments, { namespace: fleetCluster.deploymentNamespace, labelSelector }),
      fleetCluster.client.list(configMaps, { namespace: this.scope.namespace, labelSelector: `${DRILL_LABEL}=true` }),
      fleetCluster.client.list(secrets, { namespace: this.scope.namespace, labelSelector: 'owner=helm' }),
    ]);
    const problems = releases.items.filter(({ metadata }) => /^(pending-|uninstalling)/.test(metadata.labels?.status ?? '')).map(({ metadata }) => `release ${metadata.name} is ${metadata.labels?.status}`);
    const workload = new Map(workloads.items.map((map: ConfigMap) => [map.metadata.name, map.data?.sequence]));
    const deployed = new Map(deployments.items.map((deployment) => [deployment.metadata.labels?.[label.bundleName] ?? '', deployment]));
    for (const [index, name] of this.#names.entries()) {
      const wanted = overlay(this.#sequence[index] ?? 0);
      const deployment = deployed.get(name);
      const { spec, status } = deployment ?? {};
      if (spec?.options?.yaml?.overlays?.[0] !== wanted) problems.push(`${name}: the BundleDeployment does not ask for ${wanted} yet`);
      else if (status?.appliedDeploymentID !== spec.deploymentID || status?.ready !== true) problems.push(`${name}: ${wanted} is not reported as applied and ready`);
      else if (workload.get(name) !== wanted) problems.push(`${name}: the ConfigMap says ${workload.get(name) ?? 'nothing'}, ${wanted} was asked for`);
    }
    return problems;
  }

  async remove(): Promise<string[]> {
    const { upstream, fleetCluster } = this.#target;
    const labelSelector = this.scope.label.join('=');
    const ignoreMissing = (error: unknown) => {
      if (!isNotFound(error)) throw error;
    };
    await mapLimit(this.#names, LIMITS.atOnce, (name) => upstream.delete(bundles, { namespace: fleetCluster.namespace, name }).catch(ignoreMissing));
    const [left, releases] = await Promise.all([
      upstream.list(bundleDeployments, { namespace: fleetCluster.deploymentNamespace, labelSelector }),
      fleetCluster.client.list(secrets, { namespace: this.scope.namespace, labelSelector: 'owner=helm' }),
    ]);
    const remaining = [...left.items, ...releases.items].map(({ metadata }) => metadata.name ?? '');
    if (remaining.length > 0) return remaining;
    // Until it is gone nothing new can be deployed to a namespace of that name.
    const key = { name: this.scope.namespace };
    const found = await fleetCluster.client.get(namespaces, key).catch(ignoreMissing);
    if (found && !found.metadata.deletionTimestamp) await fleetCluster.client.delete(namespaces, key).catch(ignoreMissing);
    return found ? [`namespace ${key.name}`] : [];
  }
}

function overlay(sequence: number): string {
  return `s${sequence}`;
}

interface BundlePlace {
  namespace: string;
  cluster: string;
  workload: string;
  component: string;
}

function bundleOf(name: string, { namespace, cluster, workload, component }: BundlePlace): Bundle {
  const configMap = (sequence: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { [DRILL_LABEL]: 'true' } }, data: { sequence } });
  const overlays = Array.from({ length: OVERLAYS }, (_, index) => ({ name: `overlays/${overlay(index)}/workload.yaml`, content: configMap(overlay(index)) }));
  return {
    apiVersion: FLEET_API_VERSION,
    kind: 'Bundle',
    metadata: { name, namespace, labels: { [DRILL_LABEL]: component } },
    spec: {
      defaultNamespace: workload,
      yaml: { overlays: [overlay(0)] },
      resources: [{ name: 'workload.yaml', content: configMap(overlay(0)) }, ...overlays],
      targets: [{ clusterName: cluster }],
    },
  };
}
