/**
 * A drill as one HTML page without anything from outside: verdict, checks, and the timeline as inline SVG.
 * Everything that came from a cluster is escaped.
 */
import type { DrillResult, Observation } from '../drill/index.ts';

const WIDTH = 960;
const LEFT = 110;
const RIGHT = 20;
const LANE = 34;
/** Of the time before the strike and after the takeover that is drawn. */
const AROUND_MS = 1_500;
/** More dots than this in one lane are thinned out; the eye would not tell them apart. */
const DOTS_MAX = 1_500;

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1c2330;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}.pass{color:#13795b}.fail{color:#b3261e}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #e3e7ee;vertical-align:top}
svg{width:100%;height:auto;background:#f7f9fc;border:1px solid #e3e7ee;border-radius:6px}svg text{font:12px system-ui,sans-serif;fill:#4b5565}
.old{fill:#7a8599}.new{fill:#13795b}.gap{fill:#f3c6c2;opacity:.6}.mark{stroke:#b3261e;stroke-dasharray:4 3}.axis{stroke:#c8cfda}
@media(prefers-color-scheme:dark){body{background:#12161d;color:#dfe5ee}svg{background:#1a202a;border-color:#2c3543}td,th{border-color:#2c3543}svg text{fill:#9aa7ba}.old{fill:#8f9bb0}.new{fill:#4cc59a}.gap{fill:#7a2a26}.pass{color:#4cc59a}.fail{color:#ff8a80}}
`;

/** One page for one or more drills. */
export function reportPage(results: readonly DrillResult[]): string {
  const passed = results.every((result) => result.passed);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Failover drill</title><style>${STYLE}</style></head>
<body><h1>Failover drill: <span class="${passed ? 'pass' : 'fail'}">${passed ? 'passed' : 'failed'}</span></h1>
${results.map(section).join('\n')}
</body></html>
`;
}

function section(result: DrillResult): string {
  const { kind, component, cluster, observation, checks, gapMs, sinceStrikeMs, evidence } = result;
  const facts = [
    ['When', observation.startedWall],
    ['Component', `${component} in cluster ${cluster}`],
    ['Without a guarded write', gapMs === undefined ? 'no takeover was seen' : `${Math.round(gapMs)} ms`],
    ['From the strike to the first write of the successor', sinceStrikeMs === undefined ? '-' : `${Math.round(sinceStrikeMs)} ms`],
    ['How the end of the old leader was known', evidence ?? '-'],
    ['Epochs', `${result.oldEpoch} → ${result.newEpoch ?? '?'}`],
  ];
  return `<h2>${escape(kind)}: <span class="${result.passed ? 'pass' : 'fail'}">${result.passed ? 'passed' : 'failed'}</span></h2>
<table>${facts.map(([name, value]) => `<tr><th>${escape(name ?? '')}</th><td>${escape(value ?? '')}</td></tr>`).join('')}</table>
${timeline(result)}
<table><tr><th></th><th>Check</th><th>Detail</th></tr>${checks.map(({ name, passed, detail }) => `<tr><td class="${passed ? 'pass' : 'fail'}">${passed ? '✔' : '✖'}</td><td>${escape(name)}</td><td>${escape(detail)}</td></tr>`).join('')}</table>`;
}

/** Lanes: one per stream of guarded writes, one for the lease; the gap is shaded. */
function timeline({ observation, oldEpoch }: DrillResult): string {
  const { writes, leases, marks, strikeMs } = observation;
  const first = writes.find(({ epoch }) => epoch > oldEpoch);
  const last = first && writes.findLast(({ epoch, atMs }) => epoch <= oldEpoch && atMs <= first.atMs);
  const [fromMs, toMs] = span(observation, first?.atMs);
  const x = (ms: number) => LEFT + ((ms - fromMs) / (toMs - fromMs)) * (WIDTH - LEFT - RIGHT);
  const lanes = [...new Set(writes.map(({ stream }) => stream)), 'lease'];
  const height = lanes.length * LANE + 50;
  const visible = ({ atMs }: { atMs: number }) => atMs >= fromMs && atMs <= toMs;
  const dot = (atMs: number, lane: number, epoch: number, title: string) => `<circle cx="${x(atMs).toFixed(1)}" cy="${lane * LANE + 32}" r="3.5" class="${epoch > oldEpoch ? 'new' : 'old'}"><title>${escape(title)}</title></circle>`;
  const shade = first && last ? `<rect class="gap" x="${x(last.atMs).toFixed(1)}" y="14" width="${Math.max(1, x(first.atMs) - x(last.atMs)).toFixed(1)}" height="${lanes.length * LANE}"/><text x="${x((last.atMs + first.atMs) / 2).toFixed(1)}" y="12" text-anchor="middle">${Math.round(first.atMs - last.atMs)} ms</text>` : '';
  const rows = lanes.map((name, lane) => {
    const events = name === 'lease' ? leases.map((sample) => ({ ...sample, subject: sample.holder || 'released' })) : writes.filter(({ stream }) => stream === name);
    const shown = events.filter(visible);
    const step = Math.ceil(shown.length / DOTS_MAX);
    return `<text x="8" y="${lane * LANE + 36}">${escape(name)}</text><line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${lane * LANE + 32}" y2="${lane * LANE + 32}"/>${shown.filter((_, index) => index % step === 0).map(({ atMs, epoch, subject }) => dot(atMs, lane, epoch, `${subject}, epoch ${epoch}, ${Math.round(atMs - strikeMs)} ms`)).join('')}`;
  });
  const lines = marks.filter(visible).map(({ atMs, text }) => `<line class="mark" x1="${x(atMs).toFixed(1)}" x2="${x(atMs).toFixed(1)}" y1="14" y2="${height - 24}"/><text x="${(x(atMs) + 4).toFixed(1)}" y="${height - 26}">${escape(text)}</text>`);
  const ticks = tickTimes(fromMs - strikeMs, toMs - strikeMs).map((ms) => `<text x="${x(strikeMs + ms).toFixed(1)}" y="${height - 8}" text-anchor="middle">${ms / 1000} s</text>`);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Writes of the old leader (grey) and the new one (green) over time; the gap is shaded">${shade}${rows.join('')}${lines.join('')}${ticks.join('')}</svg>`;
}

function span({ strikeMs, endMs }: Observation, firstMs: number | undefined): [number, number] {
  return [strikeMs - AROUND_MS, Math.min(endMs, (firstMs ?? endMs) + AROUND_MS)];
}

/** About eight round numbers, in milliseconds from the strike. */
function tickTimes(fromMs: number, toMs: number): number[] {
  const step = [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000].find((ms) => (toMs - fromMs) / ms <= 9) ?? 60_000;
  const first = Math.ceil(fromMs / step) * step;
  return Array.from({ length: Math.floor((toMs - first) / step) + 1 }, (_, index) => first + index * step);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
