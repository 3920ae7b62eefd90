/** What people see: tables that line up, and progress for terminals and for pipes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { formatTable, Progress, type ProgressStep } from './index.ts';

test('columns line up, nothing is cut off, and lines end where their text ends', () => {
  const check = (headings: string[], rows: string[][], lines: string[]) => assert.deepEqual(formatTable(headings, rows).split('\n'), lines);
  check(['name', 'ready'], [['web', '1/1'], ['a-long-name', '0/1']], ['NAME          READY', 'web           1/1', 'a-long-name   0/1']);
  check(['name', 'ready'], [], ['NAME   READY']);
  check(['name', 'note'], [['web', '']], ['NAME   NOTE', 'web']);
  check(['name', 'note'], [['web']], ['NAME   NOTE', 'web']);
  check(['a', 'b'], [['ü€', 'x'], ['abc', 'y']], ['A     B', 'ü€    x', 'abc   y']);
});

test('colours take no room', () => {
  const rows = [['\u001b[32mok\u001b[39m', 'x'], ['bad', 'y']];
  assert.deepEqual(stripVTControlCharacters(formatTable(['state', 'n'], rows)).split('\n'), ['STATE   N', 'ok      x', 'bad     y']);
});

function progress(isTTY: boolean) {
  const written: string[] = [];
  let elapsedMs = 0;
  const shown = new Progress({ isTTY, write: (text) => void written.push(text) }, () => elapsedMs);
  const show = (atMs: number, steps: ProgressStep[]): string[] => {
    elapsedMs = atMs;
    written.length = 0;
    shown.show(steps);
    return [...written];
  };
  return { show };
}

test('piped: one line per change, with the time; what waits is not mentioned', () => {
  const { show } = progress(false);
  const waiting: ProgressStep = { name: 'Bundles', state: 'waiting' };
  assert.deepEqual(show(0, [{ name: 'Controllers', state: 'running', detail: '0/3' }, waiting]), ['   0.0s … Controllers  0/3\n']);
  assert.deepEqual(show(500, [{ name: 'Controllers', state: 'running', detail: '0/3' }, waiting]), []);
  assert.deepEqual(show(1234, [{ name: 'Controllers', state: 'done', detail: '3/3' }, { ...waiting, state: 'failed' }]), ['   1.2s ✔ Controllers  3/3\n', '   1.2s ✖ Bundles\n']);
});

test('on a terminal: the block is drawn again over itself', () => {
  const { show } = progress(true);
  const steps: ProgressStep[] = [{ name: 'A', state: 'running' }, { name: 'B', state: 'waiting', detail: '0/1' }];
  const plain = (texts: string[]) => texts.map((text) => stripVTControlCharacters(text));
  assert.deepEqual(plain(show(0, steps)), ['… A\n  B  0/1\n']);
  const [again = ''] = show(1, [{ name: 'A', state: 'done' }]);
  assert.ok(again.startsWith('\u001b[2A\u001b[J'), 'back over the two lines before');
  assert.deepEqual(plain([again]), ['✔ A\n']);
  assert.ok(show(2, steps)[0]?.startsWith('\u001b[1A'), 'back over the one line before');
});
