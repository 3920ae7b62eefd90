/** Which clusters the `fleet ha` commands look at: those of a data folder, or those of the kubeconfigs given and all that a management cluster among them knows. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type NamedCluster, discoverDownstream } from '#ha/status';
import { parseKubeconfig } from '#kube/client';
import { connect, readKubeconfig } from '../../adapters/connection.ts';
import { type DataDir, dataDir, lockHolder } from '../../up/data-dir.ts';

export interface AccessFlags {
  data: string;
  kubeconfig?: readonly string[];
}

export interface Access {
  clusters: readonly NamedCluster[];
  /** The folder of a running `fleet up`; absent for clusters from elsewhere. */
  embedded?: DataDir;
}

/** Throws an `Error` that says what to pass when there is no cluster to look at. */
export async function openAccess({ data, kubeconfig = [] }: AccessFlags): Promise<Access> {
  const files = kubeconfig.length > 0 ? kubeconfig : existsSync(dataDir(data).root) ? [] : [process.env.KUBECONFIG ?? ''].filter((file) => file !== '');
  if (files.length > 0) return { clusters: await fromKubeconfigs(files) };
  const dir = dataDir(data);
  if (!lockHolder(dir)) throw new Error(`no fleet runs with ${dir.root}: start one with 'fleet up', or pass --kubeconfig FILE`);
  const folder = join(dir.root, 'clusters');
  const names = readdirSync(folder).filter((name) => existsSync(dir.kubeconfig(name)));
  names.sort((a, b) => Number(b === 'local') - Number(a === 'local') || (a < b ? -1 : 1));
  return { embedded: dir, clusters: names.map((name) => ({ name, client: connect(readKubeconfig(dir.kubeconfig(name)), 'fleet-ha') })) };
}

async function fromKubeconfigs(files: readonly string[]): Promise<NamedCluster[]> {
  const given = files.map((file): NamedCluster => ({ name: basename(file).replace(/\.(ya?ml|kubeconfig|conf)$/, ''), client: connect(readKubeconfig(file), 'fleet-ha') }));
  // A given cluster that cannot be reached tells so itself, later.
  const known = await Promise.all(given.map(({ client }) => discoverDownstream(client, (text) => connect(parseKubeconfig(text), 'fleet-ha')).catch(() => [])));
  const servers = new Set(given.map(({ client }) => client.server));
  const found = known.flat().filter(({ client }) => !servers.has(client.server) && servers.add(client.server));
  return [...given, ...found];
}

export function closeAccess({ clusters }: Access): void {
  for (const { client } of clusters) client.close();
}
