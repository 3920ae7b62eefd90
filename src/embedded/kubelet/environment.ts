/**
 * The environment of a container: values, references to secrets, config maps and the pod's own fields,
 * and `$(NAME)` expansion. Pure; what references point at is passed in. Rule: API reference of `EnvVar`,
 * "Define dependent environment variables".
 */
import { getPath } from '#base/json';
import type { ConfigMap, Container, EnvVar, ObjectFieldSelector, Pod, ResourceFieldSelector, Secret } from '#api/builtin';

/** Objects that a pod refers to, by name in the pod's namespace. */
export interface References {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** The pod cannot start yet; `reason` goes into the container's waiting state. */
export class ContainerConfigError extends Error {
  override name = 'ContainerConfigError';
}

/** Facts that only the node knows. */
export interface NodeFacts {
  nodeName: string;
  hostIP: string;
  podIP: string;
}

/** All variables of a container. Throws {@link ContainerConfigError} for a missing required reference. */
export function containerEnvironment(pod: Pod, container: Container, references: References, facts: NodeFacts): Record<string, string> {
  const env: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const data = source.secretRef ? secretData(references, source.secretRef) : configData(references, source.configMapRef);
    for (const [key, value] of Object.entries(data)) env[`${source.prefix ?? ''}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom ? valueFrom(variable, { pod, container, references, facts }) : expand(variable.value ?? '', env);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

/** Replaces `$(NAME)` by known variables; `$$(NAME)` stays as `$(NAME)`, unknown ones stay as they are. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (whole, name?: string) => (name === undefined ? '$' : Object.hasOwn(env, name) ? (env[name] ?? '') : whole));
}

interface ValueContext {
  pod: Pod;
  container: Container;
  references: References;
  facts: NodeFacts;
}

function valueFrom({ valueFrom: from = {} }: EnvVar, { pod, container, references, facts }: ValueContext): string | undefined {
  if (from.fieldRef) return podField(pod, from.fieldRef, facts);
  if (from.resourceFieldRef) return resourceField(pod, container, from.resourceFieldRef);
  if (from.secretKeyRef) return pickKey(`secret "${from.secretKeyRef.name}"`, from.secretKeyRef, secretData(references, from.secretKeyRef));
  if (from.configMapKeyRef) return pickKey(`configmap "${from.configMapKeyRef.name}"`, from.configMapKeyRef, configData(references, from.configMapKeyRef));
  return undefined;
}

function pickKey(what: string, { key, optional }: { key: string; optional?: boolean }, data: Readonly<Record<string, string>>): string | undefined {
  if (Object.hasOwn(data, key)) return data[key];
  if (optional) return undefined;
  throw new ContainerConfigError(`couldn't find key ${key} in ${what}`);
}

function secretData(references: References, { name = '', optional }: { name?: string; optional?: boolean }): Record<string, string> {
  const secret = references.secret(name);
  if (!secret && !optional) throw new ContainerConfigError(`secret "${name}" not found`);
  return Object.fromEntries(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

function configData(references: References, { name = '', optional }: { name?: string; optional?: boolean } = {}): Record<string, string> {
  const map = references.configMap(name);
  if (!map && !optional) throw new ContainerConfigError(`configmap "${name}" not found`);
  return { ...map?.data };
}

/** A field of the pod as the downward API offers it; labels and annotations as `key="value"` lines. */
export function podField(pod: Pod, { fieldPath }: ObjectFieldSelector, facts: NodeFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(fieldPath);
  if (subscript) return pod.metadata[subscript[1] as 'labels']?.[subscript[2] ?? ''] ?? '';
  switch (fieldPath) {
    case 'metadata.labels':
    case 'metadata.annotations':
      return Object.entries(pod.metadata[fieldPath.slice(9) as 'labels'] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n');
    case 'status.podIP':
    case 'status.podIPs':
      return facts.podIP;
    case 'status.hostIP':
    case 'status.hostIPs':
      return facts.hostIP;
    case 'spec.nodeName':
      return facts.nodeName;
    default:
      return scalarText(getPath(pod, ...fieldPath.split('.')));
  }
}

function scalarText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** A container's request or limit in units of the divisor, rounded up. */
export function resourceField(pod: Pod, container: Container, { containerName, resource, divisor }: ResourceFieldSelector): string {
  const from = containerName ? ([...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((each) => each.name === containerName) ?? container) : container;
  const [kind = '', name = ''] = resource.split(/\.(.*)/s);
  const amounts = kind === 'limits' ? from.resources?.limits : from.resources?.requests;
  const unit = plain(divisor && divisor !== '0' ? divisor : '1');
  return String(Math.ceil(plain(amounts?.[name] ?? '0') / unit));
}

const UNITS: Readonly<Record<string, number>> = { m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };

function plain(text: string): number {
  const match = /^([\d.eE+-]+?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  return match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1) : 0;
}
