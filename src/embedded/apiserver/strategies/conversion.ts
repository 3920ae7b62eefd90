/**
 * What the real server says when a body holds another kind than the URL. Go registers every kind it ever
 * served; the few old versions that matter are listed, the rest counts as unregistered.
 */
import { parseApiVersion, type Unstructured } from '#apimachinery/meta';
import { builtinSchema, type BuiltinKind } from '#api/builtin';
import { DecodeFailure } from '../registry/types.ts';

const OLD_VERSIONS = new Set([
  'apps/v1beta1', 'apps/v1beta2', 'batch/v1beta1', 'policy/v1beta1', 'rbac.authorization.k8s.io/v1beta1', 'rbac.authorization.k8s.io/v1alpha1',
  'networking.k8s.io/v1beta1', 'storage.k8s.io/v1beta1', 'scheduling.k8s.io/v1beta1', 'discovery.k8s.io/v1beta1', 'events.k8s.io/v1beta1',
  'coordination.k8s.io/v1beta1', 'authentication.k8s.io/v1beta1', 'authorization.k8s.io/v1beta1', 'autoscaling/v2beta1', 'autoscaling/v2beta2',
  'extensions/v1beta1', 'apiextensions.k8s.io/v1beta1', 'admissionregistration.k8s.io/v1beta1',
]);

const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';

export function checkBuiltinKind(kind: BuiltinKind, document: Unstructured): void {
  const { group, version } = parseApiVersion(document.apiVersion ?? '');
  const wantedGroup = group === kind.group && document.kind === kind.kind;
  if (wantedGroup && version === kind.version) return;
  if (wantedGroup && OLD_VERSIONS.has(document.apiVersion ?? '')) return;
  const refuse = (why: string) => new DecodeFailure(why, { kind: document.kind ?? '', version });
  if (!builtinSchema(group, version, document.kind ?? '')) {
    throw refuse(`no kind ${JSON.stringify(document.kind)} is registered for version ${JSON.stringify(document.apiVersion)} in scheme ${JSON.stringify(SCHEME)}`);
  }
  if (wantedGroup) return;
  throw refuse(`converting (${version}.${document.kind}) to (${packageOf(kind.group)}.${kind.kind}): unknown conversion`);
}

function packageOf(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] as string);
}
