/** Whole charts: loading, dependencies, values, schemas, hooks, order. Files by path; flags as for both programs. */
import { intBelow, pick, seededRandom, type Random } from '../../../src/base/random/index.ts';
import { STRESS } from './stress.ts';

export interface ChartCase {
  name: string;
  files: Readonly<Record<string, string>>;
  /** Text of a further values file. */
  values?: string;
  sets?: readonly string[];
  flags?: readonly string[];
}

const chartYaml = (name: string, more = '') => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const dump = 'values: {{ .Values | toJson | quote }}\nchart: {{ .Chart.Name }}\n';
const cm = (name: string, body = '') => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${body}`;
const deps = (...entries: string[]) => `dependencies:\n${entries.map((entry) => `- {${entry}}\n`).join('')}`;
const sub = (name: string, values: string, more = '') => ({ [`charts/${name}/Chart.yaml`]: chartYaml(name, more), [`charts/${name}/values.yaml`]: values, [`charts/${name}/templates/v.yaml`]: dump });

const tree = (name: string, parent: string, more: Record<string, string>, extra: Partial<ChartCase> = {}): ChartCase => ({
  name,
  files: { 'Chart.yaml': chartYaml('p', parent), 'templates/v.yaml': dump, ...more },
  ...extra,
});

const KINDS = 'ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService Ingress IngressClass CronJob Job StatefulSet HorizontalPodAutoscaler Deployment ReplicaSet ReplicationController Pod DaemonSet Service RoleBindingList RoleBinding RoleList Role ClusterRoleBindingList ClusterRoleBinding ClusterRoleList ClusterRole CustomResourceDefinition PersistentVolumeClaim PersistentVolume StorageClass ConfigMap SecretList Secret ServiceAccount PodDisruptionBudget PodSecurityPolicy LimitRange ResourceQuota NetworkPolicy Namespace PriorityClass Zebra Apple Gateway'.split(' ');

const HOOK = (name: string, hook: string, more = '') => cm(name, `  annotations:\n    "helm.sh/hook": ${hook}\n${more}`);

const FIXED: readonly ChartCase[] = [
  tree('plain', '', { 'values.yaml': 'a: 1\n' }),
  tree('kinds', '', { 'templates/k.yaml': KINDS.map((kind) => `---\napiVersion: v1\nkind: ${kind}\nmetadata: {name: ${kind.toLowerCase()}}\n`).join('') }),
  tree('two of a kind', '', { 'templates/z.yaml': cm('z'), 'templates/a.yaml': `${cm('a2')}---\n${cm('a1')}`, 'templates/sub/b.yaml': cm('b') }),
  tree('separators', '', { 'templates/a.yaml': `--- \n${cm('a')}\n---\n\n--- # c\n${cm('b')}\n---`, 'templates/b.yaml': `# only a comment\n`, 'templates/c.yaml': '\n\n', 'templates/d.yaml': `\n---\n# Source: x\n${cm('d')}\n\n\n` }),
  tree('separator in text', '', { 'templates/a.yaml': `${cm('a')}data:\n  x: |\n    --- no\n    a\n    ---b\n` }),
  tree('windows lines', '', { 'templates/a.yaml': `${cm('a')}---\n${cm('b')}`.replaceAll('\n', '\r\n') }),
  tree('text file', '', { 'templates/a.txt': `${cm('a')}`, 'templates/NOTES.txt': 'notes {{ .Release.Name }}', 'templates/_p.tpl': '{{ define "x" }}X{{ end }}', 'templates/u.yaml': `x: {{ include "x" . }}\n` }),
  tree('bad yaml', '', { 'templates/a.yaml': 'a: b: c\n' }),
  tree('list document', '', { 'templates/a.yaml': '- a\n' }),
  tree('scalar document', '', { 'templates/a.yaml': 'text\n' }),
  tree('kind number', '', { 'templates/a.yaml': 'kind: 1\napiVersion: 2\nmetadata: {name: 3, annotations: {a: 1, b: true}}\n' }),
  tree('kind map', '', { 'templates/a.yaml': 'kind: {a: b}\n' }),
  tree('metadata list', '', { 'templates/a.yaml': 'kind: X\nmetadata: []\n' }),
  tree('annotations list', '', { 'templates/a.yaml': 'kind: X\nmetadata: {annotations: [a]}\n' }),
  tree('annotation map', '', { 'templates/a.yaml': 'kind: X\nmetadata: {annotations: {a: {b: c}}}\n' }),
  tree('annotation null', '', { 'templates/a.yaml': 'kind: X\nmetadata: {annotations: {a: null}, name: null}\n' }),
  tree('no value', '', { 'templates/a.yaml': 'a: {{ .Values.nope }}\nb: "{{ .Values.nope }}"\nc: {{ .Values.nope | quote }}\n' }),
  tree('hooks', '', {
    'templates/h.yaml': [HOOK('a', 'pre-install', '    "helm.sh/hook-weight": "5"\n'), HOOK('b', '"pre-install, post-upgrade"', '    "helm.sh/hook-weight": "-5"\n    "helm.sh/hook-delete-policy": before-hook-creation,hook-succeeded\n'), HOOK('c', 'test'), HOOK('d', 'test-success'), HOOK('e', 'nope'), HOOK('f', 'PRE-Install'), HOOK('g', 'pre-delete', '    "helm.sh/hook-weight": x\n'), HOOK('h', '""')].join('---\n'),
    'templates/i.yaml': `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations: {helm.sh/hook: post-install}\n---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: j\n  annotations: {helm.sh/hook: pre-install}\n`,
  }),
  tree('hooks off', '', { 'templates/h.yaml': HOOK('a', 'pre-install') }, { flags: ['--no-hooks'] }),
  tree('skip tests', '', { 'templates/h.yaml': `${HOOK('a', 'pre-install')}---\n${HOOK('t', 'test')}` }, { flags: ['--skip-tests'] }),
  tree('only hooks', '', { 'templates/v.yaml': HOOK('a', 'pre-install') }),
  tree('nothing', '', { 'templates/v.yaml': '' }),
  tree('crds', '', { 'crds/b.yaml': 'kind: CustomResourceDefinition\nmetadata: {name: b}\n', 'crds/a.yaml': 'kind: CustomResourceDefinition\nmetadata: {name: a}\n---\nkind: X\n', 'crds/x.txt': 'no', ...sub('s', ''), 'charts/s/crds/c.yaml': 'kind: CustomResourceDefinition\nmetadata: {name: c}\n' }, { flags: ['--include-crds'] }),
  tree('crds left out', '', { 'crds/b.yaml': 'kind: CustomResourceDefinition\n' }),
  tree('helmignore', '', { '.helmignore': '# c\n*.bak\n/root.txt\nsecret/\n!keep.txt\n', 'templates/a.bak': 'x: 1\n', 'a.txt': 'a', 'templates/f.yaml': 'files: {{ range $k, $_ := .Files }}{{ $k }},{{ end }}\n' }),
  tree('helmignore plain', '', { '.helmignore': '*.md\nignored/\n/docs\ntemplates/skip.yaml\n', 'README.md': 'r', 'ignored/x.txt': 'x', 'docs/d.txt': 'd', 'templates/skip.yaml': 'no: 1\n', 'templates/.hidden.yaml': 'no: 2\n', 'templates/f.yaml': 'files: {{ range $k, $_ := .Files }}{{ $k }},{{ end }}\n' }),
  tree('kubeVersion fits', 'kubeVersion: ">=1.20.0-0"\n', {}),
  tree('kubeVersion too new', 'kubeVersion: ">=2.0"\n', {}),
  tree('kubeVersion flag', 'kubeVersion: "<1.30"\n', { 'templates/k.yaml': 'k: {{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.KubeVersion }}\n' }, { flags: ['--kube-version', '1.29.3'] }),
  tree('api versions flag', '', { 'templates/k.yaml': 'k: {{ .Capabilities.APIVersions.Has "a.b/v1" }} {{ .Capabilities.APIVersions.Has "x/v1/Kind" }}\n' }, { flags: ['--api-versions', 'a.b/v1', '--api-versions', 'x/v1/Kind'] }),
  tree('namespace flag', '', { 'templates/k.yaml': 'n: {{ .Release.Namespace }}\n' }, { flags: ['--namespace', 'nsx'] }),
  tree('upgrade', '', { 'templates/k.yaml': 'n: {{ .Release.IsUpgrade }} {{ .Release.IsInstall }}\n' }, { flags: ['--is-upgrade'] }),
  tree('library chart', 'type: library\n', {}),
  tree('bad type', 'type: nope\n', {}),
  { name: 'no Chart.yaml', files: { 'values.yaml': 'a: 1\n' } },
  { name: 'no name', files: { 'Chart.yaml': 'apiVersion: v2\nversion: 1.0.0\n' } },
  { name: 'no version', files: { 'Chart.yaml': 'apiVersion: v2\nname: x\n' } },
  { name: 'bad version', files: { 'Chart.yaml': 'apiVersion: v2\nname: x\nversion: one\n' } },
  { name: 'number version', files: { 'Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.10\nappVersion: 1.10\n', 'templates/a.yaml': 'v: {{ .Chart.Version }} {{ .Chart.AppVersion }}\n' } },
  { name: 'no apiVersion', files: { 'Chart.yaml': 'name: x\nversion: 1.0.0\n', 'templates/a.yaml': 'v: {{ .Chart.APIVersion }}\n' } },
  { name: 'bad Chart.yaml', files: { 'Chart.yaml': 'name: [\n' } },
  { name: 'bad values', files: { 'Chart.yaml': chartYaml('x'), 'values.yaml': 'a: [\n' } },
  { name: 'values list', files: { 'Chart.yaml': chartYaml('x'), 'values.yaml': '- a\n' } },
  { name: 'values empty', files: { 'Chart.yaml': chartYaml('x'), 'values.yaml': '# nothing\n', 'templates/v.yaml': dump } },
  { name: 'values documents', files: { 'Chart.yaml': chartYaml('x'), 'values.yaml': 'a: 1\nb: {c: 1}\n---\nb: {d: 2}\n', 'templates/v.yaml': dump } },
  tree('v1 requirements', '', { 'Chart.yaml': 'apiVersion: v1\nname: p\nversion: 1.0.0\n', 'requirements.yaml': deps('name: s, version: 1.0.0, repository: "", condition: s.enabled'), ...sub('s', 'enabled: false\n') }),
  tree('v1 no requirements', '', { 'Chart.yaml': 'apiVersion: v1\nname: p\nversion: 1.0.0\n', ...sub('s', 'a: 1\n') }),
  tree('subchart unlisted', '', { 'values.yaml': 's: {a: 2}\nglobal: {g: 1}\n', ...sub('s', 'a: 1\nb: 1\n') }),
  tree('subchart listed', deps('name: s, version: 1.0.0'), { 'values.yaml': 's: {a: 2}\n', ...sub('s', 'a: 1\nb: {c: 1}\n') }, { values: 's: {b: {d: 2}}\n' }),
  tree('subchart wrong version', deps('name: s, version: ">=2"'), { ...sub('s', 'a: 1\n') }),
  tree('subchart missing', deps('name: s, version: 1.0.0', 'name: t, version: 1.0.0'), { ...sub('s', 'a: 1\n') }),
  tree('subchart not a table', '', { 'values.yaml': 's: text\n', ...sub('s', 'a: 1\n') }),
  tree('condition on', deps('name: s, version: 1.0.0, condition: "s.on"'), { 'values.yaml': 's: {on: true}\n', ...sub('s', 'on: false\n') }),
  tree('condition off', deps('name: s, version: 1.0.0, condition: "s.on"'), { 'values.yaml': 's: {on: false}\n', ...sub('s', 'on: true\n') }),
  tree('condition default of subchart', deps('name: s, version: 1.0.0, condition: "s.on"'), { ...sub('s', 'on: false\n') }),
  tree('condition list', deps('name: s, version: 1.0.0, condition: "a.b,s.on"'), { 'values.yaml': 's: {on: false}\n', ...sub('s', '') }),
  tree('condition no bool', deps('name: s, version: 1.0.0, condition: "s.on"'), { 'values.yaml': 's: {on: "false"}\n', ...sub('s', '') }),
  tree('condition by set', deps('name: s, version: 1.0.0, condition: s.on'), { 'values.yaml': 's: {on: true}\n', ...sub('s', '') }, { sets: ['s.on=false'] }),
  tree('tags off', deps('name: s, version: 1.0.0, tags: [x, z]'), { 'values.yaml': 'tags: {x: false}\n', ...sub('s', '') }),
  tree('tags mixed', deps('name: s, version: 1.0.0, tags: [x, z]'), { 'values.yaml': 'tags: {x: false, z: true}\n', ...sub('s', '') }),
  tree('tags and condition', deps('name: s, version: 1.0.0, tags: [x], condition: s.on'), { 'values.yaml': 'tags: {x: false}\ns: {on: true}\n', ...sub('s', '') }),
  tree('alias', deps('name: s, version: 1.0.0, alias: one', 'name: s, version: 1.0.0, alias: two, condition: two.on', 'name: s, version: 1.0.0'), { 'values.yaml': 'one: {a: 5}\ntwo: {on: false}\ns: {a: 7}\n', ...sub('s', 'a: 1\n') }),
  tree('alias bad', deps('name: s, version: 1.0.0, alias: "a b"'), { ...sub('s', 'a: 1\n') }),
  tree('import-values map', deps('name: s, version: 1.0.0, import-values: [{child: data, parent: mine}, {child: other.deep, parent: x.z}]'), { 'values.yaml': 'mine: {a: 9}\n', ...sub('s', 'data: {a: 1, b: 2}\nother: {deep: {k: v}}\n') }),
  tree('import-values exports', deps('name: s, version: 1.0.0, import-values: [data, none]'), { 'values.yaml': 'a: 9\n', ...sub('s', 'exports: {data: {a: 1, b: 2}}\n') }),
  tree('import-values dot', deps('name: s, version: 1.0.0, import-values: [{child: data, parent: .}]'), { ...sub('s', 'data: {a: 1, b: {c: 2}}\n') }, { values: 'b: {d: 1}\ns: {data: {a: 3}}\n' }),
  tree('globals', '', { 'values.yaml': 'global: {g: 1, t: {x: 1}}\ns: {global: {h: 2}}\n', ...sub('s', 'global: {g: 5, t: {z: 2}, only: s}\n'), 'charts/s/charts/t/Chart.yaml': chartYaml('t'), 'charts/s/charts/t/values.yaml': 'global: {deep: 1, g: 8}\n', 'charts/s/charts/t/templates/v.yaml': dump }, { values: 'global: {t: {u: 3}}\n' }),
  tree('globals not a table', '', { 'values.yaml': 'global: text\n', ...sub('s', 'a: 1\n') }),
  tree('null deletes', '', { 'values.yaml': 'a: 1\nb: {c: 1, d: 2, e: {f: 1}}\nl: [1]\n' }, { values: 'a: null\nb: {c: null, e: {f: null}}\nl: null\nnew: null\n' }),
  tree('null for subchart', '', { 'values.yaml': 's: {a: null, b: {c: null}}\n', ...sub('s', 'a: 1\nb: {c: 1, d: 2}\n') }),
  tree('null for subchart by user', deps('name: s, version: 1.0.0'), { ...sub('s', 'a: 1\nb: {c: 1, d: 2}\n') }, { values: 's: {a: null, b: {c: null}}\n' }),
  tree('null in defaults', '', { 'values.yaml': 'a: null\nb: {c: null}\n', ...sub('s', 'x: null\nz: {q: null}\n') }, { values: 'b: {d: 1}\n' }),
  tree('table over scalar', '', { 'values.yaml': 'a: 1\nb: {c: 1}\n' }, { values: 'a: {x: 1}\nb: 2\n' }),
  tree('list replaces', '', { 'values.yaml': 'l: [1, 2, {a: b}]\n' }, { values: 'l: [3]\n' }),
  tree('values file null section', '', { 'values.yaml': 'a: {b: 1}\n' }, { values: 'a:\n' }),
  tree('sets', '', { 'values.yaml': 'a: {b: 1}\nl: [1, 2]\n' }, { sets: ['a.b=2,a.c=x', 'l[0]=9', 'm[1].k=v', 's={a,b,3}', 'e=', 't=true', 'n=null', 'f=1.5', 'z=007', 'q=a\\,b', 'd\\.x=1', 'h=0', 'neg=-5', 'ee={}', 'mm[0][1]=x', 'big=9223372036854775808'] }),
  tree('set types', '', { 'templates/t.yaml': '{{ range $k, $v := .Values }}{{ $k }}: {{ typeOf $v }} {{ end }}\n'.replace(/^/, '# ') }, { sets: ['a=1', 'b=1.5', 'c=true', 'd=x', 'e={1,x}', 'f=0x10', 'g=1e3', 'h=+1', 'i=TRUE', 'j=Null'] }),
  tree('set bad', '', {}, { sets: ['a'] }),
  tree('set bad list', '', {}, { sets: ['a={b'] }),
  tree('set bad index', '', {}, { sets: ['a[x]=1'] }),
  tree('set deletes', '', { 'values.yaml': 'a: {b: 1, c: 2}\n' }, { sets: ['a.b=null'] }),
  tree('library dependency', deps('name: lib, version: 1.0.0'), { 'charts/lib/Chart.yaml': chartYaml('lib', 'type: library\n'), 'charts/lib/templates/_h.tpl': '{{ define "lib.n" }}L{{ .Chart.Name }}{{ end }}', 'charts/lib/templates/x.yaml': 'no: 1\n', 'charts/lib/values.yaml': 'a: 1\n', 'templates/u.yaml': 'x: {{ include "lib.n" . }} {{ .Values.lib.a }}\n' }),
  tree('override define', '', { 'templates/_h.tpl': '{{ define "n" }}parent{{ end }}', ...sub('s', ''), 'charts/s/templates/_h.tpl': '{{ define "n" }}child{{ end }}{{ define "only" }}o{{ end }}', 'charts/s/templates/u.yaml': 'x: {{ include "n" . }}\n', 'templates/u.yaml': 'x: {{ include "n" . }} {{ include "only" . }}\n' }),
  tree('define order', '', { 'templates/a.yaml': '{{ define "n" }}a{{ end }}x: {{ include "n" . }}\n', 'templates/b.yaml': '{{ define "n" }}b{{ end }}x: {{ include "n" . }}\n', 'templates/z/c.yaml': '{{ define "n" }}c{{ end }}x: {{ include "n" . }}\n' }),
  tree('empty define', '', { 'templates/_a.tpl': '{{ define "n" }}full{{ end }}', 'templates/_b.tpl': '{{ define "n" }}  {{ end }}', 'templates/u.yaml': 'x: {{ include "n" . }}\n' }),
  tree('subcharts in scope', '', { 'values.yaml': 's: {a: 1}\n', 'templates/u.yaml': 'x: {{ .Subcharts.s.Values.a }} {{ .Subcharts.s.Chart.Name }} {{ .Subcharts.s.Chart.IsRoot }} {{ .Chart.IsRoot }}\n', ...sub('s', '') }),
  tree('template name in subchart', '', { ...sub('s', ''), 'charts/s/templates/n.yaml': 'n: {{ .Template.Name }} {{ .Template.BasePath }}\n', 'templates/n.yaml': 'n: {{ .Template.Name }} {{ include (print .Template.BasePath "/o.yaml") . | sha256sum }}\n', 'templates/o.yaml': 'o: 1\n' }),
  tree('subchart files', '', { ...sub('s', ''), 'f.txt': 'parent', 'charts/s/f.txt': 'child', 'charts/s/templates/n.yaml': 'f: {{ .Files.Get "f.txt" }}\n', 'templates/n.yaml': 'f: {{ .Files.Get "f.txt" }}\n' }),
  tree('mutated values', '', { 'templates/a.yaml': 'a: {{ set .Values "m" 1 | len }}\n', 'templates/b.yaml': 'b: {{ .Values.m | default "none" }}\n', 'templates/0.yaml': 'c: {{ .Values.m | default "none" }}\n' }),
  tree('underscore subchart', '', { 'charts/_s/Chart.yaml': chartYaml('s'), 'charts/.t/Chart.yaml': chartYaml('t') }),
  tree('broken subchart', '', { 'charts/s/Chart.yaml': 'name: [\n' }),
  tree('subchart without Chart.yaml', '', { 'charts/s/values.yaml': 'a: 1\n' }),
  tree('file in charts', '', { 'charts/README.md': 'x' }),
  tree('dependencies in scope', deps('name: s, version: 1.0.0, repository: "https://x", alias: al, tags: [q]'), { ...sub('s', ''), 'templates/d.yaml': 'd: {{ .Chart.Dependencies | toJson | quote }}\n' }),
  tree('metadata in scope', 'description: d\nhome: h\nicon: i\nkeywords: [k]\nsources: [s]\ndeprecated: true\nmaintainers: [{name: n, email: e, url: u}]\nannotations: {x: "1"}\n', { 'templates/d.yaml': 'd: {{ .Chart | toJson | quote }}\n' }),
  tree('bom', '', { 'values.yaml': '\ufeffa: 1\n', 'templates/b.yaml': '\ufeffb: {{ .Values.a }}\n' }),
  tree('schema fits', '', { 'values.yaml': 'a: 1\n', 'values.schema.json': '{"properties": {"a": {"type": "integer"}}}' }),
  tree('schema refuses', '', { 'values.yaml': 'a: x\n', 'values.schema.json': '{"properties": {"a": {"type": "integer"}}}' }),
  tree('schema of subchart', '', { 'values.yaml': 's: {a: x}\n', ...sub('s', ''), 'charts/s/values.schema.json': '{"properties": {"a": {"type": "integer"}}}' }),
  tree('schema refs', '', { 'values.yaml': 'a: {b: 1}\n', 'values.schema.json': '{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "object", "properties": {"b": {"$ref": "#/definitions/s"}}}, "s": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/n"}}}' }),
  tree('schema bad json', '', { 'values.schema.json': '{' }),
  tree('schema required', '', { 'values.schema.json': '{"required": ["a"]}' }),
  tree('schema skipped', '', { 'values.schema.json': '{"required": ["a"]}' }, { flags: ['--skip-schema-validation'] }),
  ...['{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"minimum":1,"exclusiveMinimum":true}}}', '{"properties":{"a":{"exclusiveMinimum":1}}}', '{"properties":{"a":{"multipleOf":0.1}}}', '{"properties":{"a":{"enum":[1,2]}}}', '{"properties":{"a":{"const":2}}}', '{"if":{"properties":{"a":{"const":1}}},"then":{"required":["b"]}}', '{"additionalProperties":false}', '{"patternProperties":{"^a":{"type":"string"}}}', '{"propertyNames":{"pattern":"^b"}}', '{"dependencies":{"a":["b"]}}', '{"unevaluatedProperties":false,"properties":{"b":{}}}', '{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}', '{"not":{"required":["a"]}}', '{"oneOf":[{"required":["a"]},{"required":["global"]},{}]}', '{"maxProperties":0}', '{"properties":{"a":{"type":["string","null"]}}}', '{"properties":{"a":{"type":"number"}}}', '{"properties":{"a":false}}', '{"minProperties":5}'].map((schema, index) => tree(`schema ${index}`, '', { 'values.yaml': 'a: 1\n', 'values.schema.json': schema })),
];

