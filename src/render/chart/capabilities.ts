/** `.Capabilities`: what the cluster is said to be. Defaults are those of helm 4.1 without a cluster. */
import { fn, GoStruct, typed, type GoFunction } from '#render/gotemplate';
import { ChartError } from './error.ts';
import { parseVersion } from '#render/gotemplate';
import type { CapabilitiesOptions } from './types.ts';

/** The Kubernetes version helm 4.1.4 assumes. */
export const DEFAULT_KUBE_VERSION = 'v1.35.0';

/** Group-versions of Kubernetes' own scheme, in helm's order. */
export const DEFAULT_API_VERSIONS: readonly string[] = [
  'v1',
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1alpha1',
  'admissionregistration.k8s.io/v1beta1',
  'internal.apiserver.k8s.io/v1alpha1',
  'apps/v1',
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1',
  'authentication.k8s.io/v1alpha1',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1',
  'authorization.k8s.io/v1beta1',
  'autoscaling/v1',
  'autoscaling/v2',
  'autoscaling/v2beta1',
  'autoscaling/v2beta2',
  'batch/v1',
  'batch/v1beta1',
  'certificates.k8s.io/v1',
  'certificates.k8s.io/v1beta1',
  'certificates.k8s.io/v1alpha1',
  'coordination.k8s.io/v1alpha2',
  'coordination.k8s.io/v1beta1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  'networking.k8s.io/v1',
  'networking.k8s.io/v1beta1',
  'node.k8s.io/v1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
  'resource.k8s.io/v1',
  'resource.k8s.io/v1beta2',
  'resource.k8s.io/v1beta1',
  'resource.k8s.io/v1alpha3',
  'scheduling.k8s.io/v1alpha1',
  'scheduling.k8s.io/v1beta1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1beta1',
  'storage.k8s.io/v1',
  'storage.k8s.io/v1alpha1',
  'storagemigration.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1',
];

class KubeVersion extends GoStruct {
  readonly goType = 'common.KubeVersion';
  readonly version: string;
  readonly normalized: string;
  private readonly parts: { major: string; minor: string };

  constructor(text: string) {
    super();
    const parsed = parseVersion(text);
    if (!parsed) throw new ChartError(`invalid kube version ${JSON.stringify(text)}: invalid semantic version`);
    this.version = `v${parsed.major}.${parsed.minor}.${parsed.patch}${parsed.prerelease ? `-${parsed.prerelease}` : ''}${parsed.metadata ? `+${parsed.metadata}` : ''}`;
    this.normalized = this.version;
    this.parts = { major: String(parsed.major), minor: String(parsed.minor) };
  }

  override fields(): Readonly<Record<string, unknown>> {
    return { Version: this.version, Major: this.parts.major, Minor: this.parts.minor };
  }

  override text(): string {
    return this.version;
  }

  override method(name: string): GoFunction | undefined {
    return name === 'String' || name === 'GitVersion' ? fn([], () => this.version) : undefined;
  }
}

class HelmVersion extends GoStruct {
  readonly goType = 'version.BuildInfo';
  override fields(): Readonly<Record<string, unknown>> {
    return { Version: 'v4.1.4', GitCommit: '05fa37973dc9e42b76e1d2883494c87174b6074f', GitTreeState: 'clean', GoVersion: 'go1.25.9', KubeClientVersion: 'v1.35' };
  }
  override json(): unknown {
    const fields = this.fields();
    return { version: fields['Version'], git_commit: fields['GitCommit'], git_tree_state: fields['GitTreeState'], go_version: fields['GoVersion'], kube_client_version: fields['KubeClientVersion'] };
  }
}

export class Capabilities extends GoStruct {
  readonly goType = '*common.Capabilities';
  readonly kubeVersion: KubeVersion;
  private readonly apiVersions: string[];

  constructor(options: CapabilitiesOptions) {
    super();
    this.kubeVersion = new KubeVersion(options.kubeVersion ?? DEFAULT_KUBE_VERSION);
    this.apiVersions = typed([...(options.apiVersions ?? DEFAULT_API_VERSIONS), ...(options.extraApiVersions ?? [])], 'common.VersionSet');
  }

  override fields(): Readonly<Record<string, unknown>> {
    return { KubeVersion: this.kubeVersion, APIVersions: this.apiVersions, HelmVersion: HELM_VERSION };
  }
}

const HELM_VERSION = new HelmVersion();
