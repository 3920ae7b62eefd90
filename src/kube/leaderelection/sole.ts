/** No election (`--leader-elect=false`): one term that lasts until the campaign ends. For a process that is known to be alone. */
import type { Clock } from '#base/clock';
import { createTerm } from './guard.ts';
import type { Elector, ElectionStatus } from './types.ts';

export function createSoleElector({ identity, clock }: { identity: string; clock: Clock }): Elector {
  let state: ElectionStatus['state'] = 'standby';
  return {
    identity,
    vouch() {},
    holdOff() {},
    outranked() {},
    status: () => ({ state, identity, holder: identity, epoch: 0 }),
    async *campaign(signal) {
      while (!signal.aborted) {
        const controlled = createTerm({ holder: identity, epoch: 0, evidence: 'first', remainingMs: () => TERM_MS, clock });
        state = 'leading';
        try {
          yield controlled.term;
        } finally {
          state = 'standby';
          await controlled.drain(DRAIN_MS);
          controlled.end('the campaign ended');
        }
      }
      state = 'stopped';
    },
  };
}

/** How far ahead the term looks; it is renewed by looking again. */
const TERM_MS = 3_600_000;
const DRAIN_MS = 2_000;
