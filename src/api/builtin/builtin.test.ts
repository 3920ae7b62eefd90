import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepClone } from '#base/json';
import type { Unstructured } from '#apimachinery/meta';
import { fieldErrorText } from '#apimachinery/validation';
import { buildOpenApiV2, buildOpenApiV3 } from '#apimachinery/openapi';
import {
  builtinKinds, builtinSchema, builtinWarnings, decodeBuiltin, defaultBuiltin, findBuiltin, resetFieldsOf, selectableFieldsOf, validateBuiltinCreate, validateBuiltinUpdate,
} from '#api/builtin';

const CORE = (kind: string) => ({ group: '', version: 'v1', kind });
const APPS = (kind: string) => ({ group: 'apps', version: 'v1', kind });
const make = (content: Record<string, unknown>, metadata: Record<string, unknown> = {}): Unstructured => ({ metadata: { name: 'x', namespace: 'n', ...metadata }, ...content }) as Unstructured;

/** What a server holds after reading and defaulting a body. */
function read(kind: { group: string; version: string; kind: string }, body: Unstructured): Record<string, unknown> {
  const { object } = decodeBuiltin(kind, body);
  defaultBuiltin(kind, object);
  return object;
}

test('every kind has a schema that decodes, defaults and is described', () => {
  for (const kind of builtinKinds()) {
    assert.ok(kind.schema.properties, kind.kind);
    const object = read(kind, { apiVersion: 'v1', kind: kind.kind, metadata: { name: 'x' } });
    const again = deepClone(object) as Unstructured;
    assert.deepEqual(decodeBuiltin(kind, again).object, object, `${kind.kind} is its own canonical form`);
  }
  assert.equal(findBuiltin('apps', 'v1', 'deployments')?.shortNames[0], 'deploy');
  for (const body of ['Scale', 'Eviction', 'DeleteOptions', 'TokenRequest']) {
    assert.ok(['/v1', 'autoscaling/v1', 'policy/v1', 'authentication.k8s.io/v1'].some((gv) => builtinSchema(gv.split('/')[0] ?? '', 'v1', body)), body);
  }
});

test('decoding drops what Go drops and writes what Go writes', () => {
  const pod = decodeBuiltin(CORE('Pod'), make({ spec: { nodeName: '', hostNetwork: false, containers: [{ name: 'c', env: [], odd: 1, resources: { limits: { cpu: '1000m', memory: 1 } } }], terminationGracePeriodSeconds: 0, tolerations: null }, nosuch: 1 }));
  assert.deepEqual(pod.unknown, ['unknown field "spec.containers[0].odd"', 'unknown field "nosuch"']);
  assert.deepEqual(pod.object['spec'], { containers: [{ name: 'c', resources: { limits: { cpu: '1', memory: '1' } } }], terminationGracePeriodSeconds: 0 });
  assert.deepEqual(pod.object['status'], {});
  const role = decodeBuiltin({ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole' }, make({ rules: [] }));
  assert.equal(role.object['rules'], null);
  const replicaSet = decodeBuiltin(APPS('ReplicaSet'), make({ status: { conditions: [{ type: 'X', status: 'True' }] } }));
  assert.deepEqual(replicaSet.object['status'], { replicas: 0, conditions: [{ type: 'X', status: 'True', lastTransitionTime: null }] });
  const secret = decodeBuiltin(CORE('Secret'), make({ data: { a: 'YQ==' }, stringData: { b: 'ä' } }));
  assert.deepEqual([secret.object['data'], secret.object['stringData']], [{ a: 'YQ==', b: 'w6Q=' }, undefined]);
});

function refusesBody(kind: { group: string; version: string; kind: string }, content: Record<string, unknown>, message: string): void {
  test(`decoding ${kind.kind} ${JSON.stringify(content)} fails`, () => assert.throws(() => decodeBuiltin(kind, make(content)), { message }));
}

refusesBody(CORE('ConfigMap'), { data: { a: true } }, 'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string');
refusesBody(APPS('Deployment'), { spec: { replicas: '3' } }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32');
refusesBody(APPS('Deployment'), { spec: { replicas: 1.5 } }, 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32');
refusesBody(CORE('Pod'), { spec: { containers: [{ imagePullPolicy: 1 }] } }, 'json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy');
refusesBody(CORE('Pod'), { spec: [] }, 'json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec');
refusesBody(CORE('Secret'), { data: { a: '*' } }, 'illegal base64 data at input byte 0');
refusesBody({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }, { spec: { renewTime: '2026-01-02T03:04:05Z' } }, 'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"');

function defaults(title: string, kind: { group: string; version: string; kind: string }, { body, path, expected }: { body: Record<string, unknown>; path: string; expected: unknown }): void {
  test(`defaults: ${title}`, () => {
    const value = path.split('.').reduce<unknown>((current, key) => (current as Record<string, unknown> | undefined)?.[key], read(kind, make(body)));
    assert.deepEqual(value, expected);
  });
}

const container = (image: string, more: Record<string, unknown> = {}) => ({ spec: { containers: [{ name: 'c', image, ...more }] } });
defaults('images without a tag are always pulled', CORE('Pod'), { body: container('app'), path: 'spec.containers.0.imagePullPolicy', expected: 'Always' });
defaults('tagged images are not', CORE('Pod'), { body: container('host:5000/app:1'), path: 'spec.containers.0.imagePullPolicy', expected: 'IfNotPresent' });
defaults('nor are digests', CORE('Pod'), { body: container(`app@sha256:${'0'.repeat(64)}`), path: 'spec.containers.0.imagePullPolicy', expected: 'IfNotPresent' });
defaults('probes', CORE('Pod'), { body: container('a:1', { livenessProbe: { httpGet: { port: 80 } } }), path: 'spec.containers.0.livenessProbe', expected: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } });
defaults('requests follow limits in pods', CORE('Pod'), { body: container('a:1', { resources: { limits: { cpu: '1' } } }), path: 'spec.containers.0.resources.requests', expected: { cpu: '1' } });
defaults('but not in templates', APPS('Deployment'), { body: { spec: { template: container('a:1', { resources: { limits: { cpu: '1' } } }) } }, path: 'spec.template.spec.containers.0.resources.requests', expected: undefined });
defaults('volumes without a source are empty ones', CORE('Pod'), { body: { spec: { containers: [], volumes: [{ name: 'v' }] } }, path: 'spec.volumes.0', expected: { name: 'v', emptyDir: {} } });
defaults('rolling updates', APPS('Deployment'), { body: { spec: { strategy: { rollingUpdate: { maxSurge: 0 } } } }, path: 'spec.strategy', expected: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '25%' } } });
defaults('target ports', CORE('Service'), { body: { spec: { ports: [{ port: 80 }] } }, path: 'spec.ports.0', expected: { port: 80, protocol: 'TCP', targetPort: 80 } });
defaults('an explicit zero stays', APPS('Deployment'), { body: { spec: { replicas: 0 } }, path: 'spec.replicas', expected: 0 });
defaults('a job in a cron job waits for its defaults', { group: 'batch', version: 'v1', kind: 'CronJob' }, { body: { spec: { jobTemplate: { spec: {} } } }, path: 'spec.jobTemplate.spec.parallelism', expected: undefined });

test('defaults are given once: a second time changes nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(...builtinKinds()), fc.jsonValue(), (kind, junk) => {
      const object = read(kind, { metadata: { name: 'x' }, junk } as Unstructured);
      const again = deepClone(object) as Unstructured;
      defaultBuiltin(kind, again);
      assert.deepEqual(again, object);
    }),
  );
});

