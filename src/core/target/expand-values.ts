/**
 * What happens to Helm values on the management side, once per cluster: label references are replaced,
 * `${ }` templates expanded, templateValues rendered and laid over (facts §2.5).
 *
 * Quirk kept from Fleet: a cluster without labels of its own gets its values untouched.
 */
import type { Cluster, HelmOptions } from '#api/fleet';
import { deepClone, isRecord } from '#base/json';
import type { TemplateTools } from './types.ts';

const LABEL_REFERENCE = 'global.fleet.clusterLabels.';
/** Deepest nesting of values that is looked at; deeper is an error. */
export const VALUES_DEPTH_MAX = 50;

type Values = Record<string, unknown>;

/** The helm options for this cluster. Throws an `Error` when a template cannot be expanded. */
export function expandValues(helm: HelmOptions | undefined, cluster: Cluster, templates: TemplateTools): HelmOptions | undefined {
  const labels = visible(cluster.metadata.labels);
  if (!helm || Object.keys(labels).length === 0) return helm;
  const values = helm.values ?? {};
  if (!helm.templateValues && !mentions(values, 0)) return helm;
  const substituted = substituteLabels(deepClone(values), labels, 0) as Values;
  if (helm.disablePreProcess) return { ...helm, values: substituted };
  const context = {
    ClusterNamespace: cluster.metadata.namespace ?? '',
    ClusterName: cluster.metadata.name ?? '',
    ClusterLabels: labels,
    ClusterAnnotations: visible(cluster.metadata.annotations),
    ClusterValues: cluster.spec.templateValues ?? {},
  };
  const expanded = expandTemplates(substituted, context, templates);
  for (const [key, text] of Object.entries(helm.templateValues ?? {})) {
    expanded[key] = parse(`templateValues.${key}`, expand(`templateValues.${key}`, text, context, templates), templates);
  }
  return { ...helm, values: expanded };
}

/** Labels and annotations a template may see: kubectl's and Rancher's own are hidden, Fleet's and the display name are not. */
function visible(map: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const shown = Object.entries(map ?? {}).filter(
    ([key]) => /^(fleet|management)\.cattle\.io\//.test(key) || (!key.startsWith('kubectl.kubernetes.io') && !key.includes('cattle.io/')),
  );
  return Object.fromEntries(shown);
}

function substituteLabels(value: unknown, labels: Readonly<Record<string, string>>, depth: number): unknown {
  if (depth > VALUES_DEPTH_MAX) throw new Error(`helm.values: nested deeper than ${VALUES_DEPTH_MAX} levels: flatten them`);
  if (Array.isArray(value)) return value.map((item) => (isRecord(item) ? substituteLabels(item, labels, depth + 1) : item));
  if (!isRecord(value)) return value;
  for (const [key, member] of Object.entries(value)) {
    value[key] = typeof member === 'string' && member.startsWith(LABEL_REFERENCE) ? (labels[member.slice(LABEL_REFERENCE.length)] ?? '') : substituteLabels(member, labels, depth + 1);
  }
  return value;
}

/** Values without any `${` need no template engine: the text form would give them back unchanged. */
function expandTemplates(values: Values, context: Values, templates: TemplateTools): Values {
  if (!mentions(values, 0, ['${'])) return values;
  const text = expand('helm.values', templates.formatYaml(values), context, templates);
  const parsed = parse('helm.values', text, templates);
  return isRecord(parsed) ? parsed : {};
}

/** Whether any text in the values contains one of the marks. Values nested too deeply are left to be refused. */
function mentions(value: unknown, depth: number, marks: readonly string[] = ['${', LABEL_REFERENCE]): boolean {
  if (depth > VALUES_DEPTH_MAX) return true;
  if (typeof value === 'string') return marks.some((mark) => value.includes(mark));
  if (Array.isArray(value)) return value.some((item) => mentions(item, depth + 1, marks));
  return isRecord(value) && Object.entries(value).some(([key, member]) => marks.some((mark) => key.includes(mark)) || mentions(member, depth + 1, marks));
}

function expand(what: string, text: string, context: Values, templates: TemplateTools): string {
  try {
    return templates.expand(text, context);
  } catch (error) {
    throw new Error(`${what}: template failed`, { cause: error });
  }
}

function parse(what: string, text: string, templates: TemplateTools): unknown {
  try {
    return templates.parseYaml(text);
  } catch (error) {
    throw new Error(`${what}: expanded template is no YAML`, { cause: error });
  }
}
