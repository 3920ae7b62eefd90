/**
 * Rendered files to documents: splitting, hooks, Helm's order of kinds. Text is kept as the templates wrote
 * it; the parsed object stands beside it.
 */
import { isRecord } from '#base/json';
import { GoYamlError, parseYaml } from '#render/rawyaml';
import { ChartError } from './error.ts';
import type { HookEvent, RenderedHook, RenderedManifest } from './types.ts';

/** Kinds in the order Helm installs them; unknown kinds come last, by name. */
export const INSTALL_ORDER: readonly string[] = [
  'PriorityClass', 'Namespace', 'NetworkPolicy', 'ResourceQuota', 'LimitRange', 'PodSecurityPolicy', 'PodDisruptionBudget',
  'ServiceAccount', 'Secret', 'SecretList', 'ConfigMap', 'StorageClass', 'PersistentVolume', 'PersistentVolumeClaim',
  'CustomResourceDefinition', 'ClusterRole', 'ClusterRoleList', 'ClusterRoleBinding', 'ClusterRoleBindingList', 'Role', 'RoleList',
  'RoleBinding', 'RoleBindingList', 'Service', 'DaemonSet', 'Pod', 'ReplicationController', 'ReplicaSet', 'Deployment',
  'HorizontalPodAutoscaler', 'StatefulSet', 'Job', 'CronJob', 'IngressClass', 'Ingress', 'APIService',
  'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration',
];

/** Kinds in the order Helm deletes them. */
export const UNINSTALL_ORDER: readonly string[] = [
  'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService', 'Ingress', 'IngressClass', 'Service', 'CronJob', 'Job',
  'StatefulSet', 'HorizontalPodAutoscaler', 'Deployment', 'ReplicaSet', 'ReplicationController', 'Pod', 'DaemonSet', 'RoleBindingList',
  'RoleBinding', 'RoleList', 'Role', 'ClusterRoleBindingList', 'ClusterRoleBinding', 'ClusterRoleList', 'ClusterRole',
  'CustomResourceDefinition', 'PersistentVolumeClaim', 'PersistentVolume', 'StorageClass', 'ConfigMap', 'SecretList', 'Secret',
  'ServiceAccount', 'PodDisruptionBudget', 'PodSecurityPolicy', 'LimitRange', 'ResourceQuota', 'NetworkPolicy', 'Namespace', 'PriorityClass',
];

/** Stable: objects of one kind keep their order. */
export function sortByKind<T>(items: readonly T[], kindOf: (item: T) => string, order: readonly string[] = INSTALL_ORDER): T[] {
  const rank = new Map(order.map((kind, index) => [kind, index]));
  return [...items].sort((a, b) => {
    const kindA = kindOf(a);
    const kindB = kindOf(b);
    const rankA = rank.get(kindA);
    const rankB = rank.get(kindB);
    if (rankA === undefined && rankB === undefined) return kindA < kindB ? -1 : kindA > kindB ? 1 : 0;
    if (rankA === undefined) return 1;
    return rankB === undefined ? -1 : rankA - rankB;
  });
}

const MARK = '---';

/**
 * The documents of one rendered file, trimmed, empty ones left out. A separator is `---` at the start of the
 * text or of a line, with all white space around it; scanned by hand, because an expression that may begin
 * with any white space takes quadratic time on blank lines.
 */
export function splitManifests(text: string): string[] {
  const whole = goTrim(text);
  const documents: string[] = [];
  let start = 0;
  let from = 0;
  if (whole.startsWith(MARK)) start = from = skipSpace(whole, MARK.length);
  for (;;) {
    const at = whole.indexOf(`\n${MARK}`, from);
    if (at < 0) break;
    documents.push(whole.slice(start, at));
    start = from = skipSpace(whole, at + 1 + MARK.length);
  }
  documents.push(whole.slice(start));
  return documents.map(goTrim).filter((document) => document !== '');
}

function skipSpace(text: string, from: number): number {
  let end = from;
  while (isSpace(text.charCodeAt(end))) end++;
  return end;
}

