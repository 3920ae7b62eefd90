/**
 * Whatever a client sends, the server answers with a well-formed response, never with a 500 of its own making,
 * and goes on serving. Requests are drawn from a grammar that is mostly right and wrong in one or two places.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { silentLog, type Log } from '#base/log';
import { seededRandom } from '#base/random';
import { FakeClock } from '#testing/clock';
import { memoryStorage } from '#embedded/storage';
import { createApiServer, generateTokenKey, isStream, type ApiRequest, type ApiServer } from '#embedded/apiserver';

const GROUPS = ['/api/v1', '/apis/apps/v1', '/apis/coordination.k8s.io/v1', '/apis/rbac.authorization.k8s.io/v1', '/apis/fuzz.example.com/v1', '/apis/none.example.com/v1', '/api/v9', '/apis'];
const PLURALS = ['configmaps', 'pods', 'services', 'deployments', 'leases', 'secrets', 'namespaces', 'nodes', 'roles', 'things', 'nosuch', 'persistentvolumeclaims', 'serviceaccounts'];
const KINDS = ['ConfigMap', 'Pod', 'Service', 'Deployment', 'Lease', 'Secret', 'Namespace', 'Role', 'Thing', 'Scale', 'TokenRequest', 'DeleteOptions', 'Binding', ''];
const TYPES = ['application/json', 'application/yaml', 'application/merge-patch+json', 'application/json-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml', 'application/vnd.kubernetes.protobuf', 'text/plain', ''];
const SUBRESOURCES = ['', '', '', '/status', '/scale', '/log', '/token', '/binding', '/eviction', '/nosuch', '/resize', '/exec'];
const QUERIES = ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'labelSelector', 'fieldSelector', 'dryRun', 'fieldManager', 'fieldValidation', 'force', 'timeoutSeconds', 'sendInitialEvents', 'allowWatchBookmarks', 'watch', 'gracePeriodSeconds', 'propagationPolicy', 'pretty', 'tailLines', 'container'];
const VALUES = ['', '0', '1', '-1', 'abc', 'true', 'false', 'All', 'a=b', 'a in (b', '!a', 'metadata.name=x', 'spec.nodeName!=y', '%00', '9'.repeat(30), 'Exact', 'NotOlderThan', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0', 'Strict', 'Warn', 'Orphan'];
const ACCEPTS = ['', 'application/json', 'application/yaml', 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'text/html', ';;;', 'application/vnd.kubernetes.protobuf'];

const name = fc.constantFrom('a', 'x', 'UPPER', 'a b', '..', 'a/b', '%', 'é', 'x'.repeat(300), '__proto__', 'constructor');
const scalar = fc.oneof(fc.string({ maxLength: 12 }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom('500m', '1Gi', '-1', 'Always', '2020-01-01T00:00:00Z'));
const field = fc.oneof(fc.constantFrom('name', 'spec', 'status', 'metadata', 'data', 'containers', 'template', 'selector', 'matchLabels', 'replicas', 'ports', 'port', 'image', 'rules', 'labels', 'finalizers', 'ownerReferences', 'op', 'path', 'value', '$patch', '__proto__', 'resources', 'limits', 'cpu'), fc.string({ maxLength: 6 }));
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(field, tie('value'), { maxKeys: 4 })),
}));
const metadata = fc.oneof(
  { weight: 4, arbitrary: fc.record({ name: fc.constantFrom('a', 'x', 'b') }) },
  { weight: 2, arbitrary: fc.record({ name, generateName: name, labels: anything, annotations: anything, finalizers: anything, ownerReferences: anything, managedFields: anything, resourceVersion: scalar, creationTimestamp: scalar }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: anything },
);
const template = fc.record({ metadata: fc.constant({ labels: { app: 'a' } }), spec: fc.record({ containers: fc.oneof(fc.constant([{ name: 'c', image: 'i' }]), anything), volumes: anything, tolerations: anything }, { requiredKeys: ['containers'] }) });
const spec = fc.oneof(anything, fc.record({ replicas: scalar, selector: fc.oneof(fc.constant({ matchLabels: { app: 'a' } }), anything), template, ports: anything, containers: fc.oneof(fc.constant([{ name: 'c', image: 'i' }]), anything), holderIdentity: scalar, renewTime: scalar, type: scalar }, { requiredKeys: [] }));
const object = fc.record(
  { apiVersion: fc.oneof({ weight: 1, arbitrary: fc.constantFrom('v1', 'apps/v1', 'fuzz.example.com/v1', 'coordination.k8s.io/v1', 'bogus') }, { weight: 3, arbitrary: fc.constant(undefined) }), kind: fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...KINDS) }, { weight: 3, arbitrary: fc.constant(undefined) }), metadata, spec, data: anything, stringData: anything, status: anything, rules: anything },
  { requiredKeys: [] },
);
const body = fc.oneof({ weight: 6, arbitrary: object.map((value) => Buffer.from(JSON.stringify(value))) }, { weight: 2, arbitrary: anything.map((value) => Buffer.from(JSON.stringify(value) ?? '')) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes])) });
const query = fc.array(fc.tuple(fc.constantFrom(...QUERIES), fc.constantFrom(...VALUES)), { maxLength: 3 }).map((pairs) => (pairs.length > 0 ? `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}` : ''));
/** Resources where they live, with their kind, so that most requests get as far as the registry. */
const HOMES = [
  ['/api/v1', 'configmaps'], ['/api/v1', 'pods'], ['/api/v1', 'services'], ['/api/v1', 'secrets'], ['/api/v1', 'persistentvolumeclaims'], ['/api/v1', 'serviceaccounts'],
  ['/apis/apps/v1', 'deployments'], ['/apis/coordination.k8s.io/v1', 'leases'], ['/apis/rbac.authorization.k8s.io/v1', 'roles'], ['/apis/fuzz.example.com/v1', 'things'], ['/apis/batch/v1', 'jobs'],
] as const;
const known = fc.tuple(fc.constantFrom(...HOMES), fc.constantFrom('', 'a', 'x', 'b', '..'), fc.constantFrom(...SUBRESOURCES), query)
  .map(([[group, plural], item, sub, search]) => `${group}/namespaces/default/${plural}${item ? `/${item}${sub}` : ''}${search}`);
