/**
 * What names of all sorts may look like. Each check returns what is wrong, in the API server's words; an
 * empty list means fine. Rules: RFC 1123, RFC 1035, Kubernetes "Object Names and IDs", "Labels".
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const LABEL_LENGTH_MAX = 63;
const SUBDOMAIN_LENGTH_MAX = 253;

function full(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** `text (e.g. 'a',  or 'b', regex used for validation is 'r')`, as every message about a pattern ends. */
function patternMessage(text: string, pattern: string, examples: readonly string[]): string {
  const list = examples.map((example, index) => `${index > 0 ? ' or ' : ''}'${example}'`).join(', ');
  return `${text} (e.g. ${list}, regex used for validation is '${pattern}')`;
}

export function maxLengthMessage(length: number): string {
  return `must be no more than ${length} ${length === 1 ? 'byte' : 'bytes'}`;
}

interface Rule {
  pattern: string;
  regex: RegExp;
  message: string;
  lengthMax: number;
}

function rule(text: string, pattern: string, lengthMax: number, examples: readonly string[]): Rule {
  return { pattern, regex: full(pattern), message: patternMessage(text, pattern, examples), lengthMax };
}

const DNS1123_LABEL = rule(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL, LABEL_LENGTH_MAX, ['my-name', '123-abc'],
);
const DNS1123_SUBDOMAIN = rule(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN, SUBDOMAIN_LENGTH_MAX, ['example.com'],
);
const DNS1035_LABEL = rule(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  '[a-z]([-a-z0-9]*[a-z0-9])?', LABEL_LENGTH_MAX, ['my-name', 'abc-123'],
);
const WILDCARD = rule(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${SUBDOMAIN}`, SUBDOMAIN_LENGTH_MAX, ['*.example.com'],
);
const LABEL_VALUE = rule(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?', LABEL_LENGTH_MAX, ['MyValue', 'my_value', '12345'],
);
const CONFIG_MAP_KEY = rule(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  '[-._a-zA-Z0-9]+', SUBDOMAIN_LENGTH_MAX, ['key.name', 'KEY_NAME', 'key-name'],
);
const ENV_VAR = rule(
  'a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
  '[ -<>-~]+', Number.POSITIVE_INFINITY, [],
);
const QUALIFIED_NAME = rule(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED, LABEL_LENGTH_MAX, ['MyName', 'my.name', '123-abc'],
);

function checkRule({ regex, message, lengthMax }: Rule, value: string): string[] {
  const errors: string[] = [];
  if (value.length > lengthMax) errors.push(maxLengthMessage(lengthMax));
  if (!regex.test(value)) errors.push(message);
  return errors;
}

export const dns1123Label = (value: string): string[] => checkRule(DNS1123_LABEL, value);
export const dns1123Subdomain = (value: string): string[] => checkRule(DNS1123_SUBDOMAIN, value);
export const dns1035Label = (value: string): string[] => checkRule(DNS1035_LABEL, value);
export const wildcardDns1123Subdomain = (value: string): string[] => checkRule(WILDCARD, value);
export const labelValue = (value: string): string[] => checkRule(LABEL_VALUE, value);

/** Keys of labels, annotations, taints: an optional DNS subdomain, a slash, a name. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  const errors: string[] = [];
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) {
    return [`a valid label key ${QUALIFIED_NAME.message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...dns1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > LABEL_LENGTH_MAX) errors.push(`name part ${maxLengthMessage(LABEL_LENGTH_MAX)}`);
  if (!QUALIFIED_NAME.regex.test(name)) errors.push(`name part ${QUALIFIED_NAME.message}`);
  return errors;
}

export function configMapKey(value: string): string[] {
  const errors = checkRule(CONFIG_MAP_KEY, value);
  if (value === '.') errors.push("must not be '.'");
  else if (value === '..') errors.push("must not be '..'");
  else if (value.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

export function envVarName(value: string): string[] {
  return ENV_VAR.regex.test(value) ? [] : [`${ENV_VAR.message}, regex used for validation is '${ENV_VAR.pattern}')`];
}

/** Names of ports (IANA service names). */
export function portName(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(value)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value !== '' && (value.startsWith('-') || value.endsWith('-'))) errors.push('must not begin or end with a hyphen');
  return errors;
}

/** Names that only have to fit into a URL path (RBAC objects). */
export function pathSegmentName(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((text) => value.includes(text)).map((text) => `may not contain '${text}'`);
}
