/** Images of ours run as processes of this very program; every other image is simulated by the kubelet. */
import { join } from 'node:path';
import type { ImageRuntime, ResolvedImage } from '#embedded/kubelet';

/** Small heaps: many of these processes run on one machine. Garbage is collected a little more often for it. */
const NODE_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=384'];

/** `dist` is the folder with the bundled programs. */
export function ownImages(dist: string): ImageRuntime {
  const program = (name: string) => [process.execPath, ...NODE_FLAGS, join(dist, `${name}.js`)];
  const images: Readonly<Record<string, ResolvedImage>> = {
    fleet: { command: program('fleetcontroller'), programs: { fleetcontroller: program('fleetcontroller') } },
    'fleet-agent': { command: program('fleetagent'), programs: { fleetagent: program('fleetagent') } },
  };
  return {
    resolve(image) {
      const match = /(?:^|\/)fleet-ts\/(fleet|fleet-agent)(?::|$)/.exec(image);
      return match ? images[match[1] as string] : undefined;
    },
  };
}
