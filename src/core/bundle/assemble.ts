/**
 * From fleet.yaml and files to the Bundle object: names, labels, targets, values and resources, in the
 * order Fleet applies them (facts §2.1–2.5): fleet.yaml first, then what the GitRepo imposes.
 */
import { FLEET_API_VERSION, label, type Bundle, type BundleResource, type BundleSpec, type BundleTarget, type BundleTargetRestriction, type GitTarget, type HelmOptions, type ImageScan } from '#api/fleet';
import { base64Encode, utf8, utf8Text } from '#base/hash';
import { isRecord } from '#base/json';
import { baseName, joinPath, normalizePath, resolveLinks, type SourceTree } from '#base/sourcetree';
import { mergeValues } from '#core/target';
import { collectFiles } from './collect.ts';
import type { Folders } from './folders.ts';
import { chartKey, safeConcatName } from './names.ts';
import { FileFault, parseDocument, type FleetYaml } from './parse.ts';
import { FLEET_FILES, type BundleSite } from './scan.ts';
import type { BuildOptions, BuiltBundle, BundleTools, ChartReference } from './types.ts';

/** Above this size of the Bundle's JSON all resources are compressed (Fleet's number). */
const UNCOMPRESSED_BYTES_MAX = 1_000_000;
/** What an API server stores in one object: etcd's default request limit. */
export const BUNDLE_BYTES_MAX = 1_572_864;

export interface Assembly {
  tree: SourceTree;
  folders: Folders;
  site: BundleSite;
  fleetYaml: FleetYaml;
  options: BuildOptions;
  tools: BundleTools;
}

/** The bundle, or nothing where there is nothing to deploy. Throws a {@link FileFault}. */
export function assemble(assembly: Assembly): BuiltBundle | undefined {
  const { site, fleetYaml, options } = assembly;
  const spec = specOf(fleetYaml);
  propagateChart(spec);
  foldValuesFiles(assembly, spec);
  const files = bundleFiles(assembly, spec);
  if (files.size === 0) return undefined;
  imposeTargets(spec, fleetYaml, options);
  imposeOptions(spec, options);
  const bundle: Bundle = {
    apiVersion: FLEET_API_VERSION,
    kind: 'Bundle',
    metadata: {
      name: fleetYaml.name || site.name,
      namespace: options.namespace,
      labels: { ...options.labels, ...(options.commit ? { [label.commit]: options.commit } : {}), ...fleetYaml.labels },
      ...(fleetYaml.annotations ? { annotations: fleetYaml.annotations } : {}),
    },
    spec,
  };
  spec.resources = encode(assembly, files, bundle);
  return { path: site.path, bundle, imageScans: imageScansOf(assembly) };
}

/** The BundleSpec part of fleet.yaml, with its customizations in place and named. */
function specOf(fleetYaml: FleetYaml): BundleSpec {
  const { name: _n, labels: _l, annotations: _a, targetCustomizations, overrideTargets: _o, imageScans: _i, targets, ...rest } = fleetYaml;
  const { allowPodSecurityNamespaceLabels: _ap, ...spec } = rest as BundleSpec & { allowPodSecurityNamespaceLabels?: boolean };
  const all = [...(targets ?? []), ...(targetCustomizations ?? [])];
  if (all.length === 0) return spec;
  return { ...spec, targets: all.map((target, index) => ({ ...target, name: target.name || `target${String(index).padStart(3, '0')}` })) };
}

/** A customization that names no chart of its own is a variation of the bundle's. */
function propagateChart(spec: BundleSpec): void {
  for (const target of spec.targets ?? []) {
    if (!target.helm || !spec.helm) continue;
    for (const field of ['repo', 'chart', 'version'] as const) if (!target.helm[field] && spec.helm[field]) target.helm[field] = spec.helm[field];
  }
}

