/**
 * A bundle's files and options → the objects one cluster gets. Style is decided by what is there: a chart,
 * a kustomization, both (the kustomization post-renders the chart), or raw YAML. Every style ends as a Helm
 * release, so bundles that are no chart get a made-up chart's metadata. Source: Fleet docs "Bundle content
 * types"; facts/fleet.md §2.3.
 *
 * Invariant: every object carries the marks of its set, and a namespace if its kind lives in one.
 */
import type { Unstructured } from '#apimachinery/meta';
import { sha1Hex, sha256Hex } from '#base/hash';
import { isRecord } from '#base/json';
import { baseName, dirName, isWithin, normalizePath } from '#base/sourcetree';
import { type Chart, loadChart, renderChart, type RenderedChart } from '#render/chart';
import { buildKustomization, postRender } from '#render/kustomize';
import { parseDocuments } from '#render/rawyaml';
import { utf8Text } from '#base/hash';
import { applyOverlays } from './overlays.ts';
import { type BundleRenderInput, BundleRenderError, type BundleStyle, type Files, type RenderedBundle } from './types.ts';

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const CONFIG_FILES = new Set(['fleet.yaml', 'fleet.yml']);

/** Throws {@link BundleRenderError}, `ChartError`, `KustomizeError` or `GoYamlError`, each naming file or object. */
export function renderBundle(input: BundleRenderInput): RenderedBundle {
  const { files, options } = input;
  const chartDir = chartDirOf(files, options.chart, options.chartKey);
  const kustomizeDir = kustomizeDirOf(files, options.kustomizeDir);
  const style = styleOf(chartDir, kustomizeDir);
  const chart = chartDir === undefined ? undefined : loadChart(subtree(files, chartDir));
  const rendered = chart && render(chart, input);
  const objects = objectsOf({ files, input, kustomizeDir, rendered });
  return {
    style,
    chart: chart ? { ...chart.metadata } : madeUpChart(input),
    objects: objects.map((object) => markObject(object, input)),
    hooks: (rendered?.hooks ?? []).map((hook) => ({ ...hook, object: markObject(hook.object as Unstructured, input) })),
    crds: rendered?.crds ?? [],
    notes: rendered?.notes ?? '',
    values: rendered?.values ?? input.options.values ?? {},
  };
}

function styleOf(chartDir: string | undefined, kustomizeDir: string | undefined): BundleStyle {
  if (chartDir !== undefined) return kustomizeDir === undefined ? 'helm' : 'helm-kustomize';
  return kustomizeDir === undefined ? 'raw' : 'kustomize';
}

function chartDirOf(files: Files, chart: string | undefined, chartKey: string | undefined): string | undefined {
  const wanted = chart === undefined || chart === '' ? '' : normalizePath(chart);
  const candidates = [chartKey, wanted].filter((dir): dir is string => dir !== undefined);
  const found = candidates.find((dir) => files.has(dir === '' ? 'Chart.yaml' : `${dir}/Chart.yaml`));
  // Without this the chart's own templates would be taken for raw YAML.
  if (found === undefined && chart) throw new BundleRenderError(`helm.chart ${JSON.stringify(chart)}: the bundle has no Chart.yaml there`);
  return found;
}

function kustomizeDirOf(files: Files, dir: string | undefined): string | undefined {
  const folder = dir === undefined ? '' : normalizePath(dir);
  if (folder === undefined) throw new BundleRenderError(`kustomize.dir ${JSON.stringify(dir)}: leaves the bundle`);
  const found = KUSTOMIZATIONS.some((name) => files.has(folder === '' ? name : `${folder}/${name}`));
  if (!found && dir) throw new BundleRenderError(`kustomize.dir ${JSON.stringify(dir)}: the bundle has no kustomization.yaml there`);
  return found ? folder : undefined;
}

function subtree(files: Files, dir: string): Files {
  if (dir === '') return files;
  return new Map([...files].filter(([path]) => isWithin(dir, path)).map(([path, bytes]) => [path.slice(dir.length + 1), bytes]));
}

function render(chart: Chart, input: BundleRenderInput): RenderedChart {
  const { release, options, lookup, crypto, kubeVersion, apiVersions } = input;
  return renderChart(chart, {
    release: { ...release, isInstall: !release.isUpgrade },
    values: options.values ?? {},
    capabilities: { ...(kubeVersion ? { kubeVersion } : {}), ...(apiVersions ? { apiVersions } : {}) },
    random: input.random,
    nowMs: input.nowMs,
    ...(lookup ? { lookup } : {}),
    ...(crypto ? { crypto } : {}),
    ...(options.skipSchemaValidation ? { skipSchemaValidation: true } : {}),
  });
}

