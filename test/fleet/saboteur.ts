/** Breaks pods and nodes of an embedded fleet that runs in this process. */
import { pods } from '#api/builtin';
import type { DrillTarget, Saboteur } from '#ha/drill';
import type { Host } from '../../src/cmd/up/host.ts';

export function hostSaboteur(host: Host, target: DrillTarget): Saboteur {
  let undo: (() => Promise<void>) | undefined;
  return {
    async strike(kind, { podName, podUid, nodeName }) {
      const node = host.node(`${target.cluster}/${nodeName}`);
      switch (kind) {
        case 'graceful':
          return target.client.delete(pods, { namespace: target.namespace, name: podName }, { preconditions: { uid: podUid } });
        case 'crash':
          return node.signalPod(podUid, 'SIGKILL');
        case 'hang':
          node.signalPod(podUid, 'SIGSTOP');
          undo = async () => node.signalPod(podUid, 'SIGCONT');
          return;
        case 'node':
        case 'cut':
          undo = () => node.start();
          return kind === 'node' ? node.stop() : node.cut();
      }
    },
    async mend() {
      const mending = undo;
      undo = undefined;
      await mending?.();
    },
  };
}
