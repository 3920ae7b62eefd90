/**
 * CustomResourceDefinition (`apiextensions.k8s.io/v1`): defaults, and what makes one invalid. Rule: the API
 * reference and recorded answers of a real server. A schema that all versions share is reported once, at
 * `spec.validation`, because that is where the server's own form keeps it.
 */
import { deepEqual, isRecord } from '#base/json';
import type { Unstructured } from '../meta/index.ts';
import { at, child, dns1035Label, dns1123Subdomain, forbidden, invalid, notSupported, required, type FieldError } from '../validation/index.ts';
import { compileRuleErrors } from './cel-check.ts';
import { schemaErrors } from './structural.ts';
import type { Schema } from './types.ts';

interface Version {
  name: string;
  served?: boolean;
  storage?: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: unknown; scale?: { specReplicasPath?: string; statusReplicasPath?: string; labelSelectorPath?: string } };
  additionalPrinterColumns?: { name?: string; type?: string; format?: string; jsonPath?: string }[];
  selectableFields?: { jsonPath: string }[];
}

interface Names {
  plural?: string;
  singular?: string;
  kind?: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

interface Spec {
  group?: string;
  scope?: string;
  names?: Names;
  versions?: Version[];
  conversion?: { strategy?: string; webhook?: unknown };
  preserveUnknownFields?: boolean;
}

const specOf = (crd: Unstructured): Spec => (isRecord(crd['spec']) ? (crd['spec'] as Spec) : {});
const storedVersions = (crd: Unstructured): string[] | null => {
  const status = isRecord(crd['status']) ? crd['status'] : {};
  return Array.isArray(status['storedVersions']) ? (status['storedVersions'] as string[]) : null;
};

/** Fills in, in place, what a server fills in on every write. */
export function defaultCustomResourceDefinition(crd: Unstructured): void {
  const spec = specOf(crd);
  const names = (spec.names ??= {});
  if (!names.singular && names.kind) names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: 'None' };
  const status: Record<string, unknown> = isRecord(crd['status']) ? crd['status'] : {};
  const storage = spec.versions?.find((version) => version.storage)?.name;
  if (storage && (storedVersions(crd) ?? []).length === 0) crd['status'] = { ...status, storedVersions: [storage] };
}

/** Violations beyond those of the metadata. */
export function validateCustomResourceDefinition(crd: Unstructured): FieldError[] {
  const spec = specOf(crd);
  return [...nameErrors(crd, spec), ...specErrors(spec), ...storedErrors(spec, storedVersions(crd))];
}

export function validateCustomResourceDefinitionUpdate(crd: Unstructured, old: Unstructured): FieldError[] {
  const spec = specOf(crd);
  const before = specOf(old);
  const message = 'field is immutable';
  return [
    ...specErrors(spec),
    ...(spec.group === before.group ? [] : [invalid('spec.group', spec.group, message)]),
    ...(spec.scope === before.scope ? [] : [invalid('spec.scope', spec.scope, message)]),
    ...(['kind', 'plural'] as const).flatMap((field) => (spec.names?.[field] === before.names?.[field] ? [] : [invalid(`spec.names.${field}`, spec.names?.[field], message)])),
    ...storedErrors(spec, storedVersions(crd)),
  ];
}

function nameErrors(crd: Unstructured, spec: Spec): FieldError[] {
  const name = crd.metadata.name ?? '';
  return name === `${spec.names?.plural ?? ''}.${spec.group ?? ''}` ? [] : [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')];
}

function specErrors(spec: Spec): FieldError[] {
  return [...groupErrors(spec.group ?? ''), ...scopeErrors(spec.scope ?? ''), ...namesErrors(spec.names ?? {}), ...versionsErrors(spec.versions ?? []), ...schemasErrors(spec.versions ?? []), ...conversionErrors(spec)];
}

function groupErrors(group: string): FieldError[] {
  if (group === '') return [required('spec.group')];
  const wrong = dns1123Subdomain(group);
  if (wrong.length > 0) return [invalid('spec.group', group, wrong.join(','))];
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

function scopeErrors(scope: string): FieldError[] {
  if (scope === '') return [required('spec.scope')];
  return ['Cluster', 'Namespaced'].includes(scope) ? [] : [notSupported('spec.scope', scope, ['Cluster', 'Namespaced'])];
}

function namesErrors(names: Names): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = names[field] ?? '';
    const path = `spec.names.${field}`;
    const isKind = field === 'kind' || field === 'listKind';
    const wrong = dns1035Label(isKind ? value.toLowerCase() : value);
    if (value === '') errors.push(required(path));
    else if (wrong.length > 0) errors.push(invalid(path, value, `${isKind ? 'may have mixed case, but should otherwise match: ' : ''}${wrong.join(',')}`));
  }
  for (const field of ['shortNames', 'categories'] as const) {
    for (const [index, value] of (names[field] ?? []).entries()) {
      const wrong = dns1035Label(value);
      if (wrong.length > 0) errors.push(invalid(at(`spec.names.${field}`, index), value, wrong.join(',')));
    }
  }
  if (names.kind && names.kind === names.listKind) errors.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  return errors;
}

