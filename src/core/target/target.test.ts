import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bundle, BundleDeploymentOptions, BundleSpec, Cluster, ClusterCriteria, ClusterGroup } from '#api/fleet';
import { deepClone } from '#base/json';
import { clusterGroupsOf, deploymentIDOf, matchesCriteria, matchTargets, mergeOptions, mergeValues, namespacesFor, type TemplateTools } from './index.ts';

/** Stands in for the template engine: `${ .ClusterName }` and the like, nothing else. */
const templates: TemplateTools = {
  expand: (text, context) =>
    text.replace(/\$\{\s*\.(\w+)(?:\.(\w+))?\s*\}/g, (_, field: string, member?: string) => {
      const value = member ? (context[field] as Record<string, string>)[member] : context[field];
      if (value === undefined) throw new Error(`map has no entry for key "${member ?? field}"`);
      return String(value);
    }),
  parseYaml: (text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  },
  formatYaml: (value) => JSON.stringify(value),
};

function cluster(name: string, labels: Record<string, string> = {}, over: Partial<Cluster> = {}): Cluster {
  return { metadata: { name, namespace: 'fleet-default', labels }, spec: {}, status: { namespace: `cluster-${name}` }, ...over };
}

function bundle(spec: BundleSpec): Bundle {
  return { metadata: { name: 'app', namespace: 'fleet-default' }, spec };
}

const GROUP: ClusterGroup = { metadata: { name: 'prod', namespace: 'fleet-default', labels: { tier: 'gold' } }, spec: { selector: { matchLabels: { env: 'prod' } } } };

function match(spec: BundleSpec, clusters: Cluster[], over: Partial<Parameters<typeof matchTargets>[0]> = {}) {
  return matchTargets({ bundle: bundle(spec), manifestID: 's-1', clusters, clusterGroups: [GROUP], templates, ...over });
}

const chosen = (spec: BundleSpec, clusters: Cluster[]) => match(spec, clusters).targets.map(({ clusterName, targetName }) => `${clusterName}:${targetName}`);

describe('criteria', () => {
  const subject = { name: 'c', labels: { env: 'prod', 'management.cattle.io/cluster-display-name': 'Shiny' }, groups: [{ name: 'g', labels: { tier: 'gold' } }, { name: 'h', labels: {} }] };
  const check = (criteria: ClusterCriteria, expected: boolean) => it(`${JSON.stringify(criteria)} ${expected ? 'fits' : 'does not fit'}`, () => assert.equal(matchesCriteria(criteria, subject), expected));
  check({}, false);
  check({ clusterName: 'c' }, true);
  check({ clusterName: 'Shiny' }, true);
  check({ clusterName: 'd' }, false);
  check({ clusterSelector: {} }, true);
  check({ clusterSelector: { matchLabels: { env: 'prod' } } }, true);
  check({ clusterName: 'c', clusterSelector: { matchLabels: { env: 'dev' } } }, false);
  check({ clusterGroup: 'g' }, true);
  check({ clusterGroup: 'h', clusterGroupSelector: { matchLabels: { tier: 'gold' } } }, false);
  check({ clusterGroupSelector: { matchLabels: { tier: 'gold' } } }, true);
  check({ clusterGroupSelector: {} }, true);
});

