/** What `range` walks over, as pairs of index and element. */
import { GoInt, int } from './value.ts';

export function* listPairs(list: readonly unknown[]): Iterable<readonly [unknown, unknown]> {
  // The length is taken once, as Go does, so that a list that grows meanwhile ends.
  const length = list.length;
  for (let i = 0; i < length; i++) yield [int(i), list[i] ?? null];
}

export function* intPairs(count: GoInt): Iterable<readonly [unknown, unknown]> {
  for (let i = 0n; i < count.value; i++) yield [undefined, new GoInt(i, count.kind)];
}
