/**
 * `GitRepo.status.resources`: every object a source deploys, once, with the clusters where it is not as it
 * should be. Source: Fleet, package resourcestatus (v0.12: perClusterState is a map of state → clusters).
 */
import { label, type BundleDeployment, type DeployedResource, type Resource } from '#api/fleet';
import { isWaiting } from './counts.ts';
import { deploymentState } from './state.ts';

/** Objects kept; beyond that the list is cut and marked incomplete. */
export const RESOURCES_MAX = 1000;

interface ObjectState {
  state: string;
  error: boolean;
  transitioning: boolean;
  message: string;
}

const READY: ObjectState = { state: 'Ready', error: false, transitioning: false, message: '' };
/** When one object stands differently on different clusters, the highest is shown. */
const RANK: Readonly<Record<string, number>> = { Ready: 0, Unknown: 1, WaitApplied: 2, NotReady: 3, Orphaned: 4, Modified: 5, Missing: 6, ErrApplied: 7 };

/** Sorted by type and id. */
export function resourcesOf(deployments: readonly BundleDeployment[]): Resource[] {
  const found = new Map<string, { resource: Resource; worst: ObjectState; clusters: Map<string, string[]> }>();
  for (const deployment of deployments) {
    const cluster = `${deployment.metadata.labels?.[label.clusterNamespace] ?? ''}/${deployment.metadata.labels?.[label.cluster] ?? ''}`;
    const states = statesOf(deployment);
    for (const object of objectsOf(deployment)) {
      const key = identity(object);
      const state = states.get(key) ?? fallback(deployment);
      const entry = found.get(key) ?? { resource: describe(object), worst: READY, clusters: new Map<string, string[]>() };
      if (rank(state) > rank(entry.worst)) entry.worst = state;
      const word = state.state.charAt(0).toLowerCase() + state.state.slice(1);
      entry.clusters.set(word, [...(entry.clusters.get(word) ?? []), cluster]);
      found.set(key, entry);
    }
  }
  return [...found.values()]
    .map(({ resource, worst, clusters }) => compose(resource, worst, clusters))
    .sort((a, b) => (`${a.type}/${a.id}` < `${b.type}/${b.id}` ? -1 : 1))
    .slice(0, RESOURCES_MAX);
}

function rank({ state }: ObjectState): number {
  return RANK[state] ?? RANK.NotReady ?? 0;
}

function identity({ apiVersion = '', kind = '', namespace = '', name = '' }: DeployedResource): string {
  return [apiVersion, kind, namespace, name].join('\0');
}

/** What is deployed, and what is missing or orphaned (which the list of deployed objects need not name). */
function objectsOf({ status }: BundleDeployment): DeployedResource[] {
  const objects = new Map<string, DeployedResource>();
  for (const object of [...(status?.resources ?? []), ...(status?.modifiedStatus ?? [])]) if (!objects.has(identity(object))) objects.set(identity(object), object);
  return [...objects.values()];
}

function statesOf({ status }: BundleDeployment): Map<string, ObjectState> {
  const states = new Map<string, ObjectState>();
  for (const object of status?.nonReadyStatus ?? []) {
    const { state, error = false, transitioning = false, message = [] } = object.summary ?? {};
    states.set(identity(object), { state: state || 'NotReady', error, transitioning, message: message.join('; ') });
  }
  for (const object of status?.modifiedStatus ?? []) {
    const state = object.delete ? 'Orphaned' : object.missing ? 'Missing' : 'Modified';
    states.set(identity(object), { ...READY, state });
  }
  return states;
}

/** An object nothing is said about: ready, unless the deployment waits or its lists were cut off. */
function fallback(deployment: BundleDeployment): ObjectState {
  if (isWaiting(deployment)) return { ...READY, state: deploymentState(deployment) === 'ErrApplied' ? 'ErrApplied' : 'WaitApplied' };
  return deployment.status?.incompleteState ? { ...READY, state: 'Unknown' } : READY;
}

function describe({ apiVersion = '', kind = '', namespace, name = '' }: DeployedResource): Resource {
  const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}.` : '';
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}), type: `${group}${kind.toLowerCase()}`, id: namespace ? `${namespace}/${name}` : name };
}

function compose(resource: Resource, worst: ObjectState, clusters: ReadonlyMap<string, string[]>): Resource {
  const perClusterState = Object.fromEntries([...clusters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([state, names]) => [state, [...names].sort()]));
  return {
    ...resource,
    state: worst.state,
    ...(worst.error ? { error: true } : {}),
    ...(worst.transitioning ? { transitioning: true } : {}),
    ...(worst.message ? { message: worst.message } : {}),
    ...(worst.state === 'Unknown' ? { incompleteState: true } : {}),
    perClusterState,
  };
}
