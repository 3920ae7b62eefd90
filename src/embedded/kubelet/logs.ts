/**
 * Logs of one container: one file per run (`0.log`, `1.log`, …), each line with its time and stream as
 * container runtimes write them, rotated at a size. Readers see rotated parts and present as one; followers
 * are fed by the writer, so nothing polls.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { rfc3339Micro } from '#base/clock';
import type { LogOptions } from './types.ts';

/** A log file is rotated at this size; one rotated part is kept. */
const FILE_BYTES_MAX = 4 * 2 ** 20;
/** Logs of this many former runs are kept (`kubectl logs --previous` needs one). */
const RUNS_KEPT = 1;
/** A line longer than this is written in parts. */
const LINE_BYTES_MAX = 16 * 1024;
/** What a follower may lag behind before it is cut off. */
const FOLLOW_LINES_MAX = 10_000;

interface Line {
  time: string;
  text: string;
}

export class ContainerLog {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #followers = new Set<(line: Line | undefined) => void>();
  readonly #partial = { stdout: '', stderr: '' };
  #run = -1;
  #bytes = 0;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Begins the log of a new run and drops those too old to be asked for. */
  begin(run: number): void {
    mkdirSync(this.#folder, { recursive: true });
    this.#run = run;
    this.#bytes = sizeOf(this.#file(run));
    for (const name of readdirSync(this.#folder)) {
      const number = Number.parseInt(name, 10);
      if (number < run - RUNS_KEPT) rmSync(join(this.#folder, name), { force: true });
    }
  }

  write(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    const parts = (this.#partial[stream] + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('utf8')).split('\n');
    let rest = parts.pop() ?? '';
    while (rest.length > LINE_BYTES_MAX) {
      parts.push(rest.slice(0, LINE_BYTES_MAX));
      rest = rest.slice(LINE_BYTES_MAX);
    }
    this.#partial[stream] = rest;
    this.#append(stream, parts);
  }

  /** The run is over: flushes an unfinished line and ends followers. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#partial[stream]) this.#append(stream, [this.#partial[stream]]);
      this.#partial[stream] = '';
    }
    for (const follower of this.#followers) follower(undefined);
    this.#followers.clear();
  }

  /** Lines as `kubectl logs` wants them. `running` tells whether following makes sense. */
  async *read(options: LogOptions, running: boolean): AsyncIterable<Uint8Array> {
    const run = options.previous ? this.#run - 1 : this.#run;
    // Subscribe before reading, so that no line falls between.
    const follow = options.follow && running && !options.previous ? this.#follow(options.signal) : undefined;
    const show = (line: Line) => Buffer.from(options.timestamps ? `${line.time} ${line.text}\n` : `${line.text}\n`, 'utf8');
    try {
      const stored = Buffer.concat(this.#selected(run, options).map(show));
      if (stored.length > 0) yield options.limitBytes ? stored.subarray(0, options.limitBytes) : stored;
      if (follow) for await (const line of follow.lines) yield show(line);
    } finally {
      follow?.release();
    }
  }

  #selected(run: number, { sinceTime, sinceSeconds, tailLines }: LogOptions): Line[] {
    const since = sinceTime ? Date.parse(sinceTime) : sinceSeconds ? this.#clock.wallMs() - sinceSeconds * 1000 : 0;
    const lines = this.#lines(run).filter((line) => since === 0 || Date.parse(line.time) >= since);
    if (tailLines === undefined || tailLines < 0) return lines;
    return tailLines === 0 ? [] : lines.slice(-tailLines);
  }

  #append(stream: 'stdout' | 'stderr', texts: readonly string[]): void {
    if (texts.length === 0 || this.#run < 0) return;
    const time = rfc3339Micro(this.#clock.wallMs());
    const data = texts.map((text) => `${time} ${stream} F ${text}\n`).join('');
    if (this.#bytes + data.length > FILE_BYTES_MAX) {
      renameSync(this.#file(this.#run), `${this.#file(this.#run)}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#file(this.#run), data, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(data);
    for (const follower of this.#followers) for (const text of texts) follower({ time, text });
  }

  #file(run: number): string {
    return join(this.#folder, `${run}.log`);
  }

  #lines(run: number): Line[] {
    return [`${this.#file(run)}.1`, this.#file(run)].flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])).filter(Boolean).map(parseLine);
  }

  /** Subscribes at once, not only when the first line is asked for. */
  #follow(signal: AbortSignal | undefined): { lines: AsyncIterable<Line>; release: () => void } {
    const queue: Line[] = [];
    const state = { over: signal?.aborted ?? false, wake: () => {} };
    const follower = (line: Line | undefined) => {
      if (!line || queue.length >= FOLLOW_LINES_MAX) state.over = true;
      else queue.push(line);
      state.wake();
    };
    const onAbort = () => follower(undefined);
    this.#followers.add(follower);
    signal?.addEventListener('abort', onAbort, { once: true });
    const release = () => {
      this.#followers.delete(follower);
      signal?.removeEventListener('abort', onAbort);
    };
    return { lines: drain(queue, state), release };
  }
}

async function* drain(queue: Line[], state: { over: boolean; wake: () => void }): AsyncIterable<Line> {
  for (;;) {
    const line = queue.shift();
    if (line) yield line;
    else if (state.over) return;
    else await new Promise<void>((resolve) => (state.wake = resolve));
  }
}

function parseLine(line: string): Line {
  const [time = ''] = line.split(' ', 1);
  // `time stream F text`: the text begins after the third blank.
  const at = line.indexOf(' F ', time.length);
  return { time, text: line.slice(at + 3) };
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