/** Random trees of values for a chart, its subchart and the user: how they flow together is the question. */
function generated(seed: number, count: number): ChartCase[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const listed = intBelow(random, 3) === 0;
    return tree(
      `values ${seed}/${index}`,
      listed ? deps(`name: s, version: 1.0.0${intBelow(random, 2) ? ', import-values: [{child: a, parent: b}]' : ''}`) : '',
      { 'values.yaml': randomTree(random, true), ...sub('s', randomTree(random, false)) },
      { values: randomTree(random, true) },
    );
  });
}

function randomTree(random: Random, parent: boolean): string {
  const value = (depth: number): unknown => {
    const roll = intBelow(random, depth > 2 ? 5 : 9);
    if (roll < 5) return pick<unknown>(random, [1, 'x', null, true, [1], 0, '']);
    return Object.fromEntries(Array.from({ length: intBelow(random, 4) }, () => [pick(random, ['a', 'b', 'c']), value(depth + 1)]));
  };
  const map = (keys: readonly string[]) => Object.fromEntries(keys.filter(() => intBelow(random, 3) > 0).map((key) => [key, value(1)]));
  const top: Record<string, unknown> = map(['a', 'b', 'c']);
  if (intBelow(random, 2)) top['global'] = map(['a', 'b', 'c']);
  if (parent && intBelow(random, 3)) top['s'] = { ...map(['a', 'b', 'c']), ...(intBelow(random, 3) === 0 ? { global: map(['a', 'b']) } : {}) };
  return `${JSON.stringify(top)}\n`;
}

export const CHARTS: readonly ChartCase[] = [...FIXED, ...STRESS, ...generated(1, 160)];
