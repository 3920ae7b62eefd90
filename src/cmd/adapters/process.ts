/** The life of one of our processes: when it must stop, and who it is. */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { dieWithParent } from '#embedded/kubelet';

/** Aborts on SIGTERM and SIGINT. A second signal ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort(new Error(`received ${name}`));
    });
  }
  return stop.signal;
}

export interface Identity {
  /** Unique per process life: names the holder of a lease. */
  holder: string;
  podName: string;
  podUID: string;
  nodeName: string;
  namespace: string | undefined;
}

export function processIdentity(env: NodeJS.ProcessEnv): Identity {
  const podName = env.POD_NAME || hostname();
  return { holder: `${podName}_${randomUUID()}`, podName, podUID: env.POD_UID ?? '', nodeName: env.NODE_NAME ?? '', namespace: env.NAMESPACE || undefined };
}

/** What every entry point does first and last: end with the cluster it belongs to, and turn a failure into an exit code. */
export function runProcess(name: string, main: () => Promise<void>): void {
  dieWithParent(process.env);
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${name}: ${describe(error)}\n`);
      process.exit(1);
    },
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