/** ASCII white space of Go's expressions. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13 && code !== 11);
}

/** strings.TrimSpace */
function goTrim(text: string): string {
  const space = (code: number) => isSpace(code) || code === 11 || code === 0x85 || (code >= 0xa0 && code !== 0xfeff && String.fromCharCode(code).trim() === '');
  let start = 0;
  let end = text.length;
  while (start < end && space(text.charCodeAt(start))) start++;
  while (end > start && space(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const EVENTS: Readonly<Record<string, HookEvent>> = {
  'pre-install': 'pre-install',
  'post-install': 'post-install',
  'pre-delete': 'pre-delete',
  'post-delete': 'post-delete',
  'pre-upgrade': 'pre-upgrade',
  'post-upgrade': 'post-upgrade',
  'pre-rollback': 'pre-rollback',
  'post-rollback': 'post-rollback',
  test: 'test',
  'test-success': 'test',
};

export interface SortedManifests {
  manifests: RenderedManifest[];
  hooks: RenderedHook[];
}

/** Manifests and hooks of all rendered files, in Helm's order. Throws {@link ChartError} for YAML that cannot be read. */
export function sortManifests(files: ReadonlyMap<string, string>): SortedManifests {
  const manifests: RenderedManifest[] = [];
  const hooks: RenderedHook[] = [];
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path) as string;
    if (path.slice(path.lastIndexOf('/') + 1).startsWith('_') || content.trim() === '') continue;
    for (const text of splitManifests(content)) {
      const object = parseManifest(path, text);
      const annotations = annotationsOf(path, object);
      const events = annotations['helm.sh/hook'];
      if (events === undefined) manifests.push({ source: path, text, object });
      else {
        const hook = hookOf({ path, text, object }, annotations, events);
        if (hook) hooks.push(hook);
      }
    }
  }
  return { manifests: sortByKind(manifests, ({ object }) => kindText(object)), hooks: sortByKind(hooks, ({ kind }) => kind) };
}

function kindText(object: Record<string, unknown>): string {
  const kind = object['kind'];
  return kind === undefined || kind === null ? '' : String(kind as string | number | boolean);
}

function parseManifest(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    if (!(error instanceof GoYamlError)) throw error;
    throw new ChartError(`YAML parse error on ${path}: error converting YAML to JSON: ${error.message}`, { cause: error });
  }
  if (value === null) return {};
  if (!isRecord(value)) throw typeError(path, value, 'Go value of type v1.SimpleHead');
  for (const field of ['apiVersion', 'kind']) {
    if (typeof value[field] === 'object' && value[field] !== null) throw typeError(path, value[field], `Go struct field SimpleHead.${field} of type string`);
  }
  return value;
}

function typeError(path: string, value: unknown, target: string): ChartError {
  const shape = Array.isArray(value) ? 'array' : isRecord(value) ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new ChartError(`YAML parse error on ${path}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${shape} into ${target}`);
}

function annotationsOf(path: string, object: Record<string, unknown>): Record<string, string> {
  const metadata = object['metadata'];
  if (metadata === undefined || metadata === null) return {};
  if (!isRecord(metadata)) throw typeError(path, metadata, 'Go struct field SimpleHead.metadata of type struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }');
  if (typeof metadata['name'] === 'object' && metadata['name'] !== null) throw typeError(path, metadata['name'], 'Go struct field .metadata.name of type string');
  const annotations = metadata['annotations'];
  if (annotations === undefined || annotations === null) return {};
  if (!isRecord(annotations)) throw typeError(path, annotations, 'Go struct field .metadata.annotations of type map[string]string');
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value === 'object' && value !== null) throw typeError(path, value, 'Go struct field .metadata.annotations of type string');
    result[key] = value === null ? '' : String(value);
  }
  return result;
}

/** `undefined` for a hook whose events Helm does not know: it is left out altogether. */
function hookOf(place: { path: string; text: string; object: Record<string, unknown> }, annotations: Record<string, string>, eventList: string): RenderedHook | undefined {
  const events: HookEvent[] = [];
  for (const name of list(eventList)) {
    const event = EVENTS[name];
    if (event === undefined) return undefined;
    events.push(event);
  }
  const metadata = place.object['metadata'] as Record<string, unknown>;
  const weight = annotations['helm.sh/hook-weight'] ?? '';
  return {
    name: metadata['name'] === undefined || metadata['name'] === null ? '' : String(metadata['name']),
    kind: kindText(place.object),
    path: place.path,
    events,
    weight: /^[+-]?[0-9]+$/.test(weight) ? Number(weight) : 0,
    deletePolicies: annotations['helm.sh/hook-delete-policy'] === undefined ? [] : list(annotations['helm.sh/hook-delete-policy']),
    outputLogPolicies: annotations['helm.sh/hook-output-log-policy'] === undefined ? [] : list(annotations['helm.sh/hook-output-log-policy']),
    text: place.text,
    object: place.object,
  };
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim().toLowerCase());
}
