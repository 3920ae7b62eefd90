/** Random templates and YAML documents from small grammars; the seed makes a run repeatable. */
import { intBelow, pick, seededRandom, type Random } from '../../src/base/random/index.ts';

const FIELDS = ['.Values.s', '.Values.empty', '.Values.num', '.Values.z', '.Values.f', '.Values.t', '.Values.b', '.Values.nul', '.Values.list', '.Values.nums', '.Values.mixed', '.Values.nested', '.Values.nested.a.b.c', '.Values.map', '.Values.emptyList', '.Values.emptyMap', '.Values.unicode', '.Values.missing', '.Values.nested.list', '.Release.Name', '.Chart.Name', '.Values.words', '.Values.multi'];
const LITERALS = ['1', '0', '-3', '2.5', '"x"', '""', '"a,b,c"', 'true', 'false', 'nil', '"é日"', '`raw`', "'c'", '1e3', '"3"', '"{{ .x }}"'];
const ONE = ['upper', 'lower', 'trim', 'quote', 'squote', 'toJson', 'toYaml', 'len', 'int', 'int64', 'float64', 'toString', 'first', 'last', 'rest', 'initial', 'reverse', 'uniq', 'compact', 'empty', 'not', 'kindOf', 'typeOf', 'b64enc', 'sha1sum', 'title', 'snakecase', 'camelcase', 'kebabcase', 'swapcase', 'untitle', 'nospace', 'initials', 'ceil', 'floor', 'add1', 'sortAlpha', 'keys', 'toStrings', 'html', 'js', 'urlquery', 'print', 'println', 'toPrettyJson', 'toRawJson', 'fromYaml', 'fromJson', 'deepCopy', 'atoi', 'until', 'regexQuoteMeta', 'base', 'dir', 'ext', 'clean', 'b64dec', 'adler32sum', 'toDecimal', 'list', 'dict', 'cat', 'all', 'any', 'coalesce', 'default "d"', 'trunc 3', 'trunc -2', 'indent 2', 'nindent 1', 'repeat 2', 'join "-"', 'splitList ","', 'split ","', 'has "a"', 'trimSuffix "o"', 'trimPrefix "h"', 'trimAll "h"', 'contains "l"', 'hasPrefix "h"', 'replace "l" "L"', 'abbrev 5', 'wrap 4', 'regexMatch "l+"', 'regexFind "[a-z]+"', 'append 1 | list', 'without 1 | list', 'ternary 1 2', 'printf "%v"', 'printf "%s"', 'printf "%d"', 'printf "%q"', 'printf "%5v|"', 'printf "%T"', 'printf "%x"', 'printf "%.2f"', 'index 0 | list', 'max 2', 'min 2', 'add 1 2', 'sub 10', 'mul 3', 'div 10', 'mod 7', 'addf 0.1', 'round 1 | list', 'eq 1', 'eq "x"', 'ne 2', 'lt 1', 'gt 2.0', 'and 1', 'or 0', 'required "r"', 'merge (dict "q" 1)', 'mergeOverwrite (dict "a" 5)', 'pick (dict "a" 1) | list', 'hasKey (dict "a" 1)', 'get (dict "a" 1)', 'semverCompare ">=1"', 'dig "a" "b" "zz"', 'chunk 2', 'slice (list 1 2 3) | list', 'concat (list 1)', 'prepend (list 1)', 'seq | list', 'tpl "{{ . }}" | list'];
const TWO = ['add', 'sub', 'mul', 'div', 'mod', 'max', 'min', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'default', 'append', 'prepend', 'concat', 'list', 'dict', 'index', 'has', 'cat', 'print', 'printf "%v-%v"', 'printf "%d %s"', 'merge', 'mergeOverwrite', 'hasKey', 'get', 'contains', 'join', 'splitList', 'trimSuffix', 'repeat', 'trunc', 'coalesce', 'ternary "y"', 'without', 'deepEqual', 'addf', 'subf', 'mulf', 'divf', 'maxf', 'indent', 'regexMatch', 'regexFindAll "[a-z]"', 'slice', 'pluck', 'pick', 'omit', 'set', 'unset', 'tpl', 'kindIs', 'typeIs', 'required', 'semverCompare', 'plural "a" "b" | list', 'untilStep 0', 'substr 1', 'round', 'replace "a"', 'splitn ","', 'dig "a"'];

export function randomTemplate(random: Random): string {
  return Array.from({ length: 1 + intBelow(random, 3) }, () => statement(random, 0)).join(pick(random, ['', ' ', '\n', '|']));
}

