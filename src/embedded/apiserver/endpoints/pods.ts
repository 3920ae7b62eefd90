/** Subresources of pods: binding, eviction, log; exec and its like are refused with a sentence. */
import { deepClone } from '#base/json';
import { rfc3339 } from '#base/clock';
import { StatusError } from '#apimachinery/status';
import { matchesSelector, type LabelSelector } from '#apimachinery/labels';
import type { Unstructured } from '#apimachinery/meta';
import { badRequest, conflict, forbidden, internalError, plainError } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import { decodeEntry } from '../registry/codec.ts';
import { deleteObject, type DeleteOptions } from '../registry/delete.ts';
import { getEntry } from '../registry/read.ts';
import type { ResourceType } from '../registry/types.ts';
import { updateObject } from '../registry/update.ts';
import type { Call } from './call.ts';
import { readBuiltin } from './body.ts';
import { writeOptions } from './options.ts';
import { plainResponse } from './respond.ts';
import { managerFor } from './verbs.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

interface PodCondition {
  type: string;
  status: string;
  [field: string]: unknown;
}

interface Pod extends Unstructured {
  spec: { nodeName?: string; schedulingGates?: unknown[] };
  status?: { phase?: string; conditions?: PodCondition[] };
}

interface Binding extends Unstructured {
  target?: { kind?: string; name?: string; apiVersion?: string };
}

/** `pods/binding`, and the old form `bindings`. */
export async function bindingHandler(call: Call): Promise<ApiResponse> {
  const { info, deps, user } = call;
  const options = writeOptions(info.query, 'CreateOptions');
  const kind = { group: '', version: 'v1', kind: 'Binding' };
  const binding = readBuiltin(call.request, kind) as Binding;
  const name = info.subresource ? info.name : (binding.metadata.name ?? '');
  if (info.subresource && binding.metadata.name && binding.metadata.name !== name) throw badRequest('name in URL does not match name in Binding object');
  const { kind: targetKind = '', name: node = '' } = binding.target ?? {};
  if (targetKind !== '' && targetKind !== 'Node') throw plainError(`target.kind: Unsupported value: ${JSON.stringify(targetKind)}: supported values: "Node", "<empty>"`);
  if (node === '') throw plainError('target.name: Required value');
  await updateObject(deps, {
    type: podType(call),
    namespace: info.namespace,
    name,
    subresource: 'binding',
    user,
    manager: managerFor(call, options),
    dryRun: options.dryRun,
    transform: (old) => bind(old as Pod, binding, node, rfc3339(deps.clock.wallMs())),
  });
  return plainResponse(call, SUCCESS, 201);
}

function podType({ deps }: Call): ResourceType {
  return deps.resources.get('', 'v1', 'pods') as ResourceType;
}

function bind(old: Pod, binding: Binding, node: string, now: string): Pod {
  const name = old.metadata.name ?? '';
  const refuse = (why: string) => conflict({ group: '', plural: 'pods/binding' }, name, why);
  const { uid, resourceVersion } = binding.metadata;
  if (uid && uid !== old.metadata.uid) throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`);
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) throw refuse(`Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${old.metadata.resourceVersion}`);
  if (old.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (old.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(old.spec.nodeName)}`);
  if (old.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const pod = deepClone(old);
  pod.spec.nodeName = node;
  if (binding.metadata.annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now };
  pod.status = { ...pod.status, conditions: [...others, scheduled] };
  return pod;
}

interface Budget extends Unstructured {
  spec: { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string };
  status: { observedGeneration?: number; disruptionsAllowed?: number; currentHealthy?: number; desiredHealthy?: number; disruptedPods?: Record<string, string>; conditions?: Record<string, unknown>[] };
}

const BUDGET_TEXT = "Cannot evict pod as it would violate the pod's disruption budget.";
/** More evictions than this cannot be under way under one budget. */
const DISRUPTED_PODS_MAX = 2000;

