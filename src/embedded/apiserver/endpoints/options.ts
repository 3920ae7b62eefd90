/**
 * Query parameters as typed options, refused with the words of the real server.
 * Rule: apimachinery `meta/internalversion/validation`, `meta/v1/validation`, and Go's strconv messages.
 */
import { StatusError } from '#apimachinery/status';
import { parseFieldSelector, type FieldRequirement } from '#apimachinery/fields';
import { parseSelector, type Requirement } from '#apimachinery/labels';
import { forbidden, invalid as invalidField, notSupported, type FieldError } from '#apimachinery/validation';
import { badRequest, invalid } from '../errors.ts';
import { isTrue } from '../http/requestinfo.ts';
import type { ListOptions } from '../registry/read.ts';
import type { DeleteOptions } from '../registry/delete.ts';
import type { FieldValidation, ResourceType } from '../registry/types.ts';

const INTEGER = /^[+-]?\d+$/;

/** An integer parameter; absent or empty is undefined. */
export function integerOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!INTEGER.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

export function labelSelectorOption(query: URLSearchParams): Requirement[] {
  try {
    return parseSelector(query.get('labelSelector') ?? '');
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

/** Field selectors may only name what the kind offers. */
export function fieldSelectorOption(query: URLSearchParams, type: ResourceType): FieldRequirement[] {
  const text = query.get('fieldSelector') ?? '';
  if (text === '') return [];
  let terms: FieldRequirement[];
  try {
    terms = parseFieldSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  const known = type.strategy.selectableFields;
  for (const { field } of terms) {
    if (known.includes(field) || field === 'metadata.name' || (field === 'metadata.namespace' && (type.namespaced || !type.custom))) continue;
    throw badRequest(unknownField(field, type));
  }
  return terms;
}

function unknownField(field: string, type: ResourceType): string {
  if (type.custom) return `field label not supported: ${field}`;
  if (type.strategy.selectableFields.length > 0) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

export function listOptions(query: URLSearchParams, type: ResourceType, namespace: string): ListOptions & { watch: boolean; timeoutSeconds: number | undefined } {
  const limit = integerOption(query, 'limit') ?? 0;
  const timeoutSeconds = integerOption(query, 'timeoutSeconds');
  const labels = labelSelectorOption(query);
  const fields = fieldSelectorOption(query, type);
  const watch = isTrue(query.get('watch'));
  const resourceVersion = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const findings = listFindings(query, { watch, resourceVersion, match });
  if (findings.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', findings);
  if (!watch) checkVersionText(resourceVersion);
  return { labels, fields, limit, continue: query.get('continue') ?? '', resourceVersion, match, watch, timeoutSeconds, ...(namespace ? { namespace } : {}) };
}

export function checkVersionText(resourceVersion: string): void {
  const problem = versionProblem(resourceVersion);
  if (problem) throw badRequest(`invalid resource version: ${problem}`);
}

/** A watch words it without a prefix, and as a 500 without reason. */
export function watchVersion(resourceVersion: string): number {
  const problem = versionProblem(resourceVersion);
  if (problem) throw new StatusError(500, '', problem);
  return Number(resourceVersion || 0);
}

function versionProblem(text: string): string | undefined {
  if (text === '' || /^\d+$/.test(text)) return undefined;
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function listFindings(query: URLSearchParams, options: { watch: boolean; resourceVersion: string; match: string }): FieldError[] {
  const initial = query.get('sendInitialEvents');
  return options.watch ? watchFindings(initial, options) : plainListFindings(query, initial, options);
}

const MATCH = 'resourceVersionMatch';

function plainListFindings(query: URLSearchParams, initial: string | null, { resourceVersion, match }: { resourceVersion: string; match: string }): FieldError[] {
  if (initial !== null) return [forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')];
  if (match === '') return [];
  const findings: FieldError[] = [];
  if (query.get('continue')) findings.push(forbidden(MATCH, `resourceVersionMatch is forbidden when continue is provided`));
  if (resourceVersion === '') findings.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
  if (match !== 'Exact' && match !== 'NotOlderThan') findings.push(notSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
  if (match === 'Exact' && resourceVersion === '0') findings.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  return findings;
}

function watchFindings(initial: string | null, { match }: { match: string }): FieldError[] {
  if (initial !== null) {
    if (match === 'NotOlderThan') return [];
    if (match !== '') return [notSupported(MATCH, match, ['NotOlderThan'])];
    return [forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')];
  }
  return match === '' ? [] : [forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')];
}

export interface WriteOptions {
  dryRun: boolean;
  fieldManager: string | null;
  fieldValidation: FieldValidation;
  force: boolean | undefined;
}

const FIELD_VALIDATIONS = ['Ignore', 'Strict', 'Warn'];
const FIELD_MANAGER_MAX = 128;

/** Options of create, update and patch. `kind` names them in errors; `apply` says what a patch is. */
export function writeOptions(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions', apply = false): WriteOptions {
  const findings: FieldError[] = [];
  const dryRun = query.getAll('dryRun').filter((item) => item !== '');
  const fieldManager = query.get('fieldManager');
  const validation = query.get('fieldValidation') ?? '';
  const force = query.has('force') ? isTrue(query.get('force')) : undefined;
  if (kind === 'PatchOptions' && !apply && force !== undefined) findings.push(forbidden('force', 'may not be specified for non-apply patch'));
  if (apply && !fieldManager) findings.push({ type: 'FieldValueRequired', field: 'fieldManager', message: 'Required value: is required for apply patch' });
  findings.push(...fieldManagerFindings(fieldManager ?? ''), ...dryRunFindings(dryRun));
  if (validation !== '' && !FIELD_VALIDATIONS.includes(validation)) findings.push(notSupported('fieldValidation', validation, ['', ...FIELD_VALIDATIONS]));
  if (findings.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', findings);
  return { dryRun: dryRun.length > 0, fieldManager, fieldValidation: (validation || 'Warn') as FieldValidation, force };
}

function fieldManagerFindings(name: string): FieldError[] {
  const findings: FieldError[] = [];
  if (name.length > FIELD_MANAGER_MAX) findings.push({ type: 'FieldValueTooLong', field: 'fieldManager', message: `Too long: may not be more than ${FIELD_MANAGER_MAX} bytes` });
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) findings.push(invalidField('fieldManager', name, `should only contain printable characters`));
  return findings;
}

function dryRunFindings(values: readonly string[]): FieldError[] {
  const odd = values.filter((value) => value !== 'All');
  return odd.length > 0 ? [notSupported('dryRun', values, ['All'])] : [];
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** DeleteOptions from the body, or from the query when there is none. */
export function deleteOptions(query: URLSearchParams, body: Record<string, unknown> | undefined): DeleteOptions {
  const raw = body ?? queryDeleteOptions(query);
  const findings: FieldError[] = [];
  const policy = raw['propagationPolicy'];
  const orphan = raw['orphanDependents'];
  if (policy !== undefined && policy !== null && orphan !== undefined && orphan !== null) {
    findings.push(invalidField('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (policy !== undefined && policy !== null && !POLICIES.includes(policy as string)) findings.push(notSupported('propagationPolicy', policy, [...POLICIES, 'nil']));
  const dryRun = Array.isArray(raw['dryRun']) ? (raw['dryRun'] as string[]) : [];
  findings.push(...dryRunFindings(dryRun));
  if (findings.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', findings);
  const preconditions = raw['preconditions'] as DeleteOptions['preconditions'] | null | undefined;
  return {
    ...(typeof raw['gracePeriodSeconds'] === 'number' ? { gracePeriodSeconds: raw['gracePeriodSeconds'] } : {}),
    ...(policy ? { propagationPolicy: policy as NonNullable<DeleteOptions['propagationPolicy']> } : {}),
    ...(typeof orphan === 'boolean' ? { orphanDependents: orphan } : {}),
    ...(preconditions ? { preconditions } : {}),
    dryRun: dryRun.length > 0,
  };
}

function queryDeleteOptions(query: URLSearchParams): Record<string, unknown> {
  const grace = integerOption(query, 'gracePeriodSeconds');
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(query.get('propagationPolicy') ? { propagationPolicy: query.get('propagationPolicy') } : {}),
    ...(query.has('orphanDependents') ? { orphanDependents: isTrue(query.get('orphanDependents')) } : {}),
    dryRun: query.getAll('dryRun').filter((item) => item !== ''),
  };
}
