/**
 * Resource quantities as numbers, good enough to compare and add requests (milli-precision for CPU, bytes
 * for memory). Rule: "Quantity" of the API reference: decimal and binary suffixes, exponents.
 */

const SUFFIX: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** The plain number of a quantity (`500m` is 0.5, `1Gi` is 2^30); unreadable text counts as 0. */
export function quantity(text: string | number | undefined): number {
  if (text === undefined) return 0;
  if (typeof text === 'number') return text;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(text.trim());
  return match ? Number(match[1]) * (SUFFIX[match[2] ?? ''] ?? 1) : 0;
}
