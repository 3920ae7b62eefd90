/** The ConfigMap of the chart: every field has a default, and what is broken says where. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderOwnChart } from '#testing/management';
import { type ControllerConfig, parseControllerConfig } from './index.ts';

const DEFAULTS = parseControllerConfig(undefined);
const check = (config: object, difference: Partial<ControllerConfig>) => assert.deepEqual(parseControllerConfig(JSON.stringify(config)), { ...DEFAULTS, ...difference });

test('nothing said means the defaults', () => {
  check({}, {});
  assert.deepEqual(parseControllerConfig(''), DEFAULTS);
  assert.deepEqual([DEFAULTS.agentReplicas, DEFAULTS.agentCheckinInterval, DEFAULTS.gitClientTimeoutMs, DEFAULTS.bootstrap.namespace], [1, '15m', 30_000, 'fleet-local']);
});

test('what is said counts; what has the wrong type or makes no sense counts as not said', () => {
  check({ apiServerURL: 'https://x', agentReplicas: 3 }, { apiServerURL: 'https://x', agentReplicas: 3 });
  check({ apiServerCA: Buffer.from('PEM').toString('base64') }, { apiServerCA: 'PEM' });
  check({ gitClientTimeout: '90s' }, { gitClientTimeoutMs: 90_000 });
  check({ agentReplicas: 0 }, {});
  check({ agentReplicas: '3' }, {});
  check({ agentCheckinInterval: 'often' }, {});
  check({ apiServerURL: 7 }, {});
  check({ agentImage: '' }, {});
  check({ bootstrap: 'yes' }, {});
  check({ bootstrap: { namespace: 'mine', disabled: true } }, { bootstrap: { ...DEFAULTS.bootstrap, namespace: 'mine', disabled: true } });
  check({ ignoreClusterRegistrationLabels: 'true' }, {});
  check({ somethingNew: 1 }, {});
});

test('what is no JSON object names the ConfigMap and its key', () => {
  for (const text of ['{', '[]', '"x"', 'null']) assert.throws(() => parseControllerConfig(text), /^Error: ConfigMap\/fleet-controller: key "config" (is not JSON|must hold a JSON object)/, text);
});

test('the chart writes what is read here', () => {
  const values = { apiServerURL: 'https://manager.example', apiServerCA: 'PEM', agentReplicas: 2, gitClientTimeout: '45s' };
  const map = renderOwnChart('fleet', 'cattle-fleet-system', values).find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'fleet-controller') as unknown as { data: { config: string } };
  const config = parseControllerConfig(map.data.config);
  assert.deepEqual([config.apiServerURL, config.apiServerCA, config.gitClientTimeoutMs], ['https://manager.example', 'PEM', 45_000]);
});