function statement(random: Random, depth: number): string {
  const left = pick(random, ['{{', '{{', '{{', '{{- ']);
  const right = pick(random, ['}}', '}}', '}}', ' -}}']);
  const inner = () => (depth > 2 ? 'x' : statement(random, depth + 1));
  const otherwise = () => (intBelow(random, 2) ? `{{ else }}${inner()}` : '');
  switch (intBelow(random, 12)) {
    case 0:
      return `${left} if ${pipeline(random, 0)} ${right}${inner()}${intBelow(random, 3) === 0 ? `{{ else if ${pipeline(random, 1)} }}${inner()}` : ''}${otherwise()}{{ end }}`;
    case 1:
      return `${left} with ${pipeline(random, 0)} ${right}${inner()}{{ . }}${otherwise()}{{ end }}`;
    case 2:
      return `${left} range ${pick(random, ['', '$i, $e := ', '$e := '])}${pipeline(random, 0)} ${right}${inner()}{{ . }}${pick(random, ['', '{{ break }}', '{{ if true }}{{ continue }}{{ end }}y'])}${otherwise()}{{ end }}`;
    case 3:
      return `{{ $v := ${pipeline(random, 0)} }}${left} $v ${right}${intBelow(random, 2) ? `{{ $v = ${pipeline(random, 1)} }}{{ $v }}` : ''}`;
    case 4:
      return ` text ${pick(random, ['', '\n', '  \n '])}`;
    default:
      return `${left} ${pipeline(random, 0)} ${right}`;
  }
}

function pipeline(random: Random, depth: number): string {
  let text = operand(random, depth);
  for (let i = intBelow(random, 3); i > 0; i--) text += ` | ${pick(random, ONE)}`;
  return text;
}

function operand(random: Random, depth: number): string {
  const roll = intBelow(random, depth > 2 ? 6 : 10);
  if (roll < 4) return pick(random, FIELDS);
  if (roll < 6) return pick(random, LITERALS.filter((literal) => literal !== 'nil'));
  if (roll < 8) return `${pick(random, ONE)} ${argument(random, depth + 1)}`;
  return `${pick(random, TWO)} ${argument(random, depth + 1)} ${argument(random, depth + 1)}`;
}

function argument(random: Random, depth: number): string {
  const roll = intBelow(random, depth > 2 ? 5 : 8);
  if (roll < 3) return pick(random, FIELDS);
  if (roll < 5) return pick(random, LITERALS);
  return `(${pipeline(random, depth)})`;
}

const SCALARS = ['a', '1', 'y', 'n', 'on', '~', 'null', 'true', '"q"', "'s'", '0777', '0o7', '0x1f', '1_000', '1e3', '.5', '-.inf', '12:30', '2020-01-01', '"a\\tb"', "'it''s'", '!!str 1', '!!int "3"', 'a b', 'a: b', '- x', '#c', 'x #c', 'x#c', '{a: 1}', '[1, b]', '{}', '[]', '*x', '&x v', '|\n  t\n', '>-\n  f\n  g\n', '"', "'", '@a', '`b', '%c', 'a:b', '? k', '-', '--- ', '|2\n   x\n', '[a, {b: c}]', '!t v', '<<', '+1', '-0', '1.', '1.2.3', '"\\u00e9"', '"\\x41"', '"\\q"', '{a, b: c}', '[a: b]', '"multi\n  line"', 'multi\n  line', '\t', 'a\t', '&a', '*a', '{a: &z 1, b: *z}', 'é', '😀'];
const KEYS = ['a', 'b', 'c', '"d"', '1', 'y', 'e f', "'g'", '? h', '<<', '1.5', 'null', '', '- i', '&k j', '[k]', '"x\\ny"'];

/** Mostly valid YAML, sometimes not. */
export function randomYaml(random: Random, depth = 0, indent = ''): string {
  const roll = intBelow(random, depth > 2 ? 3 : 8);
  if (roll < 2) return pick(random, SCALARS).replaceAll('\n', `\n${indent}`);
  const items = Array.from({ length: 1 + intBelow(random, 3) });
  if (roll < 5) {
    const step = pick(random, ['  ', '  ', '    ', ' ']);
    return items.map(() => `${indent}${pick(random, KEYS)}:${nested(random, depth, indent + step)}`).join('\n').replace(/^\s*/, depth === 0 ? '' : '$&');
  }
  return items.map(() => `${indent}-${intBelow(random, 3) === 0 ? ` ${pick(random, ['a', 'b'])}: ${pick(random, SCALARS)}\n${indent}  c: 1` : nested(random, depth, `${indent}  `)}`).join('\n');
}

function nested(random: Random, depth: number, indent: string): string {
  const value = randomYaml(random, depth + 1, indent);
  return value.startsWith(indent) && indent !== '' ? `\n${value}` : ` ${value}`;
}

export function templates(seed: number, count: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => randomTemplate(random));
}

/** Templates that read random YAML and say what they saw. */
export function yamlTemplates(seed: number, count: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const text = randomYaml(random);
    const literal = JSON.stringify(text).replaceAll('{{', '{ {');
    return pick(random, [`{{ $y := fromYaml ${literal} }}{{ if hasKey $y "Error" }}refused{{ else }}{{ toJson $y }}\n{{ toYaml $y }}{{ end }}`, `{{ $y := fromYamlArray ${literal} }}{{ if and $y (contains "error" (toString (first $y))) }}refused{{ else }}{{ toJson $y }}\n{{ toYaml $y }}{{ end }}`]);
  });
}
