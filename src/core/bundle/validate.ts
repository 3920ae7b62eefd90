/**
 * What a well-formed fleet.yaml may still get wrong: names the API server would refuse, selectors that are
 * none, targets that can never choose a cluster, dependencies without a name.
 */
import type { LabelSelector } from '#apimachinery/labels';
import { BUNDLE_STATE_RANK, type BundleDeploymentOptions, type BundleTarget, type ClusterCriteria } from '#api/fleet';
import { RELEASE_NAME_MAX } from './names.ts';
import type { FaultAt, FieldPath, FleetYaml } from './parse.ts';

const DNS_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_NAME = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$/;
const LABEL_LENGTH_MAX = 63;
const NAME_LENGTH_MAX = 253;
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Throws the first fault found. */
export function validateFleetYaml(fleetYaml: FleetYaml, faultAt: FaultAt): void {
  const { name } = fleetYaml;
  if (name !== undefined && name !== '' && (!DNS_NAME.test(name) || name.length > NAME_LENGTH_MAX)) {
    throw faultAt(['name'], `${JSON.stringify(name)} is no object name: use lower-case letters, digits, "-" and "."`);
  }
  checkLabels(fleetYaml.labels, ['labels'], faultAt);
  checkOptions(fleetYaml, [], faultAt);
  for (const list of ['targets', 'targetCustomizations', 'overrideTargets'] as const) {
    for (const [index, target] of ((fleetYaml[list] ?? []) as BundleTarget[]).entries()) {
      checkTarget(target, [list, index], faultAt);
      checkOptions(target, [list, index], faultAt);
    }
  }
  for (const [index, partition] of (fleetYaml.rolloutStrategy?.partitions ?? []).entries()) {
    checkTarget(partition, ['rolloutStrategy', 'partitions', index], faultAt);
  }
  const mode = fleetYaml.targetCustomizationMode;
  if (mode !== undefined && !['', 'FirstMatch', 'AllMatches'].includes(mode)) {
    throw faultAt(['targetCustomizationMode'], `${JSON.stringify(mode)} is unknown: use FirstMatch or AllMatches`);
  }
  checkDependencies(fleetYaml, faultAt);
  for (const [index, scan] of (fleetYaml.imageScans ?? []).entries()) {
    if (scan.image && !scan.tagName) throw faultAt(['imageScans', index], 'has an image and no tagName: name the scan, as the comments in the manifests do');
  }
}

/** Faults in the selectors of a GitRepo's targets. A target without criteria is no fault there: it chooses nothing. */
export function validateTargets(targets: readonly ClusterCriteria[], faultAt: FaultAt): void {
  for (const [index, target] of targets.entries()) {
    checkSelector(target.clusterSelector, ['spec', 'targets', index, 'clusterSelector'], faultAt);
    checkSelector(target.clusterGroupSelector, ['spec', 'targets', index, 'clusterGroupSelector'], faultAt);
  }
}

function checkOptions(options: BundleDeploymentOptions, path: FieldPath, faultAt: FaultAt): void {
  for (const field of ['namespace', 'defaultNamespace'] as const) {
    const value = options[field];
    if (value && (!NAMESPACE.test(value) || value.length > LABEL_LENGTH_MAX)) throw faultAt([...path, field], `${JSON.stringify(value)} is no namespace: use lower-case letters, digits and "-", ${LABEL_LENGTH_MAX} at most`);
  }
  const release = options.helm?.releaseName;
  if (release && (!DNS_NAME.test(release) || release.length > RELEASE_NAME_MAX)) {
    throw faultAt([...path, 'helm', 'releaseName'], `${JSON.stringify(release)} is no release name: use lower-case letters, digits, "-" and ".", ${RELEASE_NAME_MAX} at most`);
  }
}