interface ObjectSource {
  files: Files;
  input: BundleRenderInput;
  kustomizeDir: string | undefined;
  rendered: RenderedChart | undefined;
}

function objectsOf({ files, input, kustomizeDir, rendered }: ObjectSource): Unstructured[] {
  const fromChart = rendered?.manifests.map(({ object }) => object as Unstructured);
  if (kustomizeDir !== undefined) {
    const dir = kustomizeDir === '' ? '.' : kustomizeDir;
    return (fromChart ? postRender(files, dir, fromChart) : buildKustomization(files, dir, 'fifo')) as Unstructured[];
  }
  return fromChart ?? rawObjects(files, input.options.overlays ?? []);
}

/** Nested folders that are bundles or charts of their own do not belong to this one. */
function rawObjects(files: Files, overlays: readonly string[]): Unstructured[] {
  const foreign = [...files.keys()].filter((path) => dirName(path) !== '' && (CONFIG_FILES.has(baseName(path)) || baseName(path) === 'Chart.yaml')).map(dirName);
  const laid = applyOverlays(files, overlays);
  const paths = [...laid.keys()].filter((path) => /\.ya?ml$/.test(path) && !CONFIG_FILES.has(baseName(path)) && !foreign.some((dir) => isWithin(dir, path)));
  return paths.sort().flatMap((path) => parseDocuments(utf8Text(laid.get(path) as Uint8Array), { file: path }).flatMap(({ value, line }) => flattenList(value, `${path}:${line}`)));
}

function flattenList(value: unknown, where: string): Unstructured[] {
  if (value === null || value === undefined) return [];
  if (!isRecord(value)) throw new BundleRenderError(`${where}: is not a Kubernetes object but ${Array.isArray(value) ? 'a list' : 'a plain value'}`);
  if (Object.keys(value).length === 0) return [];
  if (typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') throw new BundleRenderError(`${where}: has no apiVersion or no kind`);
  if (value.kind === 'List' && Array.isArray(value.items)) return value.items.flatMap((item, index) => flattenList(item, `${where} (item ${index})`));
  return [value as Unstructured];
}

function madeUpChart(input: BundleRenderInput): RenderedBundle['chart'] {
  const digest = sha256Hex([...input.files].map(([path, bytes]) => `${path}\0${sha256Hex(bytes)}`).join('\n'));
  return { apiVersion: 'v2', name: input.release.name, version: `v0.0.0+s-${digest}`.slice(0, 63), type: 'application' };
}

function markObject(object: Unstructured, input: BundleRenderInput): Unstructured {
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const subject = `${object.kind}/${String(metadata.name ?? '')}`;
  const namespace = namespaceOf({ object, current: metadata.namespace as string | undefined, subject, input });
  const { namespace: _dropped, ...rest } = metadata;
  return {
    ...object,
    metadata: {
      ...rest,
      ...(namespace ? { namespace } : {}),
      labels: { ...(metadata.labels as object | undefined), ...input.labels, 'objectset.rio.cattle.io/hash': setHash(input.setID) },
      annotations: { ...(metadata.annotations as object | undefined), ...input.annotations, 'objectset.rio.cattle.io/id': input.setID },
    },
  };
}

/** Value of the label that all objects of one set share. Source: wrangler's object sets. */
export function setHash(setID: string): string {
  return sha1Hex(setID);
}

interface Placement {
  object: Unstructured;
  current: string | undefined;
  subject: string;
  input: BundleRenderInput;
}

function namespaceOf({ object, current, subject, input }: Placement): string | undefined {
  const namespaced = input.isNamespaced(object.apiVersion ?? '', object.kind ?? '');
  if (namespaced === false) {
    if (!input.options.forceNamespace) return undefined;
    throw new BundleRenderError(`${subject}: is cluster-scoped, but the bundle forces namespace ${JSON.stringify(input.release.namespace)}; use defaultNamespace instead of namespace`);
  }
  if (namespaced === undefined && !input.options.forceNamespace) return current; // a kind this bundle's CRDs may define
  return input.options.forceNamespace ? input.release.namespace : (current ?? input.release.namespace);
}
