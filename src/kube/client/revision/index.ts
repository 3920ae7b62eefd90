/**
 * Comparing resourceVersions. Kubernetes 1.35 promises that those of one kind can be compared as numbers;
 * before that they were in fact etcd revisions everywhere.
 */

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. Empty is oldest. */
export function compareRevisions(a: string, b: string): number {
  // Decimal without leading zeros: the longer one is the greater one; no BigInt needed for what runs per event.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
