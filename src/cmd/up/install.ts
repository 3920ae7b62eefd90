/**
 * Installs our own charts as Helm releases, as `helm upgrade --install` would. The same journaled operation
 * deploys bundles, so an installation that was cut off goes on at the next start.
 */
import { systemClock } from '#base/clock';
import { sha256Hex } from '#base/hash';
import { canonicalJson } from '#base/json';
import type { Log } from '#base/log';
import { systemRandom } from '#base/random';
import { namespaces } from '#api/builtin';
import { isAlreadyExists } from '#apimachinery/status';
import type { Unstructured } from '#apimachinery/meta';
import { converge, type ReleaseContent, type ReleaseOptions } from '#agent/release';
import type { ReleaseHook } from '#core/release';
import { type Client, createRestMapper } from '#kube/client';
import { createTerm, type LeaderClient } from '#kube/leaderelection';
import { type ChartFiles, loadChart, renderChart } from '#render/chart';

const LIMITS = { installMs: 60_000 };
const OPTIONS: ReleaseOptions = { timeoutMs: 0, atomic: false, force: false, takeOwnership: true, maxHistory: 10, keepResources: false };

export interface InstallRequest {
  name: string;
  namespace: string;
  files: ChartFiles;
  values: Record<string, unknown>;
}

/** Brings the release to this chart and these values; does nothing when it is there already. */
export async function installChart(client: Client, request: InstallRequest, log: Log): Promise<void> {
  // This process owns the data folder (data-dir.ts), so nobody else installs at the same time.
  const own = createTerm({ holder: 'fleet up', epoch: 0, evidence: 'first', remainingMs: () => LIMITS.installMs, clock: systemClock });
  try {
    await install(own.term.guard(client), request, log);
  } finally {
    own.end('installed');
  }
}

async function install(leader: LeaderClient, request: InstallRequest, log: Log): Promise<void> {
  const { name, namespace, files, values } = request;
  const signal = AbortSignal.timeout(LIMITS.installMs);
  try {
    await leader.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const deploymentID = sha256Hex(canonicalJson({ values, files: [...files].map(([path, bytes]) => [path, sha256Hex(bytes)]) }));
  const result = await converge(
    { namespace, name, deploymentID, options: OPTIONS, retry: true, content: async (revision, isUpgrade) => contentOf(request, revision, isUpgrade) },
    { client: leader, mapper: createRestMapper(leader, systemClock), clock: systemClock, log, signal, isReady: (live) => live !== undefined },
  );
  if (result.status === 'failed') throw new Error(`release ${namespace}/${name} failed: ${result.message}`);
}

function contentOf({ name, namespace, files, values }: InstallRequest, revision: number, isUpgrade: boolean): ReleaseContent {
  const chart = loadChart(files);
  const rendered = renderChart(chart, { release: { name, namespace, revision, isUpgrade, isInstall: !isUpgrade }, values, random: systemRandom, nowMs: systemClock.wallMs() });
  return {
    chart: { ...chart.metadata },
    values,
    objects: rendered.manifests.map(({ object }) => object as Unstructured),
    hooks: rendered.hooks.map((hook): ReleaseHook => ({
      name: hook.name,
      kind: hook.kind,
      path: hook.path,
      manifest: hook.text,
      events: [...hook.events],
      weight: hook.weight,
      delete_policies: [...hook.deletePolicies] as NonNullable<ReleaseHook['delete_policies']>,
    })),
    crds: rendered.crds.flatMap(({ objects }) => objects as Unstructured[]),
    notes: rendered.notes,
    labels: {},
  };
}
