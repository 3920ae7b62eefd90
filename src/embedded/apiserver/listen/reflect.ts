/**
 * `@peculiar/x509` builds its objects with a dependency container that asks `Reflect` for design-time metadata
 * and refuses to load without it. TypeScript's type stripping emits none, so an empty store is all it needs.
 * Import this before the library. A real polyfill that is already there stays.
 */
type MetadataReflect = { getMetadata?: unknown; [name: string]: unknown };

const reflect = Reflect as unknown as MetadataReflect;

if (typeof reflect.getMetadata !== 'function') {
  const store = new WeakMap<object, Map<unknown, unknown>>();
  const own = (key: unknown, target: object) => store.get(target)?.get(key);
  const define = (key: unknown, value: unknown, target: object) => {
    const entries = store.get(target) ?? new Map<unknown, unknown>();
    store.set(target, entries.set(key, value));
  };
  Object.assign(reflect, {
    defineMetadata: define,
    getMetadata: own,
    getOwnMetadata: own,
    hasMetadata: (key: unknown, target: object) => store.get(target)?.has(key) ?? false,
    hasOwnMetadata: (key: unknown, target: object) => store.get(target)?.has(key) ?? false,
    metadata: (key: unknown, value: unknown) => (target: object) => define(key, value, target),
  });
}
