/** Door of Fleet's API: `fleet.cattle.io/v1alpha1` as types, addresses and well-known names. */
export * from './kinds.ts';
export * from './options.ts';
export * from './status.ts';
export type * from './types.ts';
