/** The plan for a person. */
import { formatDuration } from '#base/duration';
import type { TablePrinter } from '../status/index.ts';
import type { HaPlan } from './plan.ts';

export function formatHaPlan(plan: HaPlan, table: TablePrinter): string {
  const { timings, replicas, latency, inequality, requestsPerDay } = plan;
  const seconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  return [
    `lease ${formatDuration(timings.leaseDurationMs)}, deadline ${formatDuration(timings.renewDeadlineMs)}, retry ${formatDuration(timings.retryPeriodMs)}, watchdog ${formatDuration(timings.watchdogMs)}; ${replicas} replica${replicas === 1 ? '' : 's'}; API ${latency.meanMs.toFixed(1)} ms (slowest ${latency.worstMs.toFixed(1)} ms)`,
    `${plan.safe ? '✔ safe' : '✖ unsafe'}: D(1+ρ)+w = ${Math.round(inequality.leftMs)} ms ${inequality.leftMs <= inequality.rightMs ? '≤' : '>'} L(1−ρ) = ${Math.round(inequality.rightMs)} ms`,
    ...(plan.problem ? [plan.problem] : []),
    '',
    table(['failure', 'mean', 'worst', 'evidence', 'what happens'], plan.takeovers.map(({ kind, meanMs, worstMs, evidence, what }) => [kind, seconds(meanMs), seconds(worstMs), evidence, what])),
    '',
    `${requestsPerDay.total.toLocaleString('en')} API requests a day per lease (${requestsPerDay.renewals.toLocaleString('en')} renewals, ${requestsPerDay.watches.toLocaleString('en')} for watches), as many as ${(requestsPerDay.total / 8_640).toFixed(1)} kubelets make to say that they live`,
    ...plan.advice.map((line) => `! ${line}`),
  ].join('\n');
}