/** Versions as messages show them; a schema that all share is not among them. */
function shownVersions(versions: readonly Version[]): unknown[] {
  const shared = allEqual(versions.map((version) => version.schema));
  return versions.map((version) => ({
    Name: version.name, Served: version.served ?? false, Storage: version.storage ?? false, Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null, Schema: shared ? null : (version.schema ?? null), Subresources: null, AdditionalPrinterColumns: null, SelectableFields: null,
  }));
}

function allEqual(values: readonly unknown[]): boolean {
  return values.every((value) => deepEqual(value, values[0]));
}

function versionsErrors(versions: readonly Version[]): FieldError[] {
  const errors: FieldError[] = versions.flatMap((version, index) => {
    const wrong = dns1035Label(version.name);
    return [
      ...(wrong.length > 0 ? [invalid(child(at('spec.versions', index), 'name'), version.name, wrong.join(','))] : []),
      ...(version.deprecationWarning !== undefined && !version.deprecated ? [invalid(child(at('spec.versions', index), 'deprecationWarning'), version.deprecationWarning, 'can only be set for deprecated versions')] : []),
    ];
  });
  if (new Set(versions.map((version) => version.name)).size < versions.length) errors.push(invalid('spec.versions', shownVersions(versions), 'must contain unique version names'));
  if (versions.filter((version) => version.storage).length !== 1) errors.push(invalid('spec.versions', shownVersions(versions), 'must have exactly one version marked as storage version'));
  return errors;
}

function schemasErrors(versions: readonly Version[]): FieldError[] {
  const missing = versions.flatMap((version, index) => (version.schema?.openAPIV3Schema ? [] : [required(child(at('spec.versions', index), 'schema', 'openAPIV3Schema'))]));
  const shared = versions.length > 0 && allEqual(versions.map((version) => version.schema));
  const [first] = versions;
  const schemas = shared
    ? first?.schema?.openAPIV3Schema ? wholeSchemaErrors(first.schema.openAPIV3Schema, 'spec.validation.openAPIV3Schema') : []
    : versions.flatMap((version, index) => (version.schema?.openAPIV3Schema ? wholeSchemaErrors(version.schema.openAPIV3Schema, child(at('spec.versions', index), 'schema', 'openAPIV3Schema')) : []));
  return [...missing, ...schemas, ...versions.flatMap((version, index) => extrasErrors(version, versions.length === 1 ? 'spec' : at('spec.versions', index)))];
}

function wholeSchemaErrors(schema: Schema, path: string): FieldError[] {
  const errors = schemaErrors(schema, path);
  return errors.length > 0 ? errors : compileRuleErrors(schema, path);
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];

function extrasErrors(version: Version, path: string): FieldError[] {
  const columns = (version.additionalPrinterColumns ?? []).flatMap((column, index): FieldError[] => {
    const base = at(child(path, 'additionalPrinterColumns'), index);
    return [
      ...(column.name ? [] : [required(child(base, 'name'))]),
      ...(!column.type ? [required(child(base, 'type'), `must be one of ${COLUMN_TYPES.join(',')}`)] : COLUMN_TYPES.includes(column.type) ? [] : [invalid(child(base, 'type'), column.type, `must be one of ${COLUMN_TYPES.join(',')}`)]),
      ...(column.jsonPath ? [] : [required(child(base, 'JSONPath'))]),
    ];
  });
  const scale = version.subresources?.scale;
  if (!scale) return columns;
  const base = child(path, 'subresources', 'scale');
  const scalePath = (field: 'specReplicasPath' | 'statusReplicasPath', prefix: string): FieldError[] => {
    const value = scale[field] ?? '';
    if (value === '') return [required(child(base, field))];
    return value.startsWith(prefix) ? [] : [invalid(child(base, field), value, `should be a json path under ${prefix.slice(0, -1)}`)];
  };
  return [...columns, ...scalePath('specReplicasPath', '.spec.'), ...scalePath('statusReplicasPath', '.status.')];
}

function conversionErrors({ conversion, preserveUnknownFields }: Spec): FieldError[] {
  const strategy = conversion?.strategy ?? 'None';
  return [
    ...(['None', 'Webhook'].includes(strategy) ? [] : [notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]),
    ...(strategy === 'Webhook' && !conversion?.webhook ? [required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook')] : []),
    ...(strategy === 'None' && conversion?.webhook ? [forbidden('spec.conversion.webhookClientConfig', 'should not be set when strategy is not set to Webhook')] : []),
    ...(preserveUnknownFields === true ? [invalid('spec.preserveUnknownFields', true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead')] : []),
  ];
}

function storedErrors(spec: Spec, stored: string[] | null): FieldError[] {
  if (!stored || stored.length === 0) return [invalid('status.storedVersions', null, 'must have at least one stored version')];
  const names = (spec.versions ?? []).map((version) => version.name);
  return [
    ...(spec.versions ?? []).filter((version) => version.storage && !stored.includes(version.name)).map((version) => invalid('status.storedVersions', stored, `must have the storage version ${version.name}`)),
    ...stored.flatMap((name, index) =>
      names.includes(name) ? [] : [invalid(at('status.storedVersions', index), name, `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`)],
    ),
  ];
}
