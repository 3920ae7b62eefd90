/**
 * `npm run test:oracle`: our rendering beside the real helm and kubectl. Arguments:
 *
 *   --record        write what the binaries say of the corpora to recorded/, for `npm test` to replay
 *   --seed N        seed of the generated programs (printed; default 1)
 *   --count N       how many of them (default 10,000 templates and 3,000 YAML documents)
 *
 * Corpora must agree entirely. Generated programs must agree too, except for the KNOWN differences; any other
 * is printed and makes the exit code 1. Every call of a binary has a time limit, and so has every phase.
 */
import { writeFileSync } from 'node:fs';
import { binaries } from './binaries.ts';
import { CHARTS } from './cases/charts.ts';
import { KUSTOMIZATIONS } from './cases/kustomizations.ts';
import * as charts from './charts.ts';
import { templates, yamlTemplates } from './generate.ts';
import * as kustomize from './kustomize.ts';
import { encodeRecord, recordPath, type Recorded } from './record.ts';
import { ours, readCorpus, theirs, type TemplateCase, type TemplateResult } from './templates.ts';

/** Programs that may differ, and why (docs/rendering.md says it to users). Any other difference fails the run. */
const KNOWN: readonly { program: RegExp; reason: string }[] = [
  { program: /(?:snake|kebab)case/, reason: 'word boundaries at symbols and at letters without case follow no documented rule' },
  { program: /^\{\{ \$y := fromYaml.*\\t/s, reason: 'Go refuses a line or an item that holds only a tab' },
];
/** Time for asking the binary about one kind of generated programs. */
const PHASE_MS_MAX = 90_000;
const BATCH = 150;
/** Refused programs cost one run each; this many of them are compared. */
const REFUSALS = 150;

process.env['TZ'] = 'UTC';
const args = process.argv.slice(2);
const option = (name: string, fallback: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : fallback);
const { helm, kubectl } = binaries();
let failures = 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Outcome = { text: string } | { error: string };

function same(a: Outcome, b: Outcome): boolean {
  return 'text' in a && 'text' in b ? a.text === b.text : 'error' in a && 'error' in b;
}

function report(what: string, a: Outcome, b: Outcome): void {
  say(`DIFFERS ${what}\n  ours   ${JSON.stringify(a).slice(0, 400)}\n  theirs ${JSON.stringify(b).slice(0, 400)}`);
}

function corpus<T>(name: string, cases: readonly T[], { title, mine, real }: { title: (one: T) => string; mine: (one: T) => Outcome; real: (all: readonly T[]) => Outcome[] }): void {
  const answers = real(cases);
  let equal = 0;
  for (const [index, one] of cases.entries()) {
    const a = mine(one);
    const b = answers[index] as Outcome;
    if (same(a, b)) equal++;
    else {
      failures++;
      report(`${name}: ${title(one)}`, a, b);
    }
  }
  say(`${name}: ${equal} of ${cases.length} equal`);
  if (args.includes('--record')) writeFileSync(recordPath(name), encodeRecord(cases.map((one, index): Recorded => [title(one), answers[index] as Outcome])));
}

function generated(name: string, programs: readonly string[], values: string): void {
  const mine = programs.map((template) => ours({ template, values }));
  const indexes = programs.map((_, index) => index);
  const answered = indexes.filter((index) => 'text' in (mine[index] as TemplateResult));
  // What exhausts our limits would run for minutes in the binary, or until the machine has no memory left.
  const refused = indexes.filter((index) => !answered.includes(index) && !/: more than \d|longer than \d/.test((mine[index] as { error: string }).error));
  const started = Date.now();
  const tally = { equal: 0, known: 0, different: 0, notAsked: 0 };
  const compare = (some: readonly number[]) => {
    if (Date.now() - started > PHASE_MS_MAX) {
      tally.notAsked += some.length;
      return;
    }
    const real = theirs(helm, some.map((index) => programs[index] as string), values);
    for (const [at, index] of some.entries()) {
      const [program, a, b] = [programs[index] as string, mine[index] as TemplateResult, real[at] as TemplateResult];
      if (same(a, b)) tally.equal++;
      else if (KNOWN.some((known) => known.program.test(program))) tally.known++;
      else {
        tally.different++;
        report(`${name}: ${JSON.stringify(program)}`, a, b);
      }
    }
  };
  for (let i = 0; i < answered.length; i += BATCH) {
    if (i % (BATCH * 10) === 0) process.stderr.write(`${name}: ${i} of ${answered.length}\n`);
    compare(answered.slice(i, i + BATCH));
  }
  for (const index of refused.slice(0, REFUSALS)) compare([index]);
  say(`${name}: ${tally.equal} equal, ${tally.known} known differences, ${tally.different} different, ${programs.length - answered.length} refused by us (${Math.min(REFUSALS, refused.length)} of them asked), ${tally.notAsked} not asked for want of time`);
  if (tally.different > 0) failures++;
}

/** Refused templates slow a whole batch down, so those we refuse are asked a few at a time. */
function askHelm(all: readonly TemplateCase[]): TemplateResult[] {
  const answers = new Array<TemplateResult>(all.length);
  const refusedByUs = all.map((one) => 'error' in ours(one));
  for (const [refused, size] of [[false, BATCH], [true, 8]] as const) {
    const indexes = all.map((_, index) => index).filter((index) => refusedByUs[index] === refused);
    for (let i = 0; i < indexes.length; i += size) {
      const some = indexes.slice(i, i + size);
      const real = theirs(helm, some.map((index) => (all[index] as TemplateCase).template), all[0]?.values ?? '');
      for (const [at, index] of some.entries()) answers[index] = real[at] as TemplateResult;
    }
  }
  return answers;
}

const seed = option('--seed', 1);
say(`seed ${seed}`);
const templateCases = readCorpus();
corpus('templates', templateCases, { title: ({ template }) => template, mine: (one) => ours(one), real: askHelm });
corpus('charts', CHARTS, { title: ({ name }) => name, mine: charts.ours, real: (all) => all.map((one) => charts.theirs(helm, one)) });
corpus('kustomizations', KUSTOMIZATIONS, { title: ({ name }) => name, mine: kustomize.ours, real: (all) => all.map((one) => kustomize.theirs(kubectl, one)) });
generated('generated templates', templates(seed, option('--count', 10_000)), templateCases[0]?.values ?? '');
generated('generated YAML', yamlTemplates(seed, Math.ceil(option('--count', 10_000) * 0.3)), templateCases[0]?.values ?? '');
say(failures === 0 ? 'oracle: passed' : `oracle: ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