function checkTarget(target: ClusterCriteria, path: FieldPath, faultAt: FaultAt): void {
  const chosen = target.clusterName || target.clusterGroup || target.clusterSelector || target.clusterGroupSelector;
  if (!chosen) throw faultAt(path, 'can choose no cluster: add clusterName, clusterSelector ({} for all), clusterGroup or clusterGroupSelector');
  checkSelector(target.clusterSelector, [...path, 'clusterSelector'], faultAt);
  checkSelector(target.clusterGroupSelector, [...path, 'clusterGroupSelector'], faultAt);
}

function checkSelector(selector: LabelSelector | undefined, path: FieldPath, faultAt: FaultAt): void {
  checkLabels(selector?.matchLabels, [...path, 'matchLabels'], faultAt);
  for (const [index, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const at = [...path, 'matchExpressions', index];
    if (!OPERATORS.includes(operator)) throw faultAt(at, `operator ${JSON.stringify(operator ?? '')} is unknown: use ${OPERATORS.join(', ')}`);
    if (!isLabelKey(key ?? '')) throw faultAt(at, `key ${JSON.stringify(key ?? '')} is no label name`);
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues && values.length === 0) throw faultAt(at, `operator ${operator} needs values`);
    if (!wantsValues && values.length > 0) throw faultAt(at, `operator ${operator} takes no values: remove them`);
    const bad = values.find((value) => !isLabelValue(value));
    if (bad !== undefined) throw faultAt(at, `${JSON.stringify(bad)} is no label value`);
  }
  checkContradiction(selector, path, faultAt);
}

/** A label that must be two things at once chooses nothing, ever. */
function checkContradiction(selector: LabelSelector | undefined, path: FieldPath, faultAt: FaultAt): void {
  const expressions = selector?.matchExpressions ?? [];
  const fixed: [string, string[]][] = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]): [string, string[]] => [key, [value]]),
    ...expressions.filter(({ operator }) => operator === 'In').map(({ key, values }): [string, string[]] => [key, values ?? []]),
  ];
  for (const [key, allowed] of fixed) {
    const possible = allowed.filter(
      (value) =>
        fixed.every(([other, values]) => other !== key || values.includes(value)) &&
        !expressions.some((expression) => expression.key === key && expression.operator === 'NotIn' && (expression.values ?? []).includes(value)),
    );
    const forbidden = expressions.some((expression) => expression.key === key && expression.operator === 'DoesNotExist');
    if (possible.length === 0 || forbidden) throw faultAt(path, `can choose no cluster: its conditions on label ${JSON.stringify(key)} contradict each other`);
  }
}

function checkLabels(labels: Readonly<Record<string, string>> | undefined, path: FieldPath, faultAt: FaultAt): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!isLabelKey(key)) throw faultAt([...path, key], `${JSON.stringify(key)} is no label name`);
    if (!isLabelValue(value)) throw faultAt([...path, key], `${JSON.stringify(value)} is no label value: use up to ${LABEL_LENGTH_MAX} letters, digits, "-", "_" and "."`);
  }
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  const [prefix, name] = slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)];
  const prefixFits = slash < 0 || (DNS_NAME.test(prefix) && prefix.length <= NAME_LENGTH_MAX);
  return prefixFits && LABEL_NAME.test(name) && name.length <= LABEL_LENGTH_MAX;
}

function isLabelValue(value: string): boolean {
  return value === '' || (LABEL_NAME.test(value) && value.length <= LABEL_LENGTH_MAX);
}

function checkDependencies(fleetYaml: FleetYaml, faultAt: FaultAt): void {
  for (const [index, dependency] of (fleetYaml.dependsOn ?? []).entries()) {
    const path = ['dependsOn', index];
    if (!dependency.name && !dependency.selector) throw faultAt(path, 'names no bundle: add name or selector');
    checkSelector(dependency.selector, [...path, 'selector'], faultAt);
    const unknown = (dependency.acceptedStates ?? []).find((state) => !Object.hasOwn(BUNDLE_STATE_RANK, state));
    if (unknown !== undefined) throw faultAt([...path, 'acceptedStates'], `${JSON.stringify(unknown)} is no bundle state: use ${Object.keys(BUNDLE_STATE_RANK).join(', ')}`);
  }
}
