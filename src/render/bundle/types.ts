/** What rendering a bundle for one cluster takes and gives. Plain data. */
import type { Unstructured } from '#apimachinery/meta';
import type { Random } from '#base/random';
import type { Lookup, RenderedCrd, RenderedHook, Values } from '#render/chart';
import type { RenderCrypto } from '#render/gotemplate';

export type Files = ReadonlyMap<string, Uint8Array>;

export interface BundleRenderOptions {
  /** `helm.chart`: a folder of the bundle, or what was fetched into {@link BundleRenderOptions.chartKey}. */
  chart?: string;
  /** Folder of a remote chart inside the bundle: `.chart/<sha256>`. */
  chartKey?: string;
  values?: Values;
  skipSchemaValidation?: boolean;
  kustomizeDir?: string;
  /** `yaml.overlays`. */
  overlays?: readonly string[];
  /** Forces every object into the release namespace; cluster-scoped objects are an error. */
  forceNamespace?: boolean;
}

export interface BundleRenderInput {
  files: Files;
  options: BundleRenderOptions;
  release: { name: string; namespace: string; revision: number; isUpgrade: boolean };
  /** Identifies the deployment on its objects: annotation `objectset.rio.cattle.io/id`. */
  setID: string;
  /** Labels and annotations for every object, besides those of the set. */
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  /** `v1.35.0` and the API versions served; for `.Capabilities`. */
  kubeVersion?: string;
  apiVersions?: readonly string[];
  /** Whether a kind lives in a namespace; undefined when the kind is not known. */
  isNamespaced(apiVersion: string, kind: string): boolean | undefined;
  lookup?: Lookup;
  random: Random;
  nowMs: number;
  crypto?: RenderCrypto;
}

export type BundleStyle = 'helm' | 'kustomize' | 'helm-kustomize' | 'raw';

export interface RenderedBundle {
  style: BundleStyle;
  /** Chart.yaml as data; a made-up one for bundles that are no chart. */
  chart: { name: string; version: string; apiVersion: string; [field: string]: unknown };
  /** Marked, namespaced, in the order the source gives them. */
  objects: Unstructured[];
  hooks: readonly RenderedHook[];
  crds: readonly RenderedCrd[];
  notes: string;
  /** Coalesced values. */
  values: Values;
}

/** The bundle cannot be rendered for this cluster; the message names file or object and what to do. */
export class BundleRenderError extends Error {
  override name = 'BundleRenderError';
}
