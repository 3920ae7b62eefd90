/**
 * How many objects of one deployment stand how. Every object is counted once: a desired object in exactly
 * one of ready, notReady, modified, missing, waitApplied; `orphaned` ones are not desired.
 */
import type { DeployedResource, ModifiedStatus, NonReadyStatus, ResourceCounts } from '#api/fleet';
import type { DeploymentParts } from './state.ts';

/** Full lists, before they are cut for the status. */
export interface Findings {
  resources: readonly DeployedResource[];
  modified: readonly ModifiedStatus[];
  nonReady: readonly NonReadyStatus[];
  /** The wanted version is not applied: nothing can be said about single objects. */
  waitApplied?: boolean;
}

interface Identified {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
}

function identity({ apiVersion = '', kind = '', namespace = '', name = '' }: Identified): string {
  return [apiVersion, kind, namespace, name].join('\0');
}

export function countResources(findings: Findings): ResourceCounts {
  const desired = new Set(findings.resources.map(identity));
  const missing = identities(findings.modified.filter((status) => status.missing));
  for (const key of missing) desired.add(key);
  const orphaned = identities(findings.modified.filter((status) => status.delete)).size;
  const counts = { ready: 0, desiredReady: desired.size, waitApplied: 0, modified: 0, orphaned, missing: 0, unknown: 0, notReady: 0 };
  const modified = identities(findings.modified.filter((status) => !status.missing && !status.delete));
  const nonReady = identities(findings.nonReady);
  for (const key of desired) {
    if (findings.waitApplied) counts.waitApplied++;
    else if (missing.has(key)) counts.missing++;
    else if (modified.has(key)) counts.modified++;
    else if (nonReady.has(key)) counts.notReady++;
    else counts.ready++;
  }
  return counts;
}

function identities(items: readonly Identified[]): Set<string> {
  return new Set(items.map(identity));
}

/** Whether the deployment's wanted version is not the applied one. */
export function isWaiting({ spec, status }: DeploymentParts): boolean {
  return (status?.appliedDeploymentID ?? '') !== (spec.deploymentID ?? '');
}
