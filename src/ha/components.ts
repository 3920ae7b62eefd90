/**
 * The replicated components: how their pods are labelled, which lease they campaign for, which chart value
 * says how many there are. Names are Fleet's, so installations of Fleet itself are recognised too.
 */

export type ComponentName = 'fleet-controller' | 'gitjob' | 'helmops' | 'agent';

export interface ComponentFacts {
  readonly name: ComponentName;
  /** Label `app` of Deployment and pods. */
  readonly app: string;
  /** Of the lease; shards append `-<id>`. */
  readonly lease: string;
  /** The chart value that sets the number of replicas. */
  readonly replicasValue: string;
}

export const COMPONENTS: readonly ComponentFacts[] = [
  { name: 'fleet-controller', app: 'fleet-controller', lease: 'fleet-controller-leader-election-shard', replicasValue: 'controller.replicas' },
  { name: 'gitjob', app: 'gitjob', lease: 'fleet-gitops-leader-election-shard', replicasValue: 'gitjob.replicas' },
  { name: 'helmops', app: 'helmops', lease: 'fleet-helmops-leader-election-shard', replicasValue: 'helmops.replicas' },
  { name: 'agent', app: 'fleet-agent', lease: 'fleet-agent', replicasValue: 'agent.replicas' },
];

export const APP_SELECTOR = `app in (${COMPONENTS.map(({ app }) => app).join(',')})`;

export function componentOfApp(app: string | undefined): ComponentFacts | undefined {
  return COMPONENTS.find((component) => component.app === app);
}

/** Throws an `Error` that lists the names there are. */
export function componentNamed(name: string): ComponentFacts {
  const found = COMPONENTS.find((component) => component.name === name || component.app === name);
  if (!found) throw new Error(`component ${JSON.stringify(name)} is unknown: use ${COMPONENTS.map((component) => component.name).join(', ')}`);
  return found;
}

/** The pod behind an identity in a lease: `<pod>_<unique>`, as client-go and we write it, or the bare pod name. */
export function podOfHolder(holder: string): string {
  const end = holder.lastIndexOf('_');
  return end < 0 ? holder : holder.slice(0, end);
}
