/** Random templates and YAML documents from small grammars; the seed makes a run repeatable. */
import { intBelow, pick, seededRandom, type Random } from '../../src/base/random/index.ts';

/** Functions as `result: name parameters`, with s text, i int, f float, b bool, l list, d dictionary, a anything. */
const TYPED = `
s: upper s;lower s;trim s;title s;untitle s;swapcase s;snakecase s;camelcase s;kebabcase s;nospace s;initials s;b64enc s;b64dec s;b32enc s;sha1sum s;sha256sum s;adler32sum s;quote a;squote a;toString a;toJson a;toYaml a;toPrettyJson a;toRawJson a;kindOf a;typeOf a;html a;js a;urlquery a;print a a;print a;println a;cat a a;regexQuoteMeta s;base s;dir s;ext s;clean s;trunc i s;indent 2 s;nindent 1 s;repeat 2 s;join s l;trimSuffix s s;trimPrefix s s;trimAll s s;replace s s s;abbrev 6 s;wrap 5 s;wrapWith 4 s s;substr 0 2 s;regexFind "[a-z]+" s;regexReplaceAll "[aeiou]" s s;regexReplaceAllLiteral "l" s s;regexReplaceAll "(l)(o)?" s "<$1>";plural s s i;printf "%s" a;printf "%v" a;printf "%q" a;printf "%d" a;printf "%5v|" a;printf "%-6s|" s;printf "%05d" i;printf "%x" a;printf "%T" a;printf "%.2f" f;printf "%8.3f" f;printf "%e" f;printf "%g" f;printf "%t" b;printf "%v %s" a a;printf "%+v" a;printf "%#v" s;printf "%6.2s|" s;default s a;coalesce a s;ternary s s b;first (splitList "," s);join "-" (sortAlpha l);toToml d;include "gen.name" a;tpl "{{ . }}" s;tpl "{{ .s | upper }}" (dict "s" s);get (dict "k" s) "k";abbrevboth 3 8 s;durationRound s;duration i;urlJoin (dict "host" "h" "path" s)
i: len s;len l;len d;int a;int64 a;add a a;add1 a;sub a a;mul i i;div i 3;mod i 5;max a a;min a a;atoi s;toDecimal s;ternary i i b
f: float64 a;addf f f;subf f f;mulf f 1.5;divf f 4;maxf f i;minf f i;ceil f;floor f;round f 2;round f 0
b: not a;empty a;eq i i;eq s s;ne s s;lt i i;gt i i;le s s;ge f f;and b b;or b b;contains s s;hasPrefix s s;hasSuffix s s;has a l;hasKey d s;kindIs "string" a;typeIs "int" a;regexMatch "^[a-z]" s;deepEqual a a;all a a;any a a;semverCompare ">=1.2 <3" "1.2.3";eq a nil
l: list a a;list a;append l a;prepend l a;concat l l;reverse l;uniq l;compact l;without l a;rest l;initial l;sortAlpha l;splitList s s;sortAlpha (keys d);values (dict "k" a);until i;untilStep 0 i 2;toStrings l;slice l 0 1;regexFindAll "[a-z]" s 3;regexSplit "l" s -1;chunk 2 l;pluck "a" d d;fromYamlArray (toYaml l);ternary l l b;default l a
d: dict "a" a;dict "a" a "b" a;merge (dict "a" a) d;mergeOverwrite (deepCopy d) d;merge (deepCopy d) d;pick d "a" "k";omit d "a";set (dict "q" 1) s a;unset (dict "q" 1) s;deepCopy d;split s s;splitn "," 2 s;fromYaml (toYaml d);fromJson (toJson d);default (dict) d;urlParse "http://u@h:1/p?q#f"
`;
const TABLE = new Map(TYPED.trim().split('\n').map((line) => [line[0] as string, line.slice(3).split(';')] as const));
const LEAVES: Readonly<Record<string, readonly string[]>> = {
  s: ['"x"', '""', '"a,b,c"', '"é日"', '`raw`', '.Values.s', '.Values.unicode', '.Values.words', '.Values.multi', '.Values.special', '.Release.Name', '.Chart.Name', '"l"', '","', '"Hello World-foo_bar9x"', '"1.5"', '"12"', '.Values.nested.a.b.c'],
  i: ['0', '1', '3', '-2', '7', "'c'", '0x1f', '(int .Values.num)', '(len .Values.list)'],
  f: ['1.5', '0.1', '-2.25', '1e3', '.Values.num', '.Values.f', '.Values.big', '100000.0', '2.5', '3.0', '1e7', '0.00001'],
  b: ['true', 'false', '.Values.t', '.Values.b'],
  l: ['.Values.list', '.Values.nums', '.Values.mixed', '.Values.emptyList', '.Values.nested.list', '(list)', '(list 1 "a" nil)'],
  d: ['.Values.map', '.Values.nested', '.Values.emptyMap', '(dict "a" 1 "k" "v")', '.Values.map.mid'],
  a: ['nil', '.Values.missing', '.Values.nul', '.Values.nested.a.x'],
};

/** A wrong type now and then, so that refusals occur too. */
const WRONG_TYPE_ODDS = 60;

function typed(random: Random, type: string, depth: number): string {
  const wanted = type === 'a' ? pick(random, ['s', 's', 'i', 'f', 'b', 'l', 'd', 'a']) : intBelow(random, WRONG_TYPE_ODDS) === 0 ? pick(random, ['s', 'i', 'f', 'b', 'l', 'd', 'a']) : type;
  if (depth > 3 || intBelow(random, 3) === 0 || !TABLE.has(wanted)) return pick(random, LEAVES[wanted] as readonly string[]);
  return `(${call(random, wanted, depth)})`;
}

function call(random: Random, type: string, depth: number): string {
  const shape = pick(random, TABLE.get(type) as readonly string[]);
  const text = shape.replace(/(?<=[ (])([sifblda])(?=[ )]|$)/g, (letter) => typed(random, letter, depth + 1));
  // A last argument may as well be piped in.
  const last = / (\.[A-Za-z.]+|"[^"]*"|\([^()]*\))$/.exec(text);
  return last && intBelow(random, 3) === 0 ? `${last[1]} | ${text.slice(0, last.index)}` : text;
}

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
      return `${left} range ${pick(random, ['', '$i, $e := ', '$e := '])}${call(random, pick(random, ['l', 'l', 'd', 'i']), 1)} ${right}${inner()}{{ . }}${pick(random, ['', '{{ break }}', '{{ if true }}{{ continue }}{{ end }}y'])}${otherwise()}{{ end }}`;
    case 3:
      return `{{ $v := ${pipeline(random, 0)} }}${left} $v ${right}${intBelow(random, 2) ? `{{ $v = ${pipeline(random, 1)} }}{{ $v }}` : ''}`;
    case 4:
      return ` text ${pick(random, ['', '\n', '  \n '])}`;
    default:
      return `${left} ${pipeline(random, 0)} ${right}`;
  }
}

function pipeline(random: Random, depth: number): string {
  return call(random, pick(random, ['s', 's', 'i', 'f', 'b', 'l', 'd']), depth);
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
  return Array.from({ length: count }, () => `{{ define "gen.name" }}<{{ . }}>{{ end }}${randomTemplate(random)}`);
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
