/**
 * Performs a RolloutPlan: writes BundleDeployments and their values. A failure at one cluster does not keep
 * the others from being written; nothing is removed unless all writes succeeded, so that a half-done step
 * never leaves a cluster with less than before. Every step may be repeated.
 */
import { type Secret, secrets } from '#api/builtin';
import { annotation, type BundleDeployment, bundleDeployments, FLEET_API_VERSION, label } from '#api/fleet';
import { ignoreNotFound, isAlreadyExists } from '#apimachinery/status';
import { mapLimit } from '#base/async';
import { type PlannedDeployment, type RolloutPlan, deploymentKey } from '#core/rollout';
import { onlyOver } from '#kube/apply';
import type { Informer } from '#kube/cache';
import type { LeaderClient } from '#kube/leaderelection';
import { hashOf, releasedValues, secretData, type Values, VALUES_HASH, valuesSecret, withValuesHash } from './values.ts';

const LIMITS = { writesAtOnce: 16 };
const MANAGER = 'fleet-controller';

export interface PlanContext {
  client: LeaderClient;
  deployments: Informer<BundleDeployment>;
  /** Internal Secrets; their data need not be kept, only the annotation with the hash. */
  secrets: Informer<Secret>;
  /** Wanted values by BundleDeployment `namespace/name`. */
  values: ReadonlyMap<string, Values>;
  contentName: string;
}

/** Writes the plan; returns how many objects were written. Throws one `AggregateError` for all failures. */
export async function writePlan(plan: RolloutPlan, ctx: PlanContext): Promise<number> {
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>) => work.catch((error: unknown) => void failures.push(error));
  const updates = [...plan.promote, ...plan.stage, ...plan.sync];
  await mapLimit(plan.create, LIMITS.writesAtOnce, (planned) => attempt(create(planned, ctx)));
  await mapLimit(updates, LIMITS.writesAtOnce, (planned) => attempt(update(planned, ctx)));
  await mapLimit(mismatched(plan, ctx), LIMITS.writesAtOnce, (deployment) => attempt(repairValues(deployment, ctx)));
  if (failures.length === 0) await mapLimit(plan.remove, LIMITS.writesAtOnce, (target) => attempt(remove(target, ctx)));
  if (failures.length > 0) throw new AggregateError(failures, failures.map((error) => (error instanceof Error ? error.message : String(error))).join('; '));
  return plan.create.length + updates.length + plan.remove.length;
}

function objectOf(planned: PlannedDeployment, hash: string, ctx: PlanContext): BundleDeployment {
  return {
    apiVersion: FLEET_API_VERSION,
    kind: 'BundleDeployment',
    metadata: {
      name: planned.name,
      namespace: planned.namespace,
      labels: { ...planned.labels, [label.contentName]: ctx.contentName },
      annotations: { [annotation.epoch]: String(ctx.client.term.epoch) },
    },
    spec: withValuesHash(planned.spec, hash),
  };
}

async function create(planned: PlannedDeployment, ctx: PlanContext): Promise<void> {
  const staged = ctx.values.get(deploymentKey(planned.namespace, planned.name));
  const released = planned.spec.deploymentID === planned.spec.stagedDeploymentID ? staged : undefined;
  const data = secretData(released, staged);
  try {
    const created = await ctx.client.create(bundleDeployments, objectOf(planned, hashOf(data), ctx), { fieldManager: MANAGER });
    await writeSecret(created, data, ctx);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error; // a predecessor's create that our cache has not seen yet: its event brings us back
  }
}

async function update(planned: PlannedDeployment, ctx: PlanContext): Promise<void> {
  const key = { namespace: planned.namespace, name: planned.name };
  const existing = ctx.deployments.get(key);
  if (!existing) return;
  const data = await dataOf(existing, planned.spec.deploymentID === planned.spec.stagedDeploymentID, ctx);
  const hash = hashOf(data);
  if (hash !== (existing.spec.valuesHash ?? '')) await writeSecret(existing, data, ctx);
  const wanted = objectOf(planned, hash, ctx);
  const object: BundleDeployment = {
    ...existing,
    metadata: {
      ...existing.metadata,
      labels: wanted.metadata.labels ?? {},
      annotations: { ...existing.metadata.annotations, ...wanted.metadata.annotations },
    },
    spec: wanted.spec,
  };
  await ctx.client.update(bundleDeployments, object, { fieldManager: MANAGER });
}

/** While a version is only staged, the released one keeps its values. */
async function dataOf(existing: BundleDeployment, promoted: boolean, ctx: PlanContext): Promise<Record<string, string>> {
  const { namespace = '', name = '' } = existing.metadata;
  const staged = ctx.values.get(deploymentKey(namespace, name));
  if (promoted) return secretData(staged, staged);
  const secret = existing.spec.valuesHash ? await ctx.client.get(secrets, { namespace, name }).catch(ignoreNotFound) : undefined;
  return secretData(releasedValues(secret), staged);
}

/** BundleDeployments whose Secret is not the one they name: a write was cut off between the two. */
function mismatched(plan: RolloutPlan, ctx: PlanContext): BundleDeployment[] {
  const touched = new Set([...plan.create, ...plan.promote, ...plan.stage, ...plan.sync].map(({ namespace, name }) => deploymentKey(namespace, name)));
  return [...ctx.values.keys()].flatMap((key) => {
    if (touched.has(key)) return [];
    const [namespace = '', name = ''] = key.split('/');
    const deployment = ctx.deployments.get({ namespace, name });
    const hash = ctx.secrets.get({ namespace, name })?.metadata.annotations?.[VALUES_HASH] ?? '';
    return deployment && hash !== (deployment.spec.valuesHash ?? '') ? [deployment] : [];
  });
}

async function repairValues(deployment: BundleDeployment, ctx: PlanContext): Promise<void> {
  const data = await dataOf(deployment, deployment.spec.deploymentID === deployment.spec.stagedDeploymentID, ctx);
  await writeSecret(deployment, data, ctx);
  const hash = hashOf(data);
  if (hash === (deployment.spec.valuesHash ?? '')) return;
  await ctx.client.update(bundleDeployments, { ...deployment, spec: withValuesHash(deployment.spec, hash) }, { fieldManager: MANAGER });
}

async function writeSecret(deployment: BundleDeployment, data: Readonly<Record<string, string>>, ctx: PlanContext): Promise<void> {
  if (Object.keys(data).length === 0) return;
  const { namespace = '', name = '' } = deployment.metadata;
  const secret = onlyOver(valuesSecret(deployment, data), ctx.secrets.get({ namespace, name }));
  await ctx.client.apply(secrets, secret, { fieldManager: MANAGER, force: true });
}

async function remove(target: { namespace: string; name: string; uid?: string }, ctx: PlanContext): Promise<void> {
  const { uid, resourceVersion } = ctx.deployments.get(target)?.metadata ?? { uid: target.uid };
  const options = uid ? { preconditions: { uid, ...(resourceVersion ? { resourceVersion } : {}) } } : {};
  await ctx.client.delete(bundleDeployments, target, options).catch(ignoreNotFound);
}
