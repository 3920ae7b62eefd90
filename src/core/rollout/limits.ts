/** How a limit written as a number or a percentage becomes a count. Source: Fleet, rollout limits. */

/**
 * The first given value, as a count out of `total`. Percentages are rounded down, one at least; numbers
 * (also negative and zero) are taken as they are. With nothing to count the limit is one.
 * Throws an `Error` naming a text that is neither.
 */
export function limitOf(total: number, ...values: readonly (number | string | undefined)[]): number {
  if (total <= 0) return 1;
  const value = values.find((candidate) => candidate !== undefined) ?? '100%';
  if (typeof value === 'number') return value;
  if (/^[+-]?\d+$/.test(value) && Number(value) > 0) return Number(value);
  const percent = /^\s*([+-]?(?:\d+\.?\d*|\.\d+))%$/.exec(value)?.[1];
  if (percent === undefined) throw new Error(`rolloutStrategy: ${JSON.stringify(value)} is no limit: use a number or a percentage such as "25%"`);
  return Math.max(1, Math.floor((total * Number(percent)) / 100));
}