describe('matchTargets', () => {
  const clusters = [cluster('b', { env: 'dev' }), cluster('a', { env: 'prod' }), cluster('c', {})];

  it('takes the first target that fits, clusters in order of their names', () => {
    assert.deepEqual(chosen({ targets: [{ name: 'dev', clusterSelector: { matchLabels: { env: 'dev' } } }, { name: 'rest', clusterSelector: {} }] }, clusters), ['a:rest', 'b:dev', 'c:rest']);
  });

  it('finds clusters by group', () => {
    assert.deepEqual(chosen({ targets: [{ name: 'g', clusterGroup: 'prod' }] }, clusters), ['a:g']);
  });

  const restricted: BundleSpec = {
    namespace: 'base',
    targets: [
      { name: 'custom', clusterSelector: {}, namespace: 'custom', helm: { values: { from: 'custom' } } },
      { name: 'second', clusterSelector: { matchLabels: { env: 'prod' } }, serviceAccount: 'second' },
      { name: 'repo', clusterSelector: { matchLabels: { env: 'prod' } } },
    ],
    targetRestrictions: [{ name: 'repo', clusterSelector: { matchLabels: { env: 'prod' } } }],
  };

  it('lets customizations change options, never reach', () => {
    const { targets } = match(restricted, clusters);
    assert.deepEqual(targets.map(({ clusterName, targetName, options }) => [clusterName, targetName, options.namespace, options.serviceAccount]), [['a', 'custom', 'custom', undefined]]);
  });

  it('merges all customizations in mode AllMatches', () => {
    const { targets } = match({ ...restricted, targetCustomizationMode: 'AllMatches' }, clusters);
    assert.deepEqual(targets.map(({ options }) => [options.namespace, options.serviceAccount]), [['custom', 'second']]);
  });

  const notDeployed = (title: string, spec: BundleSpec, expected: string[]) => it(title, () => assert.deepEqual(chosen(spec, clusters), expected));
  const [custom, second, repo] = restricted.targets ?? [];
  notDeployed('does not deploy where the winning customization forbids it', { ...restricted, targets: [{ ...custom, doNotDeploy: true }, second ?? {}, repo ?? {}] }, []);
  notDeployed('deploys where a later customization forbids it, in FirstMatch', { ...restricted, targets: [custom ?? {}, { ...second, doNotDeploy: true }, repo ?? {}] }, ['a:custom']);
  notDeployed('does not deploy where any customization forbids it, in AllMatches', { ...restricted, targetCustomizationMode: 'AllMatches', targets: [custom ?? {}, { ...second, doNotDeploy: true }, repo ?? {}] }, []);
  notDeployed('treats all targets as plain when there are no restrictions', { targets: [{ name: 'x', clusterName: 'c', doNotDeploy: true }, { name: 'y', clusterSelector: {} }] }, ['a:y', 'b:y']);

  it('puts policy above the bundle', () => {
    const { targets } = match({ createNamespace: true, targets: [{ clusterName: 'a' }] }, clusters, { createNamespace: false, allowedTargetNamespaceSelector: { matchLabels: { ok: 'yes' } } });
    assert.equal(targets[0]?.options.createNamespace, false);
    assert.deepEqual(targets[0]?.options.allowedTargetNamespaceSelector, { matchLabels: { ok: 'yes' } });
  });

  it('knows what is paused and what is off schedule', () => {
    const paused = cluster('a', {}, { spec: { paused: true } });
    const off = cluster('b', {}, { status: { namespace: 'x', scheduled: true, activeSchedule: false } });
    const { targets } = match({ targets: [{ clusterSelector: {} }] }, [paused, off]);
    assert.deepEqual(targets.map((target) => [target.paused, target.offSchedule]), [[true, false], [false, true]]);
  });

  it('leaves fields that concern only the Bundle out of the options', () => {
    const { targets } = match({ namespace: 'n', resources: [{ name: 'x' }], dependsOn: [{ name: 'y' }], rolloutStrategy: {}, paused: true, targets: [{ name: 't', clusterName: 'a' }] }, clusters);
    assert.deepEqual(targets[0]?.options, { namespace: 'n' });
  });

  it('reports the one cluster whose template fails and deploys to the others', () => {
    const spec: BundleSpec = { helm: { values: { env: '${ .ClusterLabels.env }' } }, targets: [{ clusterSelector: {} }] };
    const { targets, errors } = match(spec, [cluster('a', { env: 'prod' }), cluster('b', { other: 'x' })]);
    assert.deepEqual(targets.map(({ options }) => options.helm?.values), [{ env: 'prod' }]);
    assert.deepEqual(errors.map(({ clusterName, message }) => [clusterName, message]), [['b', 'helm.values: template failed: map has no entry for key "env"']]);
  });
});

