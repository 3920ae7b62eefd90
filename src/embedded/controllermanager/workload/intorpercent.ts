/** `IntOrString` fields: a count, or a percentage of a total. Rule: API reference of `maxSurge`, `minAvailable`. */

/** The count that `value` stands for. A percentage is rounded as asked; text that is neither gives 0. */
export function scaledValue(value: number | string | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value);
  if (!percent) return Number.parseInt(value, 10) || 0;
  const exact = (Number(percent[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
