/**
 * Label sets and selectors: `metav1.LabelSelector` objects and the text form of URLs and kubectl.
 * Rule: kubernetes.io "Labels and Selectors". A nil selector matches nothing, an empty one everything.
 */

export { parseSelector } from './parse.ts';

export type Labels = Readonly<Record<string, string>>;

export interface LabelSelectorRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: string[];
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

/** One requirement of the text form; `Gt`/`Lt` exist only there. */
export interface Requirement {
  key: string;
  operator: LabelSelectorRequirement['operator'] | 'Gt' | 'Lt';
  values: readonly string[];
}

/** Whether an object selector accepts a label set; `undefined` accepts nothing. */
export function matchesSelector(selector: LabelSelector | undefined | null, labels: Labels | undefined): boolean {
  if (!selector) return false;
  return requirementsOf(selector).every((requirement) => matchesRequirement(requirement, labels ?? {}));
}

/** The requirements of an object selector; throws an `Error` naming an unknown operator. */
export function requirementsOf(selector: LabelSelector): Requirement[] {
  const fromLabels = Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({ key, operator: 'In', values: [value] }));
  const fromExpressions = (selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => {
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)) {
      throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`);
    }
    return { key, operator, values: values ?? [] };
  });
  return [...fromLabels, ...fromExpressions];
}

export function matchesRequirement(requirement: Requirement, labels: Labels): boolean {
  const present = Object.hasOwn(labels, requirement.key);
  const value = labels[requirement.key] ?? '';
  switch (requirement.operator) {
    case 'In':
      return present && requirement.values.includes(value);
    case 'NotIn':
      return !present || !requirement.values.includes(value);
    case 'Exists':
      return present;
    case 'DoesNotExist':
      return !present;
    case 'Gt':
      return present && isInteger(value) && BigInt(value) > BigInt(requirement.values[0] ?? '0');
    case 'Lt':
      return present && isInteger(value) && BigInt(value) < BigInt(requirement.values[0] ?? '0');
  }
}

/** Whether every requirement of a parsed selector holds; an empty list accepts everything. */
export function matchesRequirements(requirements: readonly Requirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => matchesRequirement(requirement, labels ?? {}));
}

function isInteger(text: string): boolean {
  return /^-?[0-9]+$/.test(text);
}

/** The text form of an object selector, as it goes into `?labelSelector=`. */
export function formatSelector(selector: LabelSelector): string {
  return requirementsOf(selector)
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'In':
          return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${[...values].sort().join(',')})`;
        case 'NotIn':
          return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${[...values].sort().join(',')})`;
        case 'Exists':
          return key;
        default:
          return `!${key}`;
      }
    })
    .join(',');
}
