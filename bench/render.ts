/**
 * How fast a chart renders: cold (first render of a fresh chart object), warm (parsed templates kept), and
 * `${ }` sized templates for many targets. Writes bench/results/render.json.
 */
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../src/base/random/index.ts';
import { loadChart, renderChart } from '../src/render/chart/index.ts';
import { Engine, ParseCache, sprigFunctions } from '../src/render/gotemplate/index.ts';

const encoder = new TextEncoder();

const HELPERS = `{{- define "c.name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}
{{- define "c.labels" -}}
app.kubernetes.io/name: {{ include "c.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}`;

const WORKLOAD = (index: number) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "c.name" . }}-${index}
  labels: {{- include "c.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    metadata: {labels: {app: x}}
    spec:
      containers:
      {{- range $name, $image := .Values.images }}
      - name: {{ $name }}
        image: {{ $image | quote }}
        env: {{- toYaml $.Values.env | nindent 8 }}
      {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
`;

function chartFiles(count: number): Map<string, Uint8Array> {
  const files: Record<string, string> = {
    'Chart.yaml': 'apiVersion: v2\nname: bench\nversion: 1.0.0\n',
    'values.yaml': 'replicas: 2\nimages: {a: "x:1", b: "y:2"}\nenv: [{name: A, value: "1"}, {name: B, value: "2"}]\nnodeSelector: {disk: ssd}\n',
    'templates/_helpers.tpl': HELPERS,
  };
  for (let i = 0; i < count; i++) files[`templates/d${i}.yaml`] = WORKLOAD(i);
  return new Map(Object.entries(files).map(([path, text]) => [path, encoder.encode(text)]));
}

const options = { release: { name: 'r' }, random: seededRandom(1), nowMs: 0 };

function timeMs(runs: number, work: () => unknown): number {
  const start = performance.now();
  for (let i = 0; i < runs; i++) work();
  return Math.round(((performance.now() - start) / runs) * 1000) / 1000;
}

const files = chartFiles(30);
const coldMs = timeMs(1, () => renderChart(loadChart(files), options));
const chart = loadChart(files);
timeMs(50, () => renderChart(chart, options));
const warmMs = timeMs(100, () => renderChart(chart, options));

function targets(count: number): number {
  const cache = new ParseCache();
  const functions = sprigFunctions({ random: options.random, nowMs: 0 });
  return timeMs(1, () => {
    for (let i = 0; i < count; i++) {
      const engine = new Engine({ functions, missingKey: 'error', cache });
      engine.parse('value', '{{ .ClusterLabels.env | upper }}-{{ .ClusterName }}-{{ if eq .ClusterLabels.env "prod" }}3{{ else }}1{{ end }}');
      engine.execute('value', { ClusterName: `c${i}`, ClusterLabels: { env: i % 2 ? 'prod' : 'dev' } });
    }
  });
}

const result = { templates: 30, coldMs, warmMs, thousandTargetsMs: targets(1000) };
writeFileSync(new URL('results/render.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
