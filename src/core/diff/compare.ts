/**
 * Desired against live, one object. Only what is desired counts: keys and list entries that the cluster or
 * others added are not drift. Lists whose entries have an identity (containers by name, ports by number)
 * are compared entry by entry, whatever their order; other lists as wholes.
 *
 * Equal are also: a desired zero value and nothing (the API server leaves zero values out), and two
 * writings of one quantity (`1000m` and `1`).
 */
import { compareQuantities, parseQuantity } from '#apimachinery/quantity';
import { isRecord } from '#base/json';

/** A merge patch that would lead from live to desired; `undefined` when nothing differs. */
export function differences(desired: unknown, live: unknown): unknown {
  return compare(desired, live, '');
}

/** `field` is the key under which the values stand. */
function compare(desired: unknown, live: unknown, field: string): unknown {
  if (desired === null || desired === undefined) return undefined;
  if (Array.isArray(desired)) return compareLists(desired as unknown[], live, field);
  if (isRecord(desired)) return compareRecords(desired, live, field);
  return sameScalar(desired, live, field) ? undefined : desired;
}

function compareRecords(desired: Record<string, unknown>, live: unknown, field: string): unknown {
  if (!isRecord(live)) return live === undefined || live === null ? substance(desired) : desired;
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(desired)) {
    const difference = compare(value, Object.hasOwn(live, key) ? live[key] : undefined, QUANTITIES.has(field) ? field : key);
    if (difference !== undefined) Object.defineProperty(patch, key, { value: difference, enumerable: true, configurable: true, writable: true });
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function compareLists(desired: readonly unknown[], live: unknown, field: string): unknown {
  if (!Array.isArray(live)) return live === undefined || live === null ? substance(desired) : desired;
  const identity = identityOf(field, desired, live as unknown[]);
  const equal = identity
    ? desired.every((item) => {
        const partner = (live as unknown[]).find((other) => identity(other) === identity(item));
        return partner !== undefined && compare(item, partner, '') === undefined;
      })
    : desired.length === live.length && desired.every((item, index) => compare(item, live[index], field) === undefined);
  return equal ? undefined : desired;
}

/** What is left of a desired value without zero values; `undefined` when nothing is. */
function substance(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (isRecord(value)) return Object.values(value).some((member) => substance(member) !== undefined) ? value : undefined;
  return isZero(value) ? undefined : value;
}

function isZero(value: unknown): boolean {
  return value === null || value === undefined || value === '' || value === 0 || value === false;
}

/** Lists with an identity, by the field they stand in. Source: patchMergeKey and listMapKeys of the built-in kinds. */
const IDENTITIES: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  secrets: ['name'],
  webhooks: ['name'],
  versions: ['name'],
  volumeClaimTemplates: [],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

function identityOf(field: string, desired: readonly unknown[], live: readonly unknown[]): ((item: unknown) => string) | undefined {
  const keys = field === 'ports' ? portKeys(desired) : IDENTITIES[field];
  if (!keys || keys.length === 0) return field === 'finalizers' ? (item) => String(item) : undefined;
  const identity = (item: unknown) => (isRecord(item) ? keys.map((key) => String((item[key] as string | number | undefined) ?? (key === 'protocol' ? 'TCP' : ''))).join('\0') : '');
  // Entries that share an identity (the same variable twice) have an order that matters.
  const unique = (list: readonly unknown[]) => new Set(list.map(identity)).size === list.length;
  return unique(desired) && unique(live) ? identity : undefined;
}

function portKeys(desired: readonly unknown[]): readonly string[] {
  const sample = desired.find(isRecord);
  if (sample && 'containerPort' in sample) return ['containerPort', 'protocol'];
  return sample && 'port' in sample ? ['port', 'protocol'] : [];
}

/** Fields whose values (or whose members' values) are quantities. */
const QUANTITIES = new Set(['limits', 'requests', 'capacity', 'hard', 'default', 'defaultRequest', 'max', 'min', 'sizeLimit', 'divisor', 'averageValue', 'storage', 'cpu', 'memory', 'ephemeral-storage']);

function sameScalar(desired: unknown, live: unknown, field: string): boolean {
  if (desired === live) return true;
  if (live === undefined || live === null) return isZero(desired);
  return QUANTITIES.has(field) && sameQuantity(desired, live);
}

function sameQuantity(desired: unknown, live: unknown): boolean {
  if (!isPlain(desired) || !isPlain(live)) return false;
  try {
    return compareQuantities(parseQuantity(String(desired)), parseQuantity(String(live))) === 0;
  } catch {
    return false;
  }
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
