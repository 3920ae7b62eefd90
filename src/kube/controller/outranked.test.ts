import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random';
import { silentLog } from '#base/log';
import { createController, done } from '#kube/controller';
import { createTerm, OutrankedError } from '#kube/leaderelection';
import { FakeClock } from '#testing/clock';

test('a reconciler that meets a higher epoch tells the elector, and its key is not retried by this term', async () => {
  const clock = new FakeClock();
  const seen: number[] = [];
  let attempts = 0;
  const controller = createController(
    {
      name: 'x',
      sources: [],
      triggers: [(enqueue) => clock.after(1, () => enqueue({ name: 'a' }, 0))],
      reconciler: {
        reconcile: async () => {
          attempts++;
          if (attempts === 1) throw new OutrankedError(7, 'worked on under epoch 7');
          return done;
        },
      },
    },
    { clock, random: seededRandom(1), log: silentLog },
  );
  const controlled = createTerm({ holder: 'me', epoch: 3, evidence: 'first', remainingMs: () => 1e6, clock });
  const running = controller.run({ term: controlled.term, clients: {}, stopIntake: new AbortController().signal, outranked: (epoch) => seen.push(epoch) });
  await clock.advance(1000);
  controlled.end('over');
  await running;
  assert.deepEqual(seen, [7]);
  assert.equal(attempts, 1);
});
