/** Door of the controller room. */
export { TerminalError, done, requeueAfter } from './types.ts';
export type { ControllerOptions, LeaderClients, Outcome, ReconcileContext, Reconciler, Source } from './types.ts';
