/** Two fleets on one machine never share a block of addresses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reserveBlock } from './addresses.ts';

test('a block that is taken is passed over, and one given back can be had again', async () => {
  const first = await reserveBlock('/a folder of this test', undefined);
  const second = await reserveBlock('/a folder of this test', undefined);
  try {
    assert.notEqual(second.block, first.block);
    for (const { block } of [first, second]) assert.ok(block >= 100 && block < 250, `${block}`);
  } finally {
    first.release();
    second.release();
  }
});

test('a fleet gets the block it had before, or the next free one', async () => {
  const had = await reserveBlock('/another folder of this test', undefined);
  const other = await reserveBlock('/a third', had.block);
  assert.notEqual(other.block, had.block);
  had.release();
  const again = await reserveBlock('/another folder of this test', had.block);
  assert.equal(again.block, had.block);
  again.release();
  other.release();
});
