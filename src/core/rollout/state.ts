/** How one target stands during a plan step. */
import type { BundleDeployment, BundleDeploymentSpec, BundleSummary } from '#api/fleet';
import { reportOf, summarize } from '#core/rollup';
import type { Target } from '#core/target';

export interface Entry {
  readonly target: Target;
  /** As it is in the cluster namespace. */
  readonly deployment: BundleDeployment | undefined;
  /** As it is to become; absent while the target has no deployment. */
  spec: BundleDeploymentSpec | undefined;
}

/** Not applied yet or not ready. A target without deployment is not counted: nothing of it can be down. */
export function isUnavailable({ deployment, spec }: Entry): boolean {
  if (!spec) return false;
  const status = deployment?.status;
  return (status?.appliedDeploymentID ?? '') !== (spec.deploymentID ?? '') || !status?.ready;
}

/** The wanted version is staged, promoted and applied. */
export function isUpToDate({ target, deployment, spec }: Entry): boolean {
  const wanted = target.deploymentID;
  return spec?.stagedDeploymentID === wanted && spec.deploymentID === wanted && deployment?.status?.appliedDeploymentID === wanted;
}

export function summarizeTargets(entries: readonly Entry[]): BundleSummary {
  return summarize(
    entries.map(({ target, deployment, spec }) => {
      const name = `${target.clusterNamespace}/${target.clusterName}`;
      return reportOf(name, spec ? { spec, ...(deployment?.status ? { status: deployment.status } : {}) } : undefined);
    }),
  );
}
