/**
 * Field selectors (`metadata.name=a,status.phase!=Running`): parsing with the API server's messages, and
 * matching. Which fields a kind can be selected by is its own fact (`#api/builtin`, CRD `selectableFields`).
 */

export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

/** Terms in sorted order; throws an `Error` with the API server's message. The empty text accepts everything. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^([^=!]*(?:![^=][^=!]*)*?)(==|!=|=)([\s\S]*)$/.exec(term);
      if (!match) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = '', operator = '=', value = ''] = match;
      return { field, operator: operator === '!=' ? '!=' : '=', value: unescape(value) };
    });
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescape(value: string): string {
  let result = '';
  for (let i = 0; i < value.length; i += 1) {
    const char = value[i] ?? '';
    if (char === '\\') {
      i += 1;
      const escaped = value[i] ?? '';
      if (!/^[\\,=]$/.test(escaped)) throw new Error(`invalid field selector: invalid escape sequence: \\${escaped}`);
      result += escaped;
    } else if (char === ',' || char === '=') {
      throw new Error(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      result += char;
    }
  }
  return result;
}

/** The text form of a value inside a field selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}

/** Whether every term holds; a field without a value counts as the empty text. */
export function matchesFields(requirements: readonly FieldRequirement[], fieldOf: (field: string) => string | undefined): boolean {
  return requirements.every(({ field, operator, value }) => ((fieldOf(field) ?? '') === value) === (operator === '='));
}
