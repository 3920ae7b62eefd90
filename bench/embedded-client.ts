/** The load generator of `bench/embedded.ts`: requests over one HTTP/2 session, and what the servers' processes use. */
import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';

/** Clock ticks per second of /proc/PID/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Lists of 5,000 objects are 13 MB each. */
const SESSION_MEMORY_MB = 200;

export interface Target {
  url: string;
  token: string;
  ca: string;
  pids: readonly number[];
}

export interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Work per second of the server's processor time; absent where /proc is. */
  perServerCpuSecond?: number;
}

export class Load {
  readonly #session: ClientHttp2Session;
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
    this.#session = connect(target.url, { ca: target.ca, maxSessionMemory: SESSION_MEMORY_MB });
    this.#session.setMaxListeners(0);
  }

  #request(method: string, path: string, type = 'application/json'): ClientHttp2Stream {
    return this.#session.request({ ':method': method, ':path': path, authorization: `Bearer ${this.#target.token}`, 'content-type': type });
  }

  /** The body; throws for an answer of 400 and above. */
  send(method: string, path: string, body?: unknown, type?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(method, path, type);
      let status = 0;
      const chunks: Buffer[] = [];
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.on('error', reject);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (status < 400) resolve(text);
        else reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`));
      });
      stream.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Calls `onEvent` for every line; resolves once the server has answered. */
  watch(path: string, onEvent: () => void): Promise<ClientHttp2Stream> {
    const stream = this.#request('GET', path);
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) onEvent();
    });
    stream.end();
    return new Promise((resolve) => stream.once('response', () => resolve(stream)));
  }

  async measure(count: number, lanes: number, work: (i: number) => Promise<unknown>): Promise<Figures> {
    const times: number[] = [];
    const cpuBefore = cpuSeconds(this.#target.pids);
    const start = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < count) {
        const from = performance.now();
        await work(next++);
        times.push(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const seconds = (performance.now() - start) / 1000;
    const cpu = cpuSeconds(this.#target.pids) - cpuBefore;
    return { perSecond: Math.round(count / seconds), ...quantiles(times), ...(cpu > 0 ? { perServerCpuSecond: Math.round(count / cpu) } : {}) };
  }

  close(): void {
    this.#session.destroy();
  }
}

export function quantiles(times: number[]): { p50Ms: number; p99Ms: number } {
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(2));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** User and system time of processes; NaN without /proc. */
export function cpuSeconds(pids: readonly number[]): number {
  try {
    return pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return Number.NaN;
  }
}

/** Resident memory of processes in MB; NaN without /proc. */
export function residentMB(pids: readonly number[]): number {
  try {
    return Math.round(pids.reduce((sum, pid) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN), 0) / 1000);
  } catch {
    return Number.NaN;
  }
}
