/** The one-word state of a BundleDeployment and what it reports upwards. Source: facts §1.0, "BundleState". */
import { findCondition } from '#apimachinery/meta';
import type { BundleDeployment, BundleDeploymentSpec, BundleDeploymentStatus, BundleState } from '#api/fleet';
import { BUNDLE_STATE_RANK } from '#api/fleet';
import type { Report } from './types.ts';

/** The parts of a BundleDeployment that decide its state. */
export interface DeploymentParts {
  spec: BundleDeploymentSpec;
  status?: BundleDeploymentStatus;
}

/** Evaluated in this order, first that holds wins. */
export function deploymentState({ spec, status }: DeploymentParts): BundleState {
  if (!spec.deploymentID) return 'Pending';
  if ((status?.appliedDeploymentID ?? '') !== spec.deploymentID) {
    return findCondition(status?.conditions, 'Deployed')?.status === 'False' ? 'ErrApplied' : 'WaitApplied';
  }
  if (!status?.ready) return 'NotReady';
  if (spec.deploymentID !== spec.stagedDeploymentID) return 'OutOfSync';
  return status.nonModified ? 'Ready' : 'Modified';
}

/** The message of the first condition that explains something: Deployed, Installed, Monitored. */
export function deploymentMessage(status: BundleDeploymentStatus | undefined): string {
  for (const type of ['Deployed', 'Installed', 'Monitored']) {
    const message = findCondition(status?.conditions, type)?.message;
    if (message) return message;
  }
  return '';
}

/** What a deployment (or the lack of one) reports under `name`. */
export function reportOf(name: string, deployment: DeploymentParts | undefined): Report {
  if (!deployment) return { name, state: 'Pending', message: '', modified: [], nonReady: [] };
  return {
    name,
    state: deploymentState(deployment),
    message: deploymentMessage(deployment.status),
    modified: deployment.status?.modifiedStatus ?? [],
    nonReady: deployment.status?.nonReadyStatus ?? [],
  };
}

/** The state that stands for all: highest rank; `undefined` for none. */
export function worstState(states: Iterable<BundleState>): BundleState | undefined {
  let worst: BundleState | undefined;
  for (const state of states) if (!worst || BUNDLE_STATE_RANK[state] > BUNDLE_STATE_RANK[worst]) worst = state;
  return worst;
}

/** `BundleDeployment.status.display`, as kubectl's columns show it. */
export function deploymentDisplay(deployment: Pick<BundleDeployment, 'spec' | 'status'>): { deployed: string; monitored: string; state: BundleState } {
  const conditions = deployment.status?.conditions;
  const text = (type: string) => {
    const condition = findCondition(conditions, type);
    return condition?.message || condition?.status || '';
  };
  return { deployed: text('Deployed'), monitored: text('Monitored'), state: deploymentState(deployment) };
}
