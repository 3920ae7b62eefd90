/** What a server warns about although it accepts the object. Rule: the `warnings` of Kubernetes 1.36's registries; recorded answers. */
import { isRecord } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import { isQuantity, parseQuantity } from '#apimachinery/quantity';
import { finalizerWarnings } from '#apimachinery/validation';

type Struct = Record<string, unknown>;

const structs = (value: unknown): Struct[] => (Array.isArray(value) ? value.filter(isRecord) : []);
const struct = (value: unknown): Struct => (isRecord(value) ? value : {});

/** Resources that are counted in whole bytes. */
const BYTE_RESOURCES = ['memory', 'ephemeral-storage', 'storage'];

/** Where a kind keeps its pod template, as paths; `spec` for a pod itself. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  '/ReplicationController': ['spec', 'template', 'spec'],
  '/PodTemplate': ['template', 'spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** Texts of the Warning headers of a write, in order. */
export function builtinWarnings({ group, kind }: { group: string; kind: string }, object: Unstructured): string[] {
  const path = POD_SPECS[`${group}/${kind}`];
  const warnings = finalizerWarnings(object.metadata.finalizers);
  if (path) warnings.push(...podWarnings(path.reduce<Struct>((value, step) => struct(value[step]), object), path.join('.')));
  if (kind === 'PersistentVolumeClaim' && group === '') warnings.push(...amountWarnings(struct(struct(struct(object['spec'])['resources'])['requests']), 'spec.resources.requests'));
  return warnings;
}

function podWarnings(spec: Struct, path: string): string[] {
  const warnings: string[] = [];
  for (const field of ['initContainers', 'containers']) {
    for (const [index, container] of structs(spec[field]).entries()) {
      const base = `${path}.${field}[${index}]`;
      warnings.push(...repeatedEnv(structs(container['env']), `${base}.env`));
      for (const part of ['limits', 'requests']) warnings.push(...amountWarnings(struct(struct(container['resources'])[part]), `${base}.resources.${part}`));
    }
  }
  return warnings;
}

function amountWarnings(amounts: Struct, path: string): string[] {
  return Object.keys(amounts).sort().flatMap((name) => {
    const amount = amounts[name];
    if (!BYTE_RESOURCES.includes(name) || typeof amount !== 'string' || !isQuantity(amount) || parseQuantity(amount).scale >= 0) return [];
    return [`${path}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`];
  });
}

/** The last value of a variable wins, which is seldom meant. */
function repeatedEnv(env: Struct[], path: string): string[] {
  const seen = new Map<string, number>();
  return env.flatMap((entry, index) => {
    const name = typeof entry['name'] === 'string' ? entry['name'] : '';
    const first = seen.get(name);
    seen.set(name, index);
    return first === undefined ? [] : [`${path}[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`];
  });
}
