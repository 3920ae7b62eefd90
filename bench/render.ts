/**
 * How fast a chart of 30 templates renders: cold (the first render of a fresh process, its modules loaded;
 * median of several processes), fresh (a chart never seen, in a process that has rendered before), warm (parsed
 * templates kept), and `${ }` sized templates for many targets. With `--helm`, the real binary renders the same
 * chart in the same run and its processor time per chart stands beside ours.
 * Writes bench/results/render.json.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

/** Processor time, user and system, of one round. */
function cpuMs(runs: number, work: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) work();
  const used = process.cpuUsage(before);
  return Math.round((used.user + used.system) / runs) / 1000;
}

const files = chartFiles(30);
const COLD_PROCESSES = 9;

if (process.argv.includes('--cold')) {
  process.stdout.write(`${timeMs(1, () => renderChart(loadChart(files), options))}\n`);
  process.exit(0);
}

function coldMs(): number {
  const times = Array.from({ length: COLD_PROCESSES }, () => Number(execFileSync(process.execPath, [import.meta.filename, '--cold'], { encoding: 'utf8' })));
  return times.sort((a, b) => a - b)[Math.floor(COLD_PROCESSES / 2)] as number;
}

/** The shell's `times` after some runs of helm: processor time of its children. */
async function helmCpu(): Promise<number> {
  const { binaries } = await import('../test/oracle/binaries.ts');
  const { helm } = binaries();
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    for (const [path, data] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), data);
    }
    const runs = 10;
    const script = `for i in ${Array.from({ length: runs }, (_, i) => i).join(' ')}; do "$0" template r "$1" > "$1/out.log" || exit 1; done; times`;
    const [, children = ''] = execFileSync('bash', ['-c', script, helm, folder], { encoding: 'utf8' }).trim().split('\n');
    const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map((match) => Number(match[1]) * 60 + Number(match[2]));
    return Math.round((seconds.reduce((sum, one) => sum + one, 0) / runs) * 1000);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const cold = coldMs();
const firstCpuMs = cpuMs(1, () => renderChart(loadChart(files), options));
cpuMs(30, () => renderChart(loadChart(files), options));
const freshCpuMs = cpuMs(50, () => renderChart(loadChart(files), options));
const chart = loadChart(files);
timeMs(50, () => renderChart(chart, options));
const warmMs = timeMs(100, () => renderChart(chart, options));
const warmCpuMs = cpuMs(100, () => renderChart(chart, options));

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

const helmCpuMs = process.argv.includes('--helm') ? await helmCpu() : undefined;
const beside = helmCpuMs === undefined ? {} : { helmCpuMs, timesLessCpu: { first: ratio(firstCpuMs), fresh: ratio(freshCpuMs), warm: ratio(warmCpuMs) } };

function ratio(ours: number): number {
  return Math.round(((helmCpuMs as number) / ours) * 10) / 10;
}

const result = { templates: 30, processors: cpus().length, coldMs: cold, warmMs, firstCpuMs, freshCpuMs, warmCpuMs, ...beside, thousandTargetsMs: targets(1000) };
writeFileSync(new URL('results/render.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
