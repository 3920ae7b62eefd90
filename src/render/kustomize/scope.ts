/** Which kinds have no namespace: the builtin ones and those of CRDs among the resources. */
import { builtinKinds } from '#api/builtin';
import { gvkOf } from './resource.ts';
import type { KubeManifest } from './types.ts';

let clusterKinds: ReadonlySet<string> | undefined;

export function isClusterScoped(object: KubeManifest): boolean {
  clusterKinds ??= new Set(builtinKinds().filter(({ namespaced }) => !namespaced).map(({ group, kind }) => `${group}/${kind}`));
  const { group, kind } = gvkOf(object);
  return clusterKinds.has(`${group}/${kind}`) || (group === 'policy' && kind === 'PodSecurityPolicy');
}
