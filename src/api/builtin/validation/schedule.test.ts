import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleErrors, timeZoneErrors } from './schedule.ts';
import { validateService } from './service.ts';

const messages = (errors: { field: string; message: string }[]) => errors.map(({ field, message }) => `${field}: ${message}`);

const SCHEDULES: readonly [schedule: string, problem: string | undefined][] = [
  ['*/5 1-3,7 ? jan-MAR sun', undefined],
  ['@every 1h30m', undefined],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['61 * * * *', 'end of range (61) above maximum (59): 61'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['* x * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['@fortnightly', 'unrecognized descriptor: @fortnightly'],
  ['@every 5x', 'failed to parse duration @every 5x: time: invalid duration "5x"'],
];

test('schedules are refused with the parser’s words', () => {
  for (const [schedule, problem] of SCHEDULES) {
    const expected = problem === undefined ? [] : [`spec.schedule: Invalid value: ${JSON.stringify(schedule)}: ${problem}`];
    assert.deepEqual(messages(scheduleErrors(schedule)), expected, schedule);
  }
});

test('time zones are those of the IANA database', () => {
  assert.deepEqual(timeZoneErrors({ timeZone: 'Europe/Berlin' }), []);
  assert.deepEqual(messages(timeZoneErrors({ timeZone: 'Mars/X' })), ['spec.timeZone: Invalid value: "Mars/X": unknown time zone Mars/X']);
  assert.equal(timeZoneErrors({ timeZone: '' }).length, 1);
});

const SERVICES: readonly [spec: Record<string, unknown>, fields: string[]][] = [
  [{ type: 'ClusterIP', ports: [{ port: 80 }] }, []],
  [{ type: 'ClusterIP', ports: [{ port: 80, nodePort: 30_000 }] }, ['spec.ports[0].nodePort']],
  [{ type: 'ClusterIP', ports: [{ port: 80 }], clusterIP: 'abc', clusterIPs: ['abc'] }, ['spec.clusterIPs[0]']],
  [{ type: 'ClusterIP', ports: [{ port: 80 }], externalTrafficPolicy: 'Local', loadBalancerClass: 'a/b', healthCheckNodePort: 1 }, ['spec.loadBalancerClass', 'spec.externalTrafficPolicy', 'spec.healthCheckNodePort']],
  [{ type: 'LoadBalancer', ports: [{ port: 10_250 }], externalTrafficPolicy: 'Cluster', loadBalancerSourceRanges: ['x'] }, ['spec.ports[0].port', 'spec.LoadBalancerSourceRanges[0]']],
  [{ type: 'ExternalName', externalName: 'a.b', clusterIPs: ['None'] }, ['spec.clusterIPs']],
];

test('the type of a Service decides what may be set', () => {
  for (const [spec, fields] of SERVICES) {
    const ports = (spec['ports'] as object[] | undefined)?.map((port) => ({ protocol: 'TCP', targetPort: 80, ...port }));
    const errors = validateService({ spec: { sessionAffinity: 'None', ...spec, ...(ports ? { ports } : {}) } });
    assert.deepEqual(errors.map(({ field }) => field), fields, JSON.stringify(spec));
  }
});
