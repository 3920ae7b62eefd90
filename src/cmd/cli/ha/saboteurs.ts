/** Ways to break a leader: everything on embedded clusters, what the API permits elsewhere. */
import { pods } from '#api/builtin';
import type { DrillTarget, Leader, Saboteur } from '#ha/drill';
import { askControl } from '../../up/control.ts';
import type { DataDir } from '../../up/data-dir.ts';

/** Through the control socket of `fleet up`. */
export function embeddedSaboteur(dir: DataDir, target: DrillTarget): Saboteur {
  let undo: (() => Promise<unknown>) | undefined;
  return {
    async strike(kind, leader) {
      const node = `${target.cluster}/${leader.nodeName}`;
      const signal = (name: string) => askControl(dir, 'kill', { node, podUid: leader.podUid, signal: name });
      switch (kind) {
        case 'graceful':
          return deletePod(target, leader);
        case 'crash':
          await signal('SIGKILL');
          return;
        case 'hang':
          await signal('SIGSTOP');
          undo = () => signal('SIGCONT').catch(() => {}); // its liveness probe may have ended it by now
          return;
        case 'node':
        case 'cut':
          undo = () => askControl(dir, 'node', { node, action: 'start' });
          await askControl(dir, 'node', { node, action: kind === 'node' ? 'stop' : 'cut' });
      }
    },
    async mend() {
      const mending = undo;
      undo = undefined;
      await mending?.();
    },
  };
}

/** By the API alone: pods can be deleted, machines cannot be reached. */
export function apiSaboteur(target: DrillTarget, { force }: { force: boolean }): Saboteur {
  return {
    async strike(kind, leader) {
      if (kind === 'graceful') return deletePod(target, leader);
      if (kind === 'crash' && force) return deletePod(target, leader, 0);
      const instead = kind === 'crash' ? 'pass --force to delete its pod by force instead (which is no proof of death, so the takeover waits for the lease)' : `${kind === 'hang' ? 'freeze its process' : kind === 'node' ? 'power the node off' : 'cut the node off'} yourself and watch with 'fleet ha status --watch'`;
      throw new Error(`a drill of kind ${kind} needs the machine, which the Kubernetes API does not give: ${instead}`);
    },
    mend: () => Promise.resolve(),
  };
}

function deletePod({ client, namespace }: DrillTarget, { podName, podUid }: Leader, gracePeriodSeconds?: number): Promise<void> {
  return client.delete(pods, { namespace, name: podName }, { preconditions: { uid: podUid }, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) });
}