/** Values files become values, later ones win; the names stay in the options. */
function foldValuesFiles({ tree, site, tools }: Assembly, spec: BundleSpec): void {
  for (const helm of helmsOf(spec)) {
    let values = helm.values ?? {};
    for (const name of helm.valuesFiles ?? []) {
      const path = normalizePath(joinPath(site.path, name));
      const resolved = path === undefined ? undefined : resolveLinks(tree, path);
      const bytes = resolved === undefined ? undefined : tree.files.get(resolved);
      if (!bytes) throw new FileFault(site.file ?? site.path, undefined, `helm.valuesFiles: ${JSON.stringify(name)} is not in the repository: correct the path, which is relative to the bundle`);
      const parsed = parseDocument(joinPath(site.path, name), utf8Text(bytes), (text) => tools.parseYaml(text)) ?? {};
      if (!isRecord(parsed)) throw new FileFault(joinPath(site.path, name), 1, 'a values file holds fields: write "name: value" lines');
      values = mergeValues(values, parsed);
    }
    if (Object.keys(values).length > 0) helm.values = values;
  }
}

function helmsOf(spec: BundleSpec): HelmOptions[] {
  return [spec, ...(spec.targets ?? [])].flatMap(({ helm }) => (helm ? [helm] : []));
}

/** Charts of the bundle (and of its customizations) that are not in the tree, each once. */
export function chartsOf(tree: SourceTree, folders: Folders, site: BundleSite, fleetYaml: FleetYaml): ChartReference[] {
  const spec = specOf(structureOf(fleetYaml));
  propagateChart(spec);
  const references = helmsOf(spec).flatMap((helm) => remoteChart(tree, folders, site.path, helm) ?? []);
  return [...new Map(references.map((reference) => [reference.key, reference])).values()];
}

/** Enough of a copy that propagation does not reach the original. */
function structureOf(fleetYaml: FleetYaml): FleetYaml {
  const copy = (target: BundleTarget): BundleTarget => ({ ...target, ...(target.helm ? { helm: { ...target.helm } } : {}) });
  return {
    ...fleetYaml,
    ...(fleetYaml.targets ? { targets: fleetYaml.targets.map(copy) } : {}),
    ...(fleetYaml.targetCustomizations ? { targetCustomizations: fleetYaml.targetCustomizations.map(copy) } : {}),
  };
}

function remoteChart(tree: SourceTree, folders: Folders, path: string, { chart = '', repo = '', version = '' }: HelmOptions): ChartReference | undefined {
  if (chart === '' && repo === '') return undefined;
  const local = normalizePath(joinPath(path, chart));
  if (repo === '' && local !== undefined && (folders.has(local) || tree.files.has(local))) return undefined;
  return { key: chartKey({ chart, repo, version }), chart, repo, version, path };
}

function bundleFiles({ tree, folders, site, options }: Assembly, spec: BundleSpec): Map<string, Uint8Array> {
  const files = collectFiles(tree, folders, site.path, options.keepConfigFiles ? new Set() : configFiles(site, spec));
  const references = helmsOf(spec).flatMap((helm) => remoteChart(tree, folders, site.path, helm) ?? []);
  for (const reference of references) {
    const chart = options.charts?.get(reference.key);
    if (!chart) {
      const { chart: name, repo, version } = reference;
      throw new FileFault(site.file ?? site.path, undefined, `helm: chart ${JSON.stringify([repo, name].filter(Boolean).join(' '))} ${version} could not be fetched: check helm.chart, helm.repo and helm.version`);
    }
    for (const [name, bytes] of chart) files.set(`${reference.key}/${name}`, bytes);
  }
  return files;
}

/** Files whose content went into the options, relative to the bundle; values files also by base name, as Fleet has it. */
function configFiles(site: BundleSite, spec: BundleSpec): Set<string> {
  const relative = (path: string) => (site.path === '' ? path : path.slice(site.path.length + 1));
  const names = helmsOf(spec).flatMap(({ valuesFiles }) => valuesFiles ?? []);
  return new Set([...FLEET_FILES, ...(site.file ? [relative(site.file)] : []), ...names.map((name) => normalizePath(name) ?? name), ...names.map(baseName)]);
}

