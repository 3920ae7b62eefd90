/**
 * A durable embedded cluster as a process of its own, for tests that kill it: `node host.ts DIR PIDS`.
 * Images named `ours/PROGRAM` run as real processes that leave `PIDS/<pod>.<pid>`; prints `ready` when nodes run.
 */
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { silentLog } from '#base/log';
import { systemRandom } from '#base/random';
import { ClusterControlPlane, createCluster } from '#embedded';
import { systemProcessRunner } from '#embedded/kubelet';

const [dataDir = '', pids = ''] = process.argv.slice(2);
const announce = 'require("node:fs").writeFileSync(process.env.PIDS + "/" + process.env.HOSTNAME + "." + process.pid, "");';
const programs: Readonly<Record<string, string>> = {
  idle: `${announce} setInterval(() => {}, 1000)`,
  deaf: `${announce} process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)`,
  blocked: `${announce} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  parent: `${announce} require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(announce)} + "setInterval(() => {}, 1000)"]); setInterval(() => {}, 1000)`,
};
const runner = systemProcessRunner({ clock: systemClock, log: silentLog });
const cluster = createCluster({
  name: 'host',
  dataDir,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  adminToken: 'admin',
  components: (made) => [
    new ClusterControlPlane(made, {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      nodes: [{ name: 'node-1', subnet: '127.78.1' }],
      nodesFolder: join(dataDir, 'nodes'),
      images: {
        resolve(image) {
          const code = image.startsWith('ours/') ? programs[image.slice(5)] : undefined;
          return code === undefined ? undefined : { command: [process.execPath, '-e', code], env: { PIDS: pids } };
        },
      },
      runner,
    }),
  ],
});
await cluster.start();
const { port } = await cluster.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`ready ${port}\n`);
process.on('SIGTERM', () => {
  void cluster.stop().then(() => {
    runner.close();
    process.exit(0);
  });
});
