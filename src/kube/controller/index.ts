/** Door of the controller room. */
export { TerminalError, done, requeueAfter } from './types.ts';
export type { ControllerOptions, LeaderClients, Outcome, ReconcileContext, Reconciler, Source } from './types.ts';
export { createController } from './controller.ts';
export type { Controller, ControllerDependencies, ControllerMetrics, ControllerRun, ReconcileResult } from './controller.ts';
