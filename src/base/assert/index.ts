/**
 * Assertions are for programmer errors and crash; operating errors are thrown as typed errors and handled.
 */

/** A broken invariant of our own code. Never caught on purpose. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** For the `default` arm of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected variant ${JSON.stringify(value)}`);
}
