/** `…/scale`: the replica count of any workload in one common shape. Rule: autoscaling/v1 Scale. */
import { rfc3339 } from '#base/clock';
import { deepClone, getPath, isRecord } from '#base/json';
import type { LabelSelector } from '#apimachinery/labels';
import { trackUpdate } from '#apimachinery/managedfields';
import { formatApiVersion, type Unstructured } from '#apimachinery/meta';
import { invalid as invalidField } from '#apimachinery/validation';
import { builtinSchema, decodeBuiltin } from '#api/builtin';
import { badRequest, internalError, invalid } from '../errors.ts';
import type { ApiResponse } from '../http/types.ts';
import { decodeEntry } from '../registry/codec.ts';
import { getEntry } from '../registry/read.ts';
import type { ResourceType } from '../registry/types.ts';
import { updateObject } from '../registry/update.ts';
import type { Call } from './call.ts';
import { readObject } from './body.ts';
import { writeOptions, type WriteOptions } from './options.ts';
import { applyTo, patchKind, planPatch, readApplied } from './patch.ts';
import { objectResponse } from './respond.ts';
import { parentManagers, scaleManagers } from './scale-managers.ts';
import { sortedSelector } from './selector-text.ts';
import { managerFor } from './verbs.ts';

export const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

interface Scale extends Unstructured {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

const BUILTIN_PATHS = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };

export function scaleHandler(call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, type, deps } = call;
  if (info.verb === 'get') return respond(call, scaleOf(type, decodeEntry(getEntry(deps, type, info), type)));
  const options = writeOptions(info.query, info.verb === 'update' ? 'UpdateOptions' : 'PatchOptions');
  return info.verb === 'update' ? put(call, options) : patch(call, options);
}

function respond(call: Call, scale: Scale, status = 200): ApiResponse {
  const shown = { ...call, type: { ...call.type, ...SCALE, custom: undefined } as unknown as ResourceType };
  return objectResponse(shown, scale, status);
}

async function put(call: Call, options: WriteOptions): Promise<ApiResponse> {
  const { object } = readObject(call.request, SCALE);
  const scale = decodeScale(object);
  if (!scale.metadata.name) throw badRequest('name must be provided');
  if (scale.metadata.name !== call.info.name) throw badRequest(`the name of the object (${scale.metadata.name}) does not match the name on the URL (${call.info.name})`);
  return write(call, options, () => scale);
}

async function patch(call: Call, options: WriteOptions): Promise<ApiResponse> {
  const kind = patchKind(call.type.custom ? call : { ...call });
  if (kind === 'apply') {
    const { applied } = readApplied(call);
    const schema = builtinSchema(SCALE.group, SCALE.version, SCALE.kind);
    const type = { ...call.type, ...SCALE, strategy: { ...call.type.strategy, schema: schema ?? {} } } as ResourceType;
    return write(call, options, (live) => applyTo({ call: { ...call, type }, live, applied, manager: options.fieldManager ?? '', force: options.force ?? false }).object as Scale, true);
  }
  const schema = builtinSchema(SCALE.group, SCALE.version, SCALE.kind) ?? {};
  const plan = planPatch(kind, call.request.body, { ...call.type, strategy: { ...call.type.strategy, schema } });
  return write(call, options, (live) => decodeScale(plan.apply(live) as Unstructured));
}

function decodeScale(object: Unstructured): Scale {
  if (object.kind !== 'Scale') throw badRequest(`expected a Scale, got ${object.kind}`);
  try {
    return decodeBuiltin(SCALE, { ...object, apiVersion: 'autoscaling/v1' }).object as Scale;
  } catch (error) {
    throw badRequest(`Scale in version "v1" cannot be handled as a Scale: ${(error as Error).message}`);
  }
}

async function write(call: Call, options: WriteOptions, change: (live: Scale) => Scale, applied = false): Promise<ApiResponse> {
  const { type, info, deps, user } = call;
  const { object } = await updateObject(deps, {
    type,
    namespace: info.namespace,
    name: info.name,
    subresource: 'scale',
    user,
    manager: { name: '', applied: true },
    dryRun: options.dryRun,
    transform: (old) => {
      const live = scaleOf(type, old);
      const managedFields = scaleManagers(old.metadata.managedFields, stepsOf(replicasPath(type)));
      if (managedFields.length > 0) live.metadata.managedFields = managedFields;
      const changed = change(live);
      const scale = applied ? changed : track(call, options, { live, changed });
      const replicas = scale.spec?.replicas ?? 0;
      if (replicas < 0) throw invalid(SCALE, info.name, [invalidField('spec.replicas', replicas, 'must be greater than or equal to 0')]);
      const object = withReplicas(type, old, replicas, scale.metadata.resourceVersion);
      const managers = parentManagers(old.metadata.managedFields, scale.metadata.managedFields, { steps: stepsOf(replicasPath(type)), apiVersion: formatApiVersion(type.group, type.version) });
      if (managers.length > 0) object.metadata.managedFields = managers;
      else delete object.metadata.managedFields;
      return object;
    },
  });
  return respond(call, scaleOf(type, object));
}

function track(call: Call, options: WriteOptions, { live, changed }: { live: Scale; changed: Scale }): Scale {
  const schema = builtinSchema(SCALE.group, SCALE.version, SCALE.kind) ?? {};
  const now = rfc3339(call.deps.clock.wallMs());
  return trackUpdate({ live, object: changed, manager: managerFor(call, options).name, apiVersion: 'autoscaling/v1', subresource: 'scale', now, schema, resetFields: [['status']] }) as Scale;
}

function replicasPath(type: ResourceType): string {
  return (type.custom?.scale ?? BUILTIN_PATHS).specReplicasPath;
}

function withReplicas(type: ResourceType, old: Unstructured, replicas: number, resourceVersion: string | undefined): Unstructured {
  const object = deepClone(old);
  if (resourceVersion) object.metadata.resourceVersion = resourceVersion;
  const steps = stepsOf(replicasPath(type));
  let parent: Record<string, unknown> = object;
  for (const step of steps.slice(0, -1)) {
    if (!isRecord(parent[step])) parent[step] = {};
    parent = parent[step] as Record<string, unknown>;
  }
  parent[steps.at(-1) as string] = replicas;
  return object;
}

function stepsOf(path: string): string[] {
  return path.split('.').filter(Boolean);
}

/** The Scale an object amounts to. Throws when a custom resource lacks the path it declares. */
export function scaleOf(type: ResourceType, object: Unstructured): Scale {
  const paths = type.custom?.scale ?? BUILTIN_PATHS;
  const replicas = getPath(object, ...stepsOf(paths.specReplicasPath));
  if (type.custom && replicas === undefined) throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`);
  const { name = '', namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorOf(type, object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}), ...(creationTimestamp ? { creationTimestamp } : {}) },
    spec: replicas ? { replicas: Number(replicas) } : {},
    status: { replicas: Number(getPath(object, ...stepsOf(paths.statusReplicasPath)) ?? 0), ...(selector ? { selector } : {}) },
  };
}

function selectorOf(type: ResourceType, object: Unstructured): string {
  if (type.custom) {
    const path = type.custom.scale?.labelSelectorPath;
    const value = path ? getPath(object, ...stepsOf(path)) : undefined;
    return typeof value === 'string' ? value : '';
  }
  const selector = getPath(object, 'spec', 'selector');
  if (!isRecord(selector)) return '';
  const labels = type.kind === 'ReplicationController' ? { matchLabels: selector as Record<string, string> } : (selector as LabelSelector);
  return sortedSelector(labels);
}