describe('values on the management side', () => {
  const values = (helm: BundleDeploymentOptions['helm'], labels: Record<string, string> = { env: 'prod' }, over: Partial<Cluster> = {}) =>
    match({ ...(helm ? { helm } : {}), targets: [{ clusterSelector: {} }] }, [cluster('a', labels, over)]).targets[0]?.options.helm?.values;

  const check = (title: string, helm: BundleDeploymentOptions['helm'], expected: unknown, labels?: Record<string, string>) => it(title, () => assert.deepEqual(values(helm, labels), expected));
  check('replace label references, missing ones by nothing', { values: { a: 'global.fleet.clusterLabels.env', b: { c: 'global.fleet.clusterLabels.none' }, d: [{ e: 'global.fleet.clusterLabels.env' }, 'global.fleet.clusterLabels.env'] } }, { a: 'prod', b: { c: '' }, d: [{ e: 'prod' }, 'global.fleet.clusterLabels.env'] });
  check('expand templates', { values: { n: '${ .ClusterName }-${ .ClusterLabels.env }' } }, { n: 'a-prod' });
  check('keep templates when preprocessing is off, but not label references', { disablePreProcess: true, values: { n: '${ .ClusterName }', l: 'global.fleet.clusterLabels.env' } }, { n: '${ .ClusterName }', l: 'prod' });
  check('lay templateValues over', { values: { a: 1, b: 2 }, templateValues: { b: '{"name": "${ .ClusterName }"}' } }, { a: 1, b: { name: 'a' } });
  check('stay as they are on a cluster without labels', { values: { n: '${ .ClusterName }' } }, { n: '${ .ClusterName }' }, {});
  check("do not see labels of Rancher's own", { values: { n: 'global.fleet.clusterLabels.x.cattle.io/y' } }, { n: '' }, { 'x.cattle.io/y': 'hidden', env: 'x' });
  check('see labels of Fleet', { values: { n: 'global.fleet.clusterLabels.fleet.cattle.io/y' } }, { n: 'seen' }, { 'fleet.cattle.io/y': 'seen' });

  it('see the cluster template values', () => {
    assert.deepEqual(values({ values: { n: '${ .ClusterValues.x }' } }, { env: 'p' }, { spec: { templateValues: { x: 'y' } } }), { n: 'y' });
  });

  it('share one identity wherever nothing differs, and have one each where something does', () => {
    const clusters = [cluster('a', { env: 'x' }), cluster('b', { env: 'y' }), cluster('c', {})];
    const ids = (values: Record<string, unknown>) => new Set(match({ helm: { values }, targets: [{ clusterSelector: {} }] }, clusters).targets.map(({ deploymentID }) => deploymentID)).size;
    assert.equal(ids({ a: 1 }), 1);
    assert.equal(ids({ a: '${ .ClusterLabels.env }' }), 3);
  });

  it('nested too deeply are refused', () => {
    const deep = Array.from({ length: 60 }).reduce<Record<string, unknown>>((inner) => ({ inner }), { a: 'x' });
    assert.match(match({ helm: { values: deep }, targets: [{ clusterSelector: {} }] }, [cluster('a', { env: 'x' })]).errors[0]?.message ?? '', /nested deeper than 50 levels/);
  });

  it('are not changed in the Bundle', () => {
    const spec: BundleSpec = { helm: { values: { a: { b: 'global.fleet.clusterLabels.env' } } }, targets: [{ clusterSelector: {} }] };
    const before = deepClone(spec);
    match(spec, [cluster('a', { env: 'x' })]);
    assert.deepEqual(spec, before);
  });
});