const wild = fc.tuple(fc.constantFrom(...GROUPS), fc.constantFrom('', '/namespaces/default', '/namespaces/nosuch', '/watch/namespaces/default', '/namespaces/'), fc.constantFrom(...PLURALS), fc.option(name, { nil: undefined }), fc.constantFrom(...SUBRESOURCES), query)
  .map(([group, namespace, plural, item, sub, search]) => `${group}${namespace}/${plural}${item === undefined ? '' : `/${encodeURI(item)}${sub}`}${search}`);

const POD = { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1' } }, ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'b' }] }], tolerations: [{ operator: 'Exists' }], volumes: [{ name: 'v', emptyDir: {} }], nodeName: 'n' };
const TEMPLATE = { metadata: { labels: { app: 'a' } }, spec: { containers: POD.containers } };
/** A valid object of each kind, of which one part gets replaced. */
const BASES: Readonly<Record<string, object>> = {
  configmaps: { data: { a: 'b' } },
  pods: { spec: POD, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
  services: { spec: { ports: [{ port: 80 }], selector: { app: 'a' }, type: 'NodePort' } },
  secrets: { data: { a: 'Yg==' }, stringData: { c: 'd' } },
  persistentvolumeclaims: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  serviceaccounts: { imagePullSecrets: [{ name: 'x' }] },
  deployments: { spec: { replicas: 1, selector: { matchLabels: { app: 'a' } }, template: TEMPLATE, strategy: { type: 'RollingUpdate' } } },
  leases: { spec: { holderIdentity: 'a', renewTime: '2020-01-01T00:00:00.000000Z', leaseDurationSeconds: 5 } },
  roles: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  things: { spec: { replicas: 1, deep: { list: [1, { a: 'b' }] } }, status: { replicas: 1 } },
  jobs: { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: 'Never' } } } },
};
const META = { name: 'a', labels: { app: 'a' }, annotations: { x: 'y' }, finalizers: ['example.com/f'], ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] };

/** `base` with one of its values replaced. */
function mutate(base: unknown, [at, value]: [number, unknown]): unknown {
  const paths = pathsOf(base);
  return replace(base, paths[at % paths.length] ?? [], value);
}

function pathsOf(value: unknown, prefix: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [prefix];
  return [prefix, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...prefix, Array.isArray(value) ? Number(key) : key]))];
}

function replace(value: unknown, [step, ...rest]: (string | number)[], wanted: unknown): unknown {
  if (step === undefined) return wanted;
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? (replace(item, rest, wanted) as unknown) : (item as unknown)));
  return { ...(value as object), [step]: replace((value as Record<string, unknown>)[step], rest, wanted) };
}

