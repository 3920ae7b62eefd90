/**
 * Fleet's `${ }` templates: Go templates with other delimiters, Sprig without what reaches outside, and a
 * missing key as an error. Source: Fleet, target/builder (facts: functions env, expandenv, include, tpl and
 * getHostByName are left out).
 *
 * The text is rewritten to the usual delimiters first, so that there is one lexer.
 */
import type { Random } from '#base/random';
import { Engine, ParseCache } from './engine.ts';
import { sprigFunctions } from './sprig/index.ts';

const OPEN = '${';
const CLOSE = '}';
const EXCLUDED = ['env', 'expandenv', 'getHostByName'];
const cache = new ParseCache();

export interface DelimitedOptions {
  random: Random;
  nowMs: number;
}

/** The text with every `${ }` replaced. Throws TemplateParseError, TemplateExecError or RenderLimitError. */
export function expandDelimited(text: string, context: Readonly<Record<string, unknown>>, { random, nowMs }: DelimitedOptions): string {
  if (!text.includes(OPEN)) return text;
  const functions = { ...sprigFunctions({ random, nowMs }) };
  for (const name of EXCLUDED) delete functions[name];
  const engine = new Engine({ functions, missingKey: 'error', cache });
  engine.parse('values', toUsualDelimiters(text));
  return engine.execute('values', context);
}

/** The same template with `{{ }}`; what looked like such an action before becomes literal text. */
export function toUsualDelimiters(text: string): string {
  let result = '';
  let position = 0;
  for (;;) {
    const open = text.indexOf(OPEN, position);
    if (open < 0) return result + literal(text.slice(position));
    const close = actionEnd(text, open + OPEN.length);
    result += literal(text.slice(position, open));
    if (close < 0) return `${result}{{${text.slice(open + OPEN.length)}`; // unclosed: the parser says so
    result += `{{${text.slice(open + OPEN.length, close)}}}`;
    position = close + CLOSE.length;
  }
}

function literal(text: string): string {
  return text.replaceAll('{{', '{{"{{"}}');
}

/** Index of the closing delimiter, outside of strings and comments; -1 when there is none. */
function actionEnd(text: string, from: number): number {
  const comment = /^-?\s*\/\*/.exec(text.slice(from, from + 8));
  if (comment) {
    const end = text.indexOf('*/', from + comment[0].length);
    return end < 0 ? -1 : text.indexOf(CLOSE, end);
  }
  for (let index = from; index < text.length; index++) {
    const character = text[index] as string;
    if (character === CLOSE) return index;
    if (character === '"' || character === '`' || character === "'") {
      index = stringEnd(text, index);
      if (index < 0) return -1;
    }
  }
  return -1;
}

function stringEnd(text: string, start: number): number {
  const quote = text[start];
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === '\\' && quote !== '`') index++;
    else if (text[index] === quote) return index;
  }
  return -1;
}