describe('mergeOptions', () => {
  const check = (title: string, base: BundleDeploymentOptions, custom: BundleDeploymentOptions, expected: BundleDeploymentOptions) => it(title, () => assert.deepEqual(mergeOptions(base, custom), expected));
  check('merges values deeply, lists replaced', { helm: { values: { a: { b: 1, c: [1] } } } }, { helm: { values: { a: { c: [2] } } } }, { helm: { values: { a: { b: 1, c: [2] } } } });
  check('cannot turn a boolean off', { keepResources: true, helm: { atomic: true } }, { keepResources: false, helm: { atomic: false, force: true } }, { keepResources: true, helm: { atomic: true, force: true } });
  check('appends overlays', { yaml: { overlays: ['a'] } }, { yaml: { overlays: ['b'] } }, { yaml: { overlays: ['a', 'b'] } });
  check('replaces correctDrift', { correctDrift: { enabled: true, force: true } }, { correctDrift: { enabled: true } }, { correctDrift: { enabled: true } });
  check('merges valuesFrom by reference', { helm: { valuesFrom: [{ secretKeyRef: { name: 'a' } }] } }, { helm: { valuesFrom: [{ secretKeyRef: { name: 'a' } }, { configMapKeyRef: { name: 'a' } }] } }, { helm: { valuesFrom: [{ secretKeyRef: { name: 'a' } }, { configMapKeyRef: { name: 'a' } }] } });
  check('merges comparePatches by object', { diff: { comparePatches: [{ kind: 'A', jsonPointers: ['/x'] }] } }, { diff: { comparePatches: [{ kind: 'A', jsonPointers: ['/y'] }, { kind: 'B' }] } }, { diff: { comparePatches: [{ kind: 'A', jsonPointers: ['/y'] }, { kind: 'B' }] } });
  check('leaves fields that do not merge to the bundle', { helm: { maxHistory: 3 }, deleteCRDResources: false }, { helm: { maxHistory: 9, skipSchemaValidation: true }, deleteCRDResources: true, ignore: { conditions: [] } }, { helm: { maxHistory: 3 }, deleteCRDResources: false });
  check('a negative timeout resets, zero says nothing', { helm: { timeoutSeconds: 5 } }, { helm: { timeoutSeconds: -1 } }, { helm: { timeoutSeconds: 0 } });
  check('merges namespace labels by key', { namespaceLabels: { a: '1', b: '1' } }, { namespaceLabels: { b: '2' } }, { namespaceLabels: { a: '1', b: '2' } });

  const plain = { noNullPrototype: true };
  const leaf = fc.dictionary(fc.constantFrom('p'), fc.integer(), plain);
  const inner = fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(fc.integer(), leaf), plain);
  const anyValues = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.integer(), fc.array(fc.integer()), inner), plain);
  it('is neutral to nothing, idempotent in values, and pure', () => {
    fc.assert(
      fc.property(anyValues, anyValues, (a, b) => {
        const before = JSON.stringify([a, b]);
        assert.deepEqual(mergeValues(a, {}), mergeValues({}, a));
        assert.deepEqual(mergeValues(mergeValues(a, b), b), mergeValues(a, b));
        assert.deepEqual(new Set(Object.keys(mergeValues(a, b))), new Set([...Object.keys(a), ...Object.keys(b)]));
        assert.deepEqual(mergeOptions({ helm: { values: a } }, {}), { helm: { values: deepClone(a) } });
        assert.equal(JSON.stringify([a, b]), before);
      }),
    );
  });
});

describe('deploymentID', () => {
  it('changes with the manifest and the options, not with drift rules or the order of keys', () => {
    const id = deploymentIDOf('s-1', { namespace: 'a', helm: { values: { x: 1, y: 2 } } });
    assert.match(id, /^s-1:[0-9a-f]{64}$/);
    assert.equal(deploymentIDOf('s-1', { helm: { values: { y: 2, x: 1 } }, namespace: 'a', diff: { comparePatches: [] }, correctDrift: { enabled: true } }), id);
    assert.notEqual(deploymentIDOf('s-2', { namespace: 'a', helm: { values: { x: 1, y: 2 } } }), id);
    assert.notEqual(deploymentIDOf('s-1', { namespace: 'a', helm: { values: { x: 1, y: 3 } } }), id);
    assert.notEqual(deploymentIDOf('s-1', { namespace: 'a', helm: { values: { x: 1, y: 2 } }, forceSyncGeneration: 1 }), id);
  });
});

describe('scope', () => {
  it('finds the groups of a cluster in its namespace', () => {
    const other: ClusterGroup = { metadata: { name: 'o', namespace: 'elsewhere' }, spec: { selector: {} } };
    const broken: ClusterGroup = { metadata: { name: 'x', namespace: 'fleet-default' }, spec: { selector: { matchExpressions: [{ key: 'a', operator: 'Bad' as 'In' }] } } };
    assert.deepEqual(clusterGroupsOf(cluster('a', { env: 'prod' }), [GROUP, other, broken, { ...GROUP, spec: {} }]), [GROUP]);
  });

  it('reaches the namespaces that mappings add', () => {
    const mapping = { metadata: { name: 'm', namespace: 'fleet-default' }, bundleSelector: { matchLabels: { team: 'a' } }, namespaceSelector: { matchLabels: { open: 'yes' } } };
    const namespaces = [{ name: 'z', labels: { open: 'yes' } }, { name: 'y', labels: {} }];
    const labelled: Bundle = { ...bundle({}), metadata: { ...bundle({}).metadata, labels: { team: 'a' } } };
    assert.deepEqual(namespacesFor(labelled, [mapping], namespaces), ['fleet-default', 'z']);
    assert.deepEqual(namespacesFor(bundle({}), [mapping], namespaces), ['fleet-default']);
  });
});
