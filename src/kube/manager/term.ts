/**
 * What happens between winning and losing: tasks that need no cache begin, every cache is brought up to
 * the state at the win (the barrier), then controllers and the other tasks run.
 *
 * A term ends in one of three ways. Lost: everything is cancelled by the term's signal, and its workers are
 * waited for, so that the next term never meets them. Shutdown: no new keys; running reconciles finish
 * within the budget, then are cancelled. A start that fails throws: leading without working is the one
 * thing a leader must not do.
 */
import { sleep, type Clock } from '#base/clock';
import { errorText, type Log } from '#base/log';
import type { KubeObject } from '#apimachinery/meta';
import { groupResource } from '#apimachinery/resource';
import type { Informer } from '../cache/index.ts';
import type { Client } from '../client/index.ts';
import type { Controller } from '../controller/index.ts';
import type { LeaderClient, Term } from '../leaderelection/index.ts';

/** A cache that is not fresh after this time is named in the log (the term goes on waiting). */
const BARRIER_REPORT_MS = 10_000;
/** After cancelling, how long work may take to settle before the term is left without it. */
const SETTLE_MS = 15_000;
const TASK_RETRY_MS = { min: 1_000, max: 30_000 };

export interface TermTask<C extends string> {
  name: string;
  beforeBarrier: boolean;
  run: (term: Term, clients: Readonly<Record<C, LeaderClient>>) => Promise<void>;
}

export interface TermWork<C extends string> {
  clients: Readonly<Record<C, Client>>;
  clock: Clock;
  log: Log;
  drainBudgetMs: number;
  informers: readonly Informer<KubeObject>[];
  controllers: readonly Controller<C>[];
  tasks: readonly TermTask<C>[];
  /** Told of an epoch above the term's, met on an object. */
  outranked: (epoch: number) => void;
}

/** Resolves when the term's work has ended, with the term lost or `shutdown` aborted; throws when it could not begin. */
export async function runTerm<C extends string>(work: TermWork<C>, term: Term, shutdown: AbortSignal): Promise<void> {
  const { clock } = work;
  const cancel = new AbortController();
  const clients = guardAll(work.clients, term);
  const over = AbortSignal.any([term.signal, shutdown, cancel.signal]);
  // Tasks are loops without an end of their own: they see a shutdown as the end of the term.
  const view = viewOf(term, over);
  const running: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  const failed = new Promise<void>((resolve) => {
    const start = (promise: Promise<void>) => running.push(promise.catch((error: unknown) => {
      failure ??= { error };
      resolve();
    }));
    const begin = async () => {
      for (const task of work.tasks) if (task.beforeBarrier) start(runTask(task, { view, clients, work, over }));
      await passBarrier(work, over);
      if (over.aborted) return;
      for (const task of work.tasks) if (!task.beforeBarrier) start(runTask(task, { view, clients, work, over }));
      for (const controller of work.controllers) start(controller.run({ term, clients, stopIntake: over, cancel: cancel.signal, outranked: work.outranked }));
    };
    start(begin());
  });
  await Promise.race([aborted(over), failed]);
  if (failure) cancel.abort(new Error('the term could not start', { cause: failure.error }));
  const settled = settleAll(running);
  const budgetMs = term.signal.aborted || failure ? 0 : work.drainBudgetMs;
  if (!(await within(clock, budgetMs, settled, term.signal))) {
    cancel.abort(new Error('the time for finishing running work is over'));
    if (!(await within(clock, SETTLE_MS, settled))) work.log.error('work of the term did not end in time', { epoch: term.epoch });
  }
  if (failure && !term.signal.aborted) throw failure.error;
}

async function passBarrier<C extends string>({ informers, clock, log }: TermWork<C>, over: AbortSignal): Promise<void> {
  const waiting = new Set(informers);
  const timer = clock.after(BARRIER_REPORT_MS, () => log.warn('still waiting for fresh caches', { caches: [...waiting].map(({ resource }) => groupResource(resource)) }));
  try {
    await Promise.all(informers.map((informer) => informer.barrier(over).then(() => waiting.delete(informer))));
  } catch (error) {
    if (!over.aborted) throw error;
  } finally {
    timer.cancel();
  }
}

/** A task that fails begins again after a while, as long as the term lasts. */
async function runTask<C extends string>(
  task: TermTask<C>,
  { view, clients, work, over }: { view: Term; clients: Readonly<Record<C, LeaderClient>>; work: TermWork<C>; over: AbortSignal },
): Promise<void> {
  let retryMs = TASK_RETRY_MS.min;
  while (!over.aborted) {
    try {
      return await task.run(view, clients);
    } catch (error) {
      if (over.aborted) return;
      work.log.error('task of the term failed, will run again', { task: task.name, error: errorText(error), delayMs: retryMs });
      await sleep(work.clock, retryMs, over).catch(() => {});
      retryMs = Math.min(TASK_RETRY_MS.max, retryMs * 2);
    }
  }
}

function guardAll<C extends string>(clients: Readonly<Record<C, Client>>, term: Term): Readonly<Record<C, LeaderClient>> {
  const guarded = {} as Record<C, LeaderClient>;
  for (const name of Object.keys(clients) as C[]) guarded[name] = term.guard(clients[name]);
  return guarded;
}

function viewOf(term: Term, signal: AbortSignal): Term {
  return { holder: term.holder, epoch: term.epoch, evidence: term.evidence, signal, remainingMs: () => (signal.aborted ? 0 : term.remainingMs()), guard: (client) => term.guard(client) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Also those that are started while we wait. */
async function settleAll(running: readonly Promise<void>[]): Promise<void> {
  for (let i = 0; i < running.length; i++) await running[i];
}

/** Whether the promise settles within the time; `cut` ends the waiting early. */
function within(clock: Clock, limitMs: number, promise: Promise<void>, cut?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (met: boolean) => {
      timer.cancel();
      cut?.removeEventListener('abort', onCut);
      resolve(met);
    };
    const onCut = () => finish(false);
    const timer = clock.after(limitMs, () => finish(false));
    cut?.addEventListener('abort', onCut, { once: true });
    promise.then(() => finish(true), () => finish(true));
  });
}
