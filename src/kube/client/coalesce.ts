/** Calls with the same key while one is under way share its result. */
export type Coalesced<T> = (key: string) => Promise<T>;

export function coalesce<T>(call: (key: string) => Promise<T>): Coalesced<T> {
  const running = new Map<string, Promise<T>>();
  return (key) => {
    const existing = running.get(key);
    if (existing) return existing;
    const promise = call(key).finally(() => running.delete(key));
    running.set(key, promise);
    return promise;
  };
}