const PATCH_TYPES = TYPES.slice(2, 6);
/** Requests whose parts belong together: a nearly valid object, created in its collection or changed by name. */
const sensible = fc
  .record({ home: fc.constantFrom(...HOMES), method: fc.constantFrom('POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'GET', 'DELETE'), item: fc.constantFrom('a', 'x', 'b'), sub: fc.oneof({ weight: 4, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...SUBRESOURCES) }), search: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: query }), change: fc.option(fc.tuple(fc.nat(40), anything), { nil: undefined, freq: 3 }), patch: fc.constantFrom(...PATCH_TYPES) })
  .map(({ home: [group, plural], method, item, sub, search, change, patch }) => {
    const whole = { apiVersion: group.replace(/^\/apis?\//, ''), metadata: { ...META, name: item }, ...BASES[plural] };
    const changed = change ? mutate(whole, change) : whole;
    const value = method === 'PATCH' && patch === 'application/json-patch+json' ? [{ op: 'add', path: '/spec', value: changed }, { op: 'remove', path: '/data' }].slice(change ? 0 : 1) : method === 'DELETE' ? {} : changed;
    const base = `${group}/namespaces/default/${plural}`;
    const search2 = patch === 'application/apply-patch+yaml' && method === 'PATCH' ? '?fieldManager=f' : search;
    return { method, path: `${base}${method === 'POST' && sub === '' ? '' : `/${item}${sub}`}${search2}`, type: method === 'PATCH' ? patch : 'application/json', body: Buffer.from(JSON.stringify(value) ?? '') };
  });
const odd = fc.record({ method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'BREW'), path: fc.oneof({ weight: 4, arbitrary: known }, { weight: 4, arbitrary: wild }, { weight: 1, arbitrary: fc.webPath() }) });

const request: fc.Arbitrary<ApiRequest> = fc
  .record({ target: fc.oneof({ weight: 5, arbitrary: sensible }, { weight: 1, arbitrary: odd }), type: fc.oneof({ weight: 2, arbitrary: fc.constantFrom('application/json', '') }, { weight: 2, arbitrary: fc.constantFrom(...TYPES) }), accept: fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...ACCEPTS) }), token: fc.oneof({ weight: 30, arbitrary: fc.constant('T') }, { weight: 1, arbitrary: fc.constantFrom('wrong', '') }), as: fc.oneof({ weight: 30, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constant('alice') }), body })
  .map(({ target: { method, path: target, ...own }, accept, token, as, ...drawn }) => ({ method, target, accept, token, as, type: drawn.type, bytes: drawn.body, ...own }))
  .map(({ method, target, type, accept, token, as, bytes, ...own }) => ({
    method,
    path: target.startsWith('/') ? target : `/${target}`,
    headers: { ...(type ? { 'content-type': type } : {}), ...(accept ? { accept } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}), ...(as ? { 'impersonate-user': as } : {}), 'user-agent': 'fuzz' },
    body: method === 'GET' ? new Uint8Array(0) : ((own as { body?: Uint8Array }).body ?? bytes),
  }));

/** Internal faults that were logged: none may come from a request. */
const faults: unknown[] = [];
const log: Log = { ...silentLog, error: (message, fields) => void faults.push({ message, ...fields }), with: () => log };

describe('apiserver: fuzzing', () => {
  let server: ApiServer;
  before(async () => {
    server = createApiServer({ storage: memoryStorage(), clock: new FakeClock(), random: seededRandom(1), log, tokens: [{ token: 'T', user: 'admin', groups: ['system:masters'] }], tokenKey: generateTokenKey() });
    await server.start();
    await create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    await create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'things.fuzz.example.com' },
      spec: { group: 'fuzz.example.com', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } }, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } } }] },
    });
  });
  after(() => server.stop());

  const create = async (target: string, value: unknown) => {
    const response = await server.handle({ method: 'POST', path: target, headers: { authorization: 'Bearer T' }, body: Buffer.from(JSON.stringify(value)) });
    assert.equal(response.status, 201, target);
  };

  it('answers everything, and never with a fault of its own', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (drawn) => {
        faults.length = 0;
        const response = await server.handle(drawn);
        const shown = `${drawn.method} ${drawn.path} ${Buffer.from(drawn.body).toString().slice(0, 400)}`;
        assert.ok(response.status >= 200 && response.status < 600, shown);
        if (isStream(response.body)) response.body.open({ write() {}, end() {}, abort() {}, buffered: 0 })();
        else if (response.status >= 400 && response.headers['content-type'] === 'application/json') {
          const status = JSON.parse(Buffer.from(response.body).toString()) as { kind: string; code: number };
          assert.deepEqual([status.kind, status.code], ['Status', response.status], shown);
        }
        assert.deepEqual(faults, [], shown);
      }),
      { numRuns: 1500, seed: 20260101 },
    );
    const health = await server.handle({ method: 'GET', path: '/api/v1/namespaces/default', headers: { authorization: 'Bearer T' }, body: new Uint8Array(0) });
    assert.equal(health.status, 200);
  });
});
