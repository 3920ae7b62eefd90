/** Door: `fleet test`, which shows what a cluster would get. */
export { runTest } from './test.ts';
