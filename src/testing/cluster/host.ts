/**
 * A durable embedded cluster as a process of its own, for tests that kill it: `node host.ts DIR PIDS`.
 * Images named `ours/PROGRAM` run as real processes that leave `PIDS/<pod>.<pid>`; prints `ready PORT`. The lines
 * `stop`, `cut`, `pause` and `start` on standard input break and mend its node, and are repeated when done.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
const reach = `
  const { readFileSync } = require('node:fs');
  const https = require('node:https');
  const folder = process.env.FLEET_TS_ROOT + '/var/run/secrets/kubernetes.io/serviceaccount';
  const ask = () => {
    const options = { host: process.env.KUBERNETES_SERVICE_HOST, port: process.env.KUBERNETES_SERVICE_PORT, path: '/version', ca: readFileSync(folder + '/ca.crt'), headers: { authorization: 'Bearer ' + readFileSync(folder + '/token') } };
    https.get(options, (response) => { response.resume(); response.on('end', () => { console.log('answer', response.statusCode); setTimeout(ask, 20); }); }).on('error', (error) => { console.log('error', error.code); setTimeout(ask, 20); });
  };
  ask();`;
const runner = systemProcessRunner({ clock: systemClock, log: silentLog });
let controlPlane: ClusterControlPlane | undefined;
const cluster = createCluster({
  name: 'host',
  dataDir,
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  adminToken: 'admin',
  components: (made) => {
    controlPlane = new ClusterControlPlane(made, {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      nodes: [{ name: 'node-1', subnet: '127.78.1' }],
      nodesFolder: join(dataDir, 'nodes'),
      images: {
        resolve(image) {
          const code = image === 'ours/reach' ? announce + reach : image.startsWith('ours/') ? programs[image.slice(5)] : undefined;
          return code === undefined ? undefined : { command: [process.execPath, '-e', code], env: { PIDS: pids } };
        },
      },
      runner,
    });
    return [controlPlane];
  },
});
await cluster.start();
const { port } = await cluster.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`ready ${port}\n`);
createInterface({ input: process.stdin }).on('line', (verb) => {
  const node = controlPlane?.nodes.get('node-1');
  if (node && (verb === 'stop' || verb === 'cut' || verb === 'pause' || verb === 'start')) void node[verb]().then(() => process.stdout.write(`${verb}\n`));
});
process.on('SIGTERM', () => {
  void cluster.stop().then(() => {
    runner.close();
    process.exit(0);
  });
});
