/**
 * Probes of one running container: startup first, then liveness and readiness side by side. Each has its
 * own timer; results come as events. Until a startup or readiness probe first passes, it is also checked
 * between its periods, so that a process is noticed soon after it is up; such early failures do not count. HTTP and TCP checks go to the pod's own address.
 *
 * Absent: exec (no process may be entered) and gRPC; they count as passing.
 */
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import type { Clock, Timer } from '#base/clock';
import type { Container, HTTPGetAction, Probe } from '#api/builtin';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeEvents {
  started(): void;
  ready(ready: boolean): void;
  /** Liveness or startup failed for good; the container must be killed. */
  failed(kind: ProbeKind, message: string): void;
}

interface Counter {
  successes: number;
  failures: number;
  /** It succeeded as often in a row as it must, at least once. */
  passed: boolean;
}

/** Runs the probes of a container until stopped. Without probes it is started and ready at once. */
export class ContainerProbes {
  readonly #container: Container;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #events: ProbeEvents;
  readonly #timers = new Map<ProbeKind, Timer>();
  /** While true no check is made and none counts (a paused node). */
  frozen = false;
  #stopped = false;

  constructor(container: Container, host: string, deps: { clock: Clock; events: ProbeEvents }) {
    this.#container = container;
    this.#host = host;
    this.#clock = deps.clock;
    this.#events = deps.events;
  }

  start(): void {
    const { startupProbe } = this.#container;
    if (startupProbe) this.#begin('startup', startupProbe);
    else this.#afterStartup();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #afterStartup(): void {
    const { livenessProbe, readinessProbe } = this.#container;
    this.#events.started();
    if (livenessProbe) this.#begin('liveness', livenessProbe);
    if (readinessProbe) this.#begin('readiness', readinessProbe);
    else this.#events.ready(true);
  }

  #begin(kind: ProbeKind, probe: Probe): void {
    const counter: Counter = { successes: 0, failures: 0, passed: false };
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    let nextCountMs = this.#clock.monotonicMs();
    let earlyMs = FIRST_CHECK_MS;
    const round = () => {
      void this.#check(probe).then((problem) => {
        if (this.#stopped) return;
        // A failure counts once per period; in between, a process that is coming up is only looked at.
        const due = this.#clock.monotonicMs() >= nextCountMs;
        if (due) nextCountMs = this.#clock.monotonicMs() + periodMs;
        if (!this.frozen && (due || problem === undefined)) this.#count({ kind, probe, counter, problem });
        if (this.#stopped || (kind === 'startup' && counter.passed)) return;
        earlyMs = Math.min(periodMs, earlyMs * 2);
        this.#timers.set(kind, this.#clock.after(counter.passed || kind === 'liveness' ? periodMs : earlyMs, round));
      });
    };
    this.#timers.set(kind, this.#clock.after((probe.initialDelaySeconds ?? 0) * 1000 || FIRST_CHECK_MS, round));
  }

  #count({ kind, probe, counter, problem }: { kind: ProbeKind; probe: Probe; counter: Counter; problem: string | undefined }): void {
    if (problem === undefined) {
      counter.successes++;
      counter.failures = 0;
    } else {
      counter.failures++;
      counter.successes = 0;
    }
    if (problem === undefined && counter.successes === (probe.successThreshold ?? 1)) {
      counter.passed = true;
      if (kind === 'startup') this.#afterStartup();
      if (kind === 'readiness') this.#events.ready(true);
    }
    if (problem === undefined || counter.failures < (probe.failureThreshold ?? 3)) return;
    if (kind === 'readiness') return this.#events.ready(false);
    this.stop();
    this.#events.failed(kind, problem);
  }

  async #check(probe: Probe): Promise<string | undefined> {
    if (this.frozen) return undefined;
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    if (probe.httpGet) return httpGet(probe.httpGet, { container: this.#container, host: this.#host, timeoutMs });
    if (probe.tcpSocket) return tcpConnect(probe.tcpSocket.host ?? this.#host, portOf(this.#container, probe.tcpSocket.port), timeoutMs);
    return undefined;
  }
}

/** The first check of a probe without an initial delay: soon, but after the process had a chance to listen. */
const FIRST_CHECK_MS = 50;

/** A port by number, or by its name among the container's ports. */
export function portOf(container: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  return container.ports?.find((each) => each.name === port)?.containerPort ?? (Number.parseInt(port, 10) || 0);
}

/** `undefined` when the answer is 200–399, else what was wrong. Redirects count as success and are not followed. */
export function httpGet(action: HTTPGetAction, { container, host, timeoutMs }: { container: Container; host: string; timeoutMs: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const secure = action.scheme === 'HTTPS';
    const headers = Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value]));
    const options = { host: action.host ?? host, port: portOf(container, action.port), path: action.path ?? '/', headers: { 'user-agent': 'kube-probe', connection: 'close', ...headers }, timeout: timeoutMs, agent: false as const };
    const call = secure ? secureRequest({ ...options, rejectUnauthorized: false }) : request(options);
    call.on('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error) => resolve(`Get "${action.path ?? '/'}": ${error.message}`));
    call.end();
  });
}

export function tcpConnect(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', () => finish());
    socket.on('timeout', () => finish(`dial tcp ${host}:${port}: i/o timeout`));
    socket.on('error', (error) => finish(`dial tcp ${host}:${port}: ${error.message}`));
  });
}
