/**
 * The text form of label selectors (`app=web,tier in (front,back),!old`), as URLs and kubectl write it, with the
 * API server's messages for text it refuses. Rule: kubernetes.io "Labels and Selectors"; recorded answers.
 */
import { at, child, invalid, fieldErrorText, type FieldError } from '../validation/field-error.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';
import type { Requirement } from './index.ts';

type TokenKind = 'identifier' | 'end' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '<' | '>' | 'in' | 'notin';

interface Token {
  kind: TokenKind;
  text: string;
}

const SPECIAL = /[=!(),><]/;
/** Longest first. */
const SYMBOLS: readonly TokenKind[] = ['==', '!=', '=', '!', '(', ')', ',', '<', '>'];
const OPERATORS = 'in, notin, =, ==, !=, gt, lt';

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const symbol = SYMBOLS.find((candidate) => rest.startsWith(candidate));
    if (/^[ \t\r\n]/.test(rest)) {
      at += 1;
    } else if (symbol) {
      tokens.push({ kind: symbol, text: symbol });
      at += symbol.length;
    } else {
      let end = at;
      while (end < text.length && !SPECIAL.test(text[end] ?? '') && !/[ \t\r\n]/.test(text[end] ?? '')) end += 1;
      const word = text.slice(at, end);
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
      at = end;
    }
  }
  return tokens;
}

class Parser {
  readonly #tokens: Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  /** Where a value may stand, the words `in` and `notin` are ordinary. */
  peek(asOperator = false): Token {
    const token = this.#tokens[this.#position] ?? { kind: 'end', text: '' };
    return !asOperator && (token.kind === 'in' || token.kind === 'notin') ? { kind: 'identifier', text: token.text } : token;
  }

  next(asOperator = false): Token {
    const token = this.peek(asOperator);
    this.#position += 1;
    return token;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.kind !== '!') throw new Error(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      try {
        requirements.push(this.requirement());
      } catch (error) {
        throw new Error(`unable to parse requirement: ${(error as Error).message}`, { cause: error });
      }
      const separator = this.next();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') throw new Error(`found '${separator.text}', expected: ',' or 'end of string'`);
      const following = this.peek();
      if (following.kind !== 'identifier' && following.kind !== '!') throw new Error(`found '${following.text}', expected: identifier after ','`);
    }
  }

  requirement(): Requirement {
    const negated = this.peek().kind === '!';
    if (negated) this.next();
    const key = this.next();
    if (key.kind !== 'identifier') throw new Error(`found '${key.text}', expected: identifier`);
    const problems = qualifiedName(key.text);
    if (problems.length > 0) throw new Error(fieldErrorText(invalid('<nil>', key.text, problems.join('; '))));
    if (negated) return { key: key.text, operator: 'DoesNotExist', values: [] };
    const end = this.peek().kind;
    if (end === 'end' || end === ',') return { key: key.text, operator: 'Exists', values: [] };
    return checked({ key: key.text, ...this.comparison() });
  }

  comparison(): Omit<Requirement, 'key'> {
    const operator = this.next(true);
    switch (operator.kind) {
      case 'in':
        return { operator: 'In', values: this.valueSet() };
      case 'notin':
        return { operator: 'NotIn', values: this.valueSet() };
      case '=':
      case '==':
        return { operator: 'In', values: [this.exactValue()] };
      case '!=':
        return { operator: 'NotIn', values: [this.exactValue()] };
      case '>':
        return { operator: 'Gt', values: [this.exactValue()] };
      case '<':
        return { operator: 'Lt', values: [this.exactValue()] };
      default:
        throw new Error(`found '${operator.text}', expected: ${OPERATORS}`);
    }
  }

  exactValue(): string {
    const { kind } = this.peek();
    if (kind === 'end' || kind === ',') return '';
    const value = this.next();
    if (value.kind !== 'identifier') throw new Error(`found '${value.text}', expected: identifier`);
    return value.text;
  }

  /** `(a, b)`; an empty place is the empty value. */
  valueSet(): string[] {
    const open = this.next();
    if (open.kind !== '(') throw new Error(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    for (let expectValue = true; ; ) {
      const token = this.next();
      if (token.kind === ')') {
        if (expectValue) values.add('');
        return [...values].sort();
      }
      if (token.kind === ',') {
        if (expectValue) values.add('');
        expectValue = true;
      } else if (token.kind === 'identifier' && expectValue) {
        values.add(token.text);
        expectValue = false;
      } else {
        throw new Error(`found '${token.text}', expected: ${expectValue ? "',', or identifier" : "',' or ')'"}`);
      }
    }
  }
}

function checked(requirement: Requirement): Requirement {
  const errors: FieldError[] = [];
  const { operator, values, key } = requirement;
  for (const [index, value] of values.entries()) {
    if ((operator === 'Gt' || operator === 'Lt') && !/^[+-]?[0-9]+$/.test(value)) {
      errors.push(invalid(at('values', index), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(invalid(at(child('', at('values', index)), key), value, problems.join('; ')));
  }
  const texts = [...new Set(errors.map(fieldErrorText))];
  if (texts.length > 0) throw new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`);
  return requirement;
}

/** Requirements that all must hold; throws an `Error` with the API server's message. The empty text accepts everything. */
export function parseSelector(text: string): Requirement[] {
  return new Parser(text).parse();
}
