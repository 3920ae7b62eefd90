/**
 * `npm run apiserver -- --port P --admin-token T --data DIR [--nodes N] [--no-controllers]`: one bare embedded
 * cluster. Writes ca.crt and kubeconfig into DIR, prints `ready`, and stays until SIGTERM or SIGINT.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock';
import type { Log, LogFields } from '#base/log';
import { systemRandom } from '#base/random';
import { ClusterControlPlane, createCluster } from '#embedded';
import { systemProcessRunner } from '#embedded/kubelet';
import { parseDuration } from '#base/duration';
import { createInterface } from 'node:readline';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '6443' },
    'admin-token': { type: 'string' },
    data: { type: 'string' },
    name: { type: 'string', default: 'embedded' },
    nodes: { type: 'string', default: '0' },
    'no-controllers': { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    'node-monitor-grace-period': { type: 'string', default: '50s' },
    'node-lease-renewal': { type: 'string', default: '10s' },
    'finish-jobs': { type: 'boolean', default: false },
  },
});

const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port ${values.port}: use a number from 0 to 65535`);
const nodes = Number(values.nodes);
if (!Number.isInteger(nodes) || nodes < 0 || nodes > 100) fail(`--nodes ${values.nodes}: use a number from 0 to 100`);

const dataDir = values.data ?? mkdtempSync(join(tmpdir(), 'fleet-apiserver-'));
const log = stderrLog({});
const runner = systemProcessRunner({ clock: systemClock, log });
let controlPlane: ClusterControlPlane | undefined;
const cluster = createCluster({
  name: values.name,
  ...(values.memory ? {} : { dataDir }),
  clock: systemClock,
  random: systemRandom,
  log,
  ...(values['admin-token'] ? { adminToken: values['admin-token'] } : {}),
  components: (made) => {
    if (values['no-controllers']) return [];
    controlPlane = new ClusterControlPlane(made, {
      clock: systemClock,
      random: systemRandom,
      log,
      runner,
      // No image is ours here: every pod is simulated, and those of Jobs end only when somebody says so.
      images: { resolve: () => undefined },
      nodes: Array.from({ length: nodes }, (_, index) => ({ name: `node-${index + 1}`, subnet: `127.90.${index + 1}` })),
      nodesFolder: join(dataDir, 'nodes'),
      leaseRenewMs: parseDuration(values['node-lease-renewal']),
      settings: { nodeMonitorGraceMs: parseDuration(values['node-monitor-grace-period']) },
      simulation: values['finish-jobs'] ? {} : { completeAfterMs: undefined },
    });
    return [controlPlane];
  },
});
await cluster.start();
const address = await cluster.listen({ host: values.host, port });
if (values.memory) {
  // The objects are in memory; who is to reach them still needs these two files.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, 'ca.crt'), cluster.caCert, { mode: 0o600 });
  writeFileSync(join(dataDir, 'kubeconfig'), cluster.kubeconfig(), { mode: 0o600 });
}
process.stdout.write(`${cluster.url} data ${values.memory ? `in memory, kubeconfig in ${dataDir}` : dataDir}\nready\n`);
void address;

// Lines such as `cut node-1` or `start node-1` on standard input break and mend nodes.
createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb = '', name = ''] = line.trim().split(/\s+/);
  const node = controlPlane?.nodes.get(name);
  if (node && (verb === 'stop' || verb === 'cut' || verb === 'pause' || verb === 'start')) void node[verb]();
  else process.stderr.write(`apiserver: ${JSON.stringify(line)}: use stop, cut, pause or start and the name of a node\n`);
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    void cluster.stop().then(() => {
      runner.close();
      process.exit(0);
    });
  });
}

function stderrLog(base: LogFields): Log {
  const write = (level: string) => (message: string, fields?: LogFields) => {
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...base, ...fields })}\n`);
  };
  return { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error'), with: (fields) => stderrLog({ ...base, ...fields }) };
}

function fail(message: string): never {
  process.stderr.write(`apiserver: ${message}\n`);
  process.exit(2);
}
