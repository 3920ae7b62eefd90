/** Door of the kubelet: simulated nodes that run pods as processes. */
export { Kubelet } from './kubelet.ts';
export type { NodeOptions } from './kubelet.ts';
export type { Simulation } from './container.ts';
export { dieWithParent, PARENT_FD } from './parent-watch.ts';
export { systemProcessRunner } from './process-runner.ts';
export type {
  ImageRuntime, LogOptions, NodeControl, PodLogs, PowerState, ProcessExit, ProcessIdentity, ProcessRunner, ResolvedImage, RunningProcess, SignalName, SpawnRequest,
} from './types.ts';
