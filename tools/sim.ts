/**
 * `npm run sim -- --seeds N [--from S] [--bug B]`: the election simulation over many seeds. A seed that fails is printed
 * with its transcript; `--seed S` replays one.
 */
import { parseArgs } from 'node:util';
import { simulateElection, type Bug } from '../src/testing/simulation/index.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '10000' }, from: { type: 'string', default: '0' }, seed: { type: 'string' }, bug: { type: 'string' } },
});
const bug = values.bug as Bug | undefined;

function replay(seed: number): boolean {
  const result = simulateElection(seed, { transcript: true, ...(bug ? { bug } : {}) });
  process.stdout.write(`${result.transcript.join('\n')}\nseed ${seed}: ${result.violation ?? 'no violation'}\n`);
  return result.violation === undefined;
}

function sweep(from: number, count: number): boolean {
  const startedMs = performance.now();
  let terms = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = simulateElection(seed, bug ? { bug } : {});
    terms += result.terms;
    if (result.violation === undefined) continue;
    replay(seed);
    process.stdout.write(`replay with: npm run sim -- --seed ${seed}${bug ? ` --bug ${bug}` : ''}\n`);
    return false;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(`${count} seeds, ${terms} terms, no violation, ${seconds.toFixed(1)} s\n`);
  return true;
}

const held = values.seed === undefined ? sweep(Number(values.from), Number(values.seeds)) : replay(Number(values.seed));
process.exitCode = held ? 0 : 1;
