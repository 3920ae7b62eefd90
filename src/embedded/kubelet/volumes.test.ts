import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod, Volume } from '#api/builtin';
import { inside, linkMounts, tokenRequests, volumeFiles, writeVolume, type VolumeContext } from './volumes.ts';

const pod: Pod = { metadata: { name: 'p', namespace: 'ns', labels: { a: 'b' } }, spec: { containers: [{ name: 'm', resources: { limits: { cpu: '2' } } }] } };
const context: VolumeContext = {
  pod,
  facts: { nodeName: 'n', hostIP: 'h', podIP: 'i' },
  references: {
    secret: (name) => (name === 's' ? { metadata: {}, data: { k: Buffer.from('v').toString('base64') } } : undefined),
    configMap: (name) => (name === 'c' ? { metadata: {}, data: { x: '1', y: '2' }, binaryData: { z: Buffer.from([0, 255]).toString('base64') } } : undefined),
  },
  token: ({ audience }) => `token for ${audience ?? 'the cluster'}`,
};

const files = (volume: Volume) => volumeFiles(volume, context)?.map(({ path, data }) => [path, Buffer.from(data as string).toString('latin1')]);

test('each kind of volume becomes files', () => {
  assert.deepEqual(files({ name: 'v', secret: { secretName: 's' } }), [['k', 'v']]);
  assert.deepEqual(files({ name: 'v', configMap: { name: 'c' } }), [['x', '1'], ['y', '2'], ['z', '\x00\xff']]);
  assert.deepEqual(files({ name: 'v', configMap: { name: 'c', items: [{ key: 'y', path: 'd/y.txt' }] } }), [['d/y.txt', '2']]);
  assert.deepEqual(files({ name: 'v', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'cpu', resourceFieldRef: { resource: 'limits.cpu' } }] } }), [['labels', 'a="b"'], ['cpu', '2']]);
  const projected: Volume = { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'c', items: [{ key: 'x', path: 'ca.crt' }] } }] } };
  assert.deepEqual(files(projected), [['token', 'token for the cluster'], ['ca.crt', '1']]);
  assert.equal(files({ name: 'v', emptyDir: {} }), undefined);
  assert.deepEqual(tokenRequests({ ...pod, spec: { containers: [], volumes: [projected] } }), [{ audience: undefined, expirationSeconds: 3600, path: 'token' }]);
});

test('missing objects are named unless they are optional', () => {
  assert.throws(() => files({ name: 'v', secret: { secretName: 'none' } }), /secret "none" not found/);
  assert.deepEqual(files({ name: 'v', secret: { secretName: 'none', optional: true } }), []);
  assert.throws(() => files({ name: 'v', configMap: { name: 'c', items: [{ key: 'none', path: 'p' }] } }), /configmap "c" has no key none/);
});

test('a volume holds exactly its files, readable by their owner only, and nothing leaves it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-ts-volumes-'));
  writeVolume(join(folder, 'v'), [{ path: 'a', data: '1' }, { path: 'd/b', data: '2' }]);
  writeVolume(join(folder, 'v'), [{ path: 'd/b', data: '3' }]);
  assert.deepEqual(readdirSync(join(folder, 'v')), ['d']);
  assert.equal(statSync(join(folder, 'v', 'd', 'b')).mode & 0o777, 0o600);
  linkMounts(join(folder, 'root'), folder, { name: 'm', volumeMounts: [{ name: 'v', mountPath: '/var/run/v' }, { name: 'v', mountPath: '/one', subPath: 'd/b' }, { name: 'empty', mountPath: '/data' }] });
  assert.equal(readFileSync(join(folder, 'root/var/run/v/d/b'), 'utf8'), '3');
  assert.equal(readFileSync(join(folder, 'root/one'), 'utf8'), '3');
  assert.deepEqual(readdirSync(join(folder, 'root/data')), []);
  assert.throws(() => inside(folder, '../x'), /leaves its volume/);
  assert.throws(() => linkMounts(join(folder, 'root'), folder, { name: 'm', volumeMounts: [{ name: 'v', mountPath: '/../../x' }] }), /leaves its volume/);
  rmSync(folder, { recursive: true });
});
