/**
 * Whether and when a container runs again. Pure. Rule: "Pod Lifecycle", "Container restart policy": the
 * first crash restarts at once; each further one waits 10 s, 20 s, 40 s, … up to 5 minutes; ten minutes of
 * quiet running forgive everything.
 */
import type { Container, Pod } from '#api/builtin';

export const BACKOFF_MS = { first: 10_000, max: 300_000 };
/** A container that ran this long starts over with its delays. */
const FORGIVEN_AFTER_MS = 2 * BACKOFF_MS.max;

/** The delays of one container so far. */
export interface Backoff {
  /** 0 before the first crash. */
  delayMs: number;
}

export function shouldRestart(policy: string | undefined, exitCode: number): boolean {
  if (policy === 'Never') return false;
  return policy === 'OnFailure' ? exitCode !== 0 : true;
}

/** The policy that governs a container: sidecars always restart, init containers never after success. */
export function restartPolicyOf(pod: Pod, container: Container, isInit: boolean): string {
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  return isInit && container.restartPolicy !== 'Always' && policy === 'Always' ? 'OnFailure' : policy;
}

/**
 * The wait before the next start after an end that followed `ranMs` of running, and the delays to remember.
 * `maxMs` is the kubelet's setting `crashLoopBackOff.maxContainerRestartPeriod` (KEP-4603: 1 s to 300 s); one
 * below the first delay shortens that too.
 */
export function nextBackoff(backoff: Backoff, ranMs: number, maxMs = BACKOFF_MS.max): { waitMs: number; backoff: Backoff } {
  if (backoff.delayMs === 0 || ranMs >= FORGIVEN_AFTER_MS) return { waitMs: 0, backoff: { delayMs: Math.min(BACKOFF_MS.first, maxMs) } };
  return { waitMs: backoff.delayMs, backoff: { delayMs: Math.min(backoff.delayMs * 2, maxMs) } };
}
