/** Contracts as test suites, run by every implementation. */
export { runStorageConformance, type StorageHarness } from './storage.ts';
