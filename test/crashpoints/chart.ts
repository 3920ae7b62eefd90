/** A chart with everything that can be half done: hooks of all kinds and policies, a CRD, and ten resources. */
import type { Unstructured } from '#apimachinery/meta';
import type { ReleaseContent, ReleaseOptions } from '#agent/release';
import { configMaps, deployments, jobs, namespaces, roleBindings, roles, secrets, serviceAccounts, services } from '#api/builtin';
import type { ReleaseHook } from '#core/release';
import { defineResource } from '#apimachinery/resource';

export const NAMESPACE = 'app';
const things = defineResource<Unstructured>('example.org', 'v1', 'Thing', 'things');
const crdResource = defineResource<Unstructured>('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', 'Cluster');

/** Kinds that the chart touches; release records are compared apart. */
export const KINDS = [configMaps, secrets, serviceAccounts, roles, roleBindings, services, deployments, jobs, namespaces, crdResource];
export const WITH_THINGS = [...KINDS, things];

const crd: Unstructured = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } } } }],
  },
};

function configMap(name: string, data: Record<string, string>): Unstructured {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: NAMESPACE }, data };
}

function workload(version: string): Unstructured {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: `web:${version}` }] } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: NAMESPACE }, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
}

/** Ten objects in version 1; version 2 changes some, drops one, adds one; version 3 is version 1 with other hooks. */
function objectsOf(version: string): Unstructured[] {
  const meta = (name: string) => ({ metadata: { name, namespace: NAMESPACE } });
  return [
    configMap('settings', { version }),
    configMap('constant', { same: 'always' }),
    configMap(version === '2' ? 'only-2' : 'only-1', { version }),
    { apiVersion: 'v1', kind: 'Secret', ...meta('key'), type: 'Opaque', data: { key: 'c2VjcmV0' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', ...meta('web') },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...meta('web'), rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', ...meta('web'), roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'web' }, subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: NAMESPACE }] },
    { apiVersion: 'v1', kind: 'Service', ...meta('web'), spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
    workload(version),
    { apiVersion: 'example.org/v1', kind: 'Thing', ...meta('thing'), spec: { size: Number(version) } },
  ];
}

function hook(object: Unstructured, events: ReleaseHook['events'], over: Partial<ReleaseHook> = {}): ReleaseHook {
  return { name: object.metadata.name ?? '', kind: object.kind ?? '', path: `templates/${object.metadata.name}.yaml`, manifest: JSON.stringify(object), events, ...over };
}

function job(name: string, version: string, fails = false): Unstructured {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'run', image: `run:${version}` }] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: NAMESPACE, ...(fails ? { annotations: { 'test/fails': 'true' } } : {}) }, spec: { template, backoffLimit: 0 } };
}

function hooksOf(version: string, fails: boolean, farewellFails: boolean): ReleaseHook[] {
  return [
    hook(job('migrate', version), ['pre-install', 'pre-upgrade'], { weight: 5, delete_policies: ['hook-succeeded'] }),
    hook(configMap('hook-settings', { version }), ['pre-install', 'pre-upgrade'], { weight: -5, delete_policies: ['before-hook-creation'] }),
    hook(job('once', version), ['pre-install']),
    hook(configMap('fleeting', { version }), ['post-install', 'post-upgrade'], { delete_policies: ['before-hook-creation', 'hook-succeeded'] }),
    hook(job('notify', version, fails), ['post-install', 'post-upgrade', 'post-rollback'], { weight: 1, delete_policies: ['before-hook-creation', 'hook-failed'] }),
    hook(job('farewell', version, farewellFails), ['pre-delete', 'post-delete'], { delete_policies: ['before-hook-creation', 'hook-succeeded'] }),
    hook(configMap('epitaph', { version }), ['post-delete'], { weight: -1, delete_policies: ['hook-succeeded'] }),
  ];
}

export const OPTIONS: ReleaseOptions = { timeoutMs: 60_000, atomic: false, force: false, takeOwnership: false, maxHistory: 5, keepResources: false };

export function chart(version: string, { hookFails = false, farewellFails = false } = {}): ReleaseContent {
  return {
    chart: { name: 'web', version: `${version}.0.0` },
    values: { version },
    objects: objectsOf(version),
    hooks: hooksOf(version, hookFails, farewellFails),
    crds: [crd],
    notes: `version ${version}`,
    labels: { test: 'yes' },
  };
}
