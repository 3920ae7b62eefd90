/**
 * Content → deleted when no BundleDeployment refers to it any more. A Content is young for a while between
 * its creation and that of the first BundleDeployment that names it, so it gets a grace period.
 */
import { type BundleDeployment, type Content, contents, label } from '#api/fleet';
import type { ObjectKey } from '#apimachinery/meta';
import { isNotFound } from '#apimachinery/status';
import type { Clock } from '#base/clock';
import type { Informer } from '#kube/cache';
import { done, type Outcome, type ReconcileContext, type Reconciler, requeueAfter } from '#kube/controller';

const LIMITS = { graceMs: 60_000 };

/** Index of BundleDeployments by the Contents their spec names (staged and released). */
export const BY_CONTENT = 'content';

/** The Contents a BundleDeployment needs. */
export function contentNamesOf(deployment: BundleDeployment): string[] {
  const names = [deployment.metadata.labels?.[label.contentName], contentOf(deployment.spec.deploymentID), contentOf(deployment.spec.stagedDeploymentID)];
  return [...new Set(names.filter((name): name is string => !!name))];
}

function contentOf(deploymentID: string | undefined): string | undefined {
  return deploymentID?.split(':')[0];
}

export interface ContentDependencies {
  contents: Informer<Content>;
  /** Indexed by {@link BY_CONTENT}. */
  deployments: Informer<BundleDeployment>;
  clock: Clock;
}

export class ContentReconciler implements Reconciler<'upstream'> {
  readonly #deps: ContentDependencies;

  constructor(deps: ContentDependencies) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey, ctx: ReconcileContext<'upstream'>): Promise<Outcome> {
    const content = this.#deps.contents.get(key);
    if (!content || this.#deps.deployments.byIndex(BY_CONTENT, key.name).length > 0) return done;
    const ageMs = this.#deps.clock.wallMs() - Date.parse(content.metadata.creationTimestamp ?? '');
    if (ageMs < LIMITS.graceMs) return requeueAfter(LIMITS.graceMs - ageMs);
    const { uid, resourceVersion } = content.metadata;
    await ctx.clients.upstream
      .delete(contents, key, { preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    return done;
  }
}
