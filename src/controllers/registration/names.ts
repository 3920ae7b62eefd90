/** Names by which manager and agent find each other's objects during registration; both sides compute them. */
import { sha256Hex } from '#base/hash';

/**
 * The Secret in the clusters-system namespace that holds an agent's credentials. Only who knows both
 * values can name it. Source: Fleet, `c-<sha256(clientID+clientRandom)>`, cut to 63 characters.
 */
export function credentialSecretName(clientID: string, clientRandom: string): string {
  return `c-${sha256Hex(clientID + clientRandom)}`.slice(0, 63);
}

/** The namespace in which a cluster's BundleDeployments live: readable part and hash, at most 63 characters. */
export function clusterNamespaceName(namespace: string, name: string): string {
  const hash = sha256Hex(`${namespace}/${name}`).slice(0, 12);
  // A Cluster's name may have dots, a namespace's may not.
  return `cluster-${namespace}-${name}`.replaceAll('.', '-').slice(0, 50).replace(/-+$/, '').concat(`-${hash}`);
}

/** The name of a Cluster made for an agent that registered by itself. */
export function registeredClusterName(clientID: string): string {
  return `cluster-${sha256Hex(clientID).slice(0, 12)}`;
}