/** Adds the GitRepo's targets (or those that override them), and repeats them as restrictions. */
function imposeTargets(spec: BundleSpec, { overrideTargets }: FleetYaml, options: BuildOptions): void {
  const fromRepo = options.targets && options.targets.length === 0 ? [DEFAULT_TARGET] : (options.targets ?? []);
  const imposed = overrideTargets ?? fromRepo;
  const targets = [...(spec.targets ?? []), ...imposed.map(plainTarget)];
  const restrictions = [...(spec.targetRestrictions ?? []), ...imposed.map(plainTarget)];
  spec.targets = targets.length > 0 ? targets : [{ ...DEFAULT_TARGET }];
  if (restrictions.length > 0) spec.targetRestrictions = restrictions;
}

const DEFAULT_TARGET: GitTarget = { name: 'default', clusterGroup: 'default' };

function plainTarget({ name, clusterName, clusterSelector, clusterGroup, clusterGroupSelector }: GitTarget): BundleTargetRestriction {
  return {
    ...(name ? { name } : {}),
    ...(clusterName ? { clusterName } : {}),
    ...(clusterSelector ? { clusterSelector } : {}),
    ...(clusterGroup ? { clusterGroup } : {}),
    ...(clusterGroupSelector ? { clusterGroupSelector } : {}),
  };
}

function imposeOptions(spec: BundleSpec, options: BuildOptions): void {
  if (options.serviceAccount) spec.serviceAccount = options.serviceAccount;
  if (options.forceSyncGeneration) spec.forceSyncGeneration = options.forceSyncGeneration;
  else delete spec.forceSyncGeneration;
  if (options.targetNamespace) {
    spec.namespace = options.targetNamespace;
    for (const target of spec.targets ?? []) target.namespace = options.targetNamespace;
  }
  if (options.paused) spec.paused = true;
  if (options.keepResources) spec.keepResources = true;
  if (options.deleteNamespace) spec.deleteNamespace = true;
  if (options.correctDrift?.enabled) spec.correctDrift = options.correctDrift;
}

function encode({ site, options, tools }: Assembly, files: ReadonlyMap<string, Uint8Array>, bundle: Bundle): BundleResource[] {
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const resources = entries.map(([name, bytes]) => resourceOf(name, bytes, options.compress ?? false, tools));
  const size = (candidate: BundleResource[]) => utf8(JSON.stringify({ ...bundle, spec: { ...bundle.spec, resources: candidate } })).length;
  if (options.compress || size(resources) < UNCOMPRESSED_BYTES_MAX) return resources;
  const compressed = entries.map(([name, bytes]) => resourceOf(name, bytes, true, tools));
  const bytes = size(compressed);
  if (bytes > BUNDLE_BYTES_MAX) {
    throw new FileFault(site.file ?? site.path, undefined, `the bundle has ${bytes} bytes after compression, an API server takes ${BUNDLE_BYTES_MAX}: leave files out with .fleetignore, split the bundle, or store it in an OCI registry`);
  }
  return compressed;
}

function resourceOf(name: string, bytes: Uint8Array, compress: boolean, tools: BundleTools): BundleResource {
  if (compress || !isUtf8(bytes)) return { name, content: base64Encode(tools.gzip(bytes)), encoding: 'base64+gz' };
  const content = utf8Text(bytes);
  return content === '' ? { name } : { name, content };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function imageScansOf({ site, fleetYaml, options }: Assembly): ImageScan[] {
  return (fleetYaml.imageScans ?? []).flatMap(({ name: _name, ...spec }, index) =>
    spec.image
      ? [{ apiVersion: FLEET_API_VERSION, kind: 'ImageScan', metadata: { name: safeConcatName('imagescan', site.name, String(index)), namespace: options.namespace }, spec: { ...spec, gitrepoName: options.repoName } }]
      : [],
  );
}