function causes(kind: { group: string; version: string; kind: string }, body: Record<string, unknown>, ...expected: string[]): void {
  test(`validation: ${kind.kind} ${JSON.stringify(body).slice(0, 90)}`, () => {
    const { object } = decodeBuiltin(kind, make(body));
    defaultBuiltin(kind, object);
    assert.deepEqual(validateBuiltinCreate(kind, object).map(fieldErrorText).sort(), [...expected].sort());
  });
}

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } };
const workload = (more: Record<string, unknown> = {}) => ({ spec: { selector: { matchLabels: { a: 'b' } }, template, ...more } });
causes(CORE('Pod'), { spec: { containers: [] } }, 'spec.containers: Required value');
causes(CORE('Pod'), { spec: { containers: [{ image: 'i:1', ports: [{ containerPort: 70000 }], volumeMounts: [{ name: 'no', mountPath: '/x' }] }], restartPolicy: 'Odd' } }, 'spec.containers[0].name: Required value', 'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive', 'spec.containers[0].volumeMounts[0].name: Not found: "no"', 'spec.restartPolicy: Unsupported value: "Odd": supported values: "Always", "OnFailure", "Never"');
causes(CORE('Pod'), { spec: { containers: [{ name: 'c', image: 'i:1', resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }] } }, 'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1');
causes(APPS('Deployment'), workload());
causes(APPS('Deployment'), workload({ replicas: -1, selector: { matchLabels: { a: 'c' } } }), 'spec.replicas: Invalid value: -1: must be greater than or equal to 0', 'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`');
causes(APPS('Deployment'), { spec: { template } }, 'spec.selector: Required value');
causes(APPS('Deployment'), workload({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }), 'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0');
causes({ group: 'batch', version: 'v1', kind: 'Job' }, { spec: { template } }, 'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"');
causes(CORE('Service'), { spec: { ports: [{ port: 80 }, { port: 80 }] } }, 'spec.ports[0].name: Required value', 'spec.ports[1].name: Required value', 'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}');
causes(CORE('ConfigMap'), { data: { 'bad key': 'x' } }, "data[bad key]: Invalid value: \"bad key\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
causes(CORE('Secret'), { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, 'data[tls.key]: Required value');
causes({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }, { spec: { leaseDurationSeconds: 0 } }, 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0');
causes({ group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role' }, { rules: [{ apiGroups: [''] }] }, 'rules[0].resources: Required value: resource rules must supply at least one resource', 'rules[0].verbs: Required value: verbs must contain at least one value');
causes({ group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }, { spec: { rules: [{ http: { paths: [{ path: 'x', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] } }, 'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path');

test('validation: what may not change', () => {
  const fields = (kind: { group: string; version: string; kind: string }, old: Record<string, unknown>, next: Record<string, unknown>) => validateBuiltinUpdate(kind, make(next, { resourceVersion: '1' }), make(old, { resourceVersion: '1' })).map(({ field }) => field);
  assert.deepEqual(fields(CORE('ConfigMap'), { immutable: true, data: { a: '1' } }, { data: { a: '2' } }), ['immutable', 'data']);
  assert.deepEqual(fields(CORE('Secret'), { type: 'Opaque' }, { type: 'x/y' }), ['type']);
  assert.ok(fields(APPS('Deployment'), workload(), workload({ selector: { matchLabels: { a: 'z' } } })).includes('spec.selector'));
  const podSpec = (image: string, more: Record<string, unknown> = {}) => ({ spec: { containers: [{ name: 'c', image }], ...more } });
  assert.deepEqual(fields(CORE('Pod'), podSpec('a:1'), podSpec('a:2', { activeDeadlineSeconds: 5 })), []);
  assert.deepEqual(fields(CORE('Pod'), podSpec('a:1'), podSpec('a:1', { nodeName: 'n' })), ['spec']);
});

test('endpoints write only their part, and kinds are selected by their fields', () => {
  assert.deepEqual([resetFieldsOf(APPS('Deployment'), ''), resetFieldsOf(APPS('Deployment'), 'status'), resetFieldsOf(CORE('ConfigMap'), '')], [[['status']], [['spec']], []]);
  const fields = selectableFieldsOf(CORE('Pod'));
  assert.equal(fields['status.phase']?.(make({ status: { phase: 'Running' } })), 'Running');
  assert.equal(fields['spec.nodeName']?.(make({})), '');
});

test('warnings about fractions of bytes and doubled variables', () => {
  const pod = make({ spec: { containers: [{ name: 'c', env: [{ name: 'A' }, { name: 'A' }], resources: { limits: { memory: '100m', cpu: '100m' } } }] } });
  assert.deepEqual(builtinWarnings({ group: '', kind: 'Pod' }, pod), [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
  ]);
});

test('OpenAPI documents: every reference leads somewhere, and verbs have their parameters', () => {
  const served = builtinKinds().map((kind) => ({ ...kind, schema: kind.schema }));
  const collect = (value: unknown, found: Set<string>): Set<string> => {
    if (typeof value === 'object' && value !== null) for (const [key, member] of Object.entries(value)) if (key === '$ref' && typeof member === 'string') found.add(member); else collect(member, found);
    return found;
  };
  const v2 = buildOpenApiV2(served, 'v1') as { definitions: Record<string, unknown>; paths: Record<string, Record<string, { parameters: { name: string }[] }>> };
  for (const ref of collect(v2, new Set())) assert.ok(v2.definitions[ref.replace('#/definitions/', '')], ref);
  assert.ok(v2.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch']?.parameters.some(({ name }) => name === 'fieldValidation'));
  const widget = { group: 'x.example', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true, verbs: ['get', 'list'], definition: 'example.x.v1.Widget', schema: { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } } } };
  const v3 = buildOpenApiV3([widget], 'v1') as { components: { schemas: Record<string, { properties: Record<string, unknown> }> } };
  for (const ref of collect(v3, new Set())) assert.ok(v3.components.schemas[ref.replace('#/components/schemas/', '')], ref);
  assert.deepEqual(Object.keys(v3.components.schemas['example.x.v1.Widget']?.properties ?? {}).sort(), ['apiVersion', 'kind', 'metadata', 'spec']);
});

test('a refused pod update ends with the difference in the server\'s own spelling', () => {
  const spec = (more: Record<string, unknown>) => make({ spec: { containers: [{ name: 'c', image: 'a:1' }], hostNetwork: true, ...more } }, { resourceVersion: '1' });
  const [error] = validateBuiltinUpdate(CORE('Pod'), spec({ nodeName: 'n2', hostname: 'h' }), spec({ nodeName: 'n1' }));
  const lines = (error?.message ?? '').split('\n').slice(1);
  assert.match(lines[0] ?? '', /^@@ -\d+,7 \+\d+,7 @@$/);
  assert.deepEqual(lines.filter((line) => /^[-+]/.test(line)), ['- "NodeName": "n1",', '+ "NodeName": "n2",', '- "Hostname": "",', '+ "Hostname": "h",']);
});