/** `pods/eviction`: a delete that asks the pod's disruption budget first. */
export async function evictionHandler(call: Call): Promise<ApiResponse> {
  const { info, deps, user, type } = call;
  const query = writeOptions(info.query, 'CreateOptions');
  const kind = { group: 'policy', version: 'v1', kind: 'Eviction' };
  const eviction = readBuiltin(call.request, kind);
  if (eviction.metadata.name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
  const raw = (eviction['deleteOptions'] ?? {}) as DeleteOptions & { dryRun?: string[] };
  const options: DeleteOptions = { ...raw, dryRun: query.dryRun || (raw.dryRun as unknown as string[] | undefined)?.includes('All') === true };
  const pod = decodeEntry(getEntry(deps, type, info), type) as Pod;
  const budget = needsBudget(pod) ? budgetOf(call, pod) : undefined;
  if (budget && !mayIgnore(budget, pod)) await takeDisruption(call, budget, pod, options.dryRun ?? false);
  if (!options.dryRun && !pod.metadata.deletionTimestamp) await markDisrupted(call);
  await deleteObject(deps, { type, namespace: info.namespace, name: info.name, user, options });
  return plainResponse(call, SUCCESS, 201);
}

/** Tells why the pod goes, before it goes. Rule: "Pod disruption conditions". */
async function markDisrupted({ deps, info, user, type }: Call): Promise<void> {
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting', lastTransitionTime: rfc3339(deps.clock.wallMs()) };
  await updateObject(deps, {
    type,
    namespace: info.namespace,
    name: info.name,
    subresource: 'status',
    user,
    manager: { name: '' },
    dryRun: false,
    transform(old) {
      const pod = deepClone(old) as Pod;
      pod.status = { ...pod.status, conditions: [...(pod.status?.conditions ?? []).filter((each) => each.type !== condition.type), condition] };
      return pod;
    },
  });
}

function needsBudget({ status, metadata }: Pod): boolean {
  return !metadata.deletionTimestamp && !['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '');
}

function budgetOf({ deps, info }: Call, pod: Pod): Budget | undefined {
  const type = { group: 'policy', version: 'v1', kind: 'PodDisruptionBudget' };
  const matching = deps.storage
    .list('policy/poddisruptionbudgets', { prefix: `${info.namespace}/` })
    .map((entry) => decodeEntry(entry, type) as Budget)
    .filter(({ spec }) => matchesSelector(spec.selector, pod.metadata.labels));
  if (matching.length > 1) throw internalError('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  return matching[0];
}

function mayIgnore({ spec, status }: Budget, pod: Pod): boolean {
  const ready = pod.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  if (ready) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return (status.currentHealthy ?? 0) >= (status.desiredHealthy ?? 0) && (status.desiredHealthy ?? 0) > 0;
}

async function takeDisruption({ deps, info, user }: Call, budget: Budget, pod: Pod, dryRun: boolean): Promise<void> {
  const type = deps.resources.get('policy', 'v1', 'poddisruptionbudgets') as ResourceType;
  const now = rfc3339(deps.clock.wallMs());
  await updateObject(deps, {
    type,
    namespace: info.namespace,
    name: budget.metadata.name ?? '',
    subresource: 'status',
    user,
    manager: { name: '' },
    dryRun,
    transform: (old) => disrupted(old as Budget, pod, now),
  });
}

function disrupted(old: Budget, pod: Pod, now: string): Budget {
  const name = old.metadata.name ?? '';
  const { status } = old;
  const tooMany = (message: string, seconds: number) =>
    new StatusError(429, 'TooManyRequests', BUDGET_TEXT, { causes: [{ reason: 'DisruptionBudget', message }], ...(seconds ? { retryAfterSeconds: seconds } : {}) });
  if ((status.observedGeneration ?? 0) < (old.metadata.generation ?? 0)) throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 10);
  const allowed = status.disruptionsAllowed ?? 0;
  const subject = { group: 'policy', plural: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(subject, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > DISRUPTED_PODS_MAX) throw forbidden(subject, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (allowed === 0) throw tooMany(`The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`, 0);
  const next = deepClone(old);
  next.status.disruptionsAllowed = allowed - 1;
  next.status.disruptedPods = { ...next.status.disruptedPods, [pod.metadata.name ?? '']: now };
  if (allowed === 1) {
    next.status.conditions = (next.status.conditions ?? []).map((condition) =>
      condition['type'] === 'DisruptionAllowed' ? { ...condition, status: 'False', reason: 'InsufficientPods', lastTransitionTime: now, observedGeneration: status.observedGeneration } : condition,
    );
  }
  return next;
}

/** exec, attach, port-forward: not offered; the sentence is what kubectl prints. */
export function streamingRefused({ info }: Call): never {
  throw new StatusError(501, 'MethodNotAllowed', `pods/${info.subresource} is not supported by the embedded cluster: processes have no terminal to attach to; use kubectl logs`, { name: info.name, kind: 'pods' });
}
