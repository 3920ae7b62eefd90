/**
 * What a chart is and what rendering one yields, as plain data. Field names are Helm's where a user knows
 * them from Chart.yaml; the rest says what it means.
 */
import type { Random } from '#base/random';
import type { RenderCrypto, RenderLimits } from '#render/gotemplate';

export type ChartFiles = ReadonlyMap<string, Uint8Array>;
export type Values = Record<string, unknown>;

export interface ChartDependency {
  name: string;
  version?: string;
  repository?: string;
  condition?: string;
  tags?: readonly string[];
  enabled?: boolean;
  'import-values'?: readonly unknown[];
  alias?: string;
}

export interface ChartMaintainer {
  name?: string;
  email?: string;
  url?: string;
}

/** Chart.yaml, with the fields Helm knows. */
export interface ChartMetadata {
  name: string;
  version: string;
  apiVersion: string;
  home?: string;
  sources?: readonly string[];
  description?: string;
  keywords?: readonly string[];
  maintainers?: readonly ChartMaintainer[];
  icon?: string;
  condition?: string;
  tags?: string;
  appVersion?: string;
  deprecated?: boolean;
  annotations?: Readonly<Record<string, string>>;
  kubeVersion?: string;
  dependencies?: readonly ChartDependency[];
  type?: string;
}

/** A chart in memory. Paths are relative to the chart's own root, with `/`. */
export interface Chart {
  metadata: ChartMetadata;
  /** Files below `templates/`. */
  templates: ChartFiles;
  /** values.yaml, parsed. */
  values: Values;
  /** The text of values.schema.json. */
  schema: string | undefined;
  /** Every other file, for `.Files`; `crds/` included. */
  files: ChartFiles;
  /** Subcharts as they lie in `charts/`, before conditions and aliases. */
  subcharts: readonly Chart[];
}

export interface ReleaseOptions {
  name: string;
  /** Default `default`. */
  namespace?: string;
  /** Default 1. */
  revision?: number;
  /** Default: the opposite of `isUpgrade`. */
  isInstall?: boolean;
  isUpgrade?: boolean;
  /** Default `Helm`. */
  service?: string;
}

export interface CapabilitiesOptions {
  /** `v1.35.0`; default {@link DEFAULT_KUBE_VERSION}. */
  kubeVersion?: string;
  /** Group-versions and group-version-kinds; default: those Helm assumes without a cluster, plus none. */
  apiVersions?: readonly string[];
  /** Added to the default set instead of replacing it (`--api-versions`). */
  extraApiVersions?: readonly string[];
}

/** Helm's `lookup`: an object, a list object when `name` is empty, or `{}` when there is nothing. */
export type Lookup = (apiVersion: string, kind: string, namespace: string, name: string) => unknown;

export interface RenderChartOptions {
  release: ReleaseOptions;
  /** The user's values; those of the chart are merged below them. */
  values?: Values;
  capabilities?: CapabilitiesOptions;
  /** Default: finds nothing, as `helm template` does. */
  lookup?: Lookup;
  /** For randAlphaNum, uuidv4, shuffle. A seeded source makes a render repeatable. */
  random: Random;
  /** Wall time in milliseconds, for `now`, ages and certificates. */
  nowMs: number;
  /** Certificates, bcrypt, encryption. Without it those functions fail with an error that says so. */
  crypto?: RenderCrypto;
  limits?: Partial<RenderLimits>;
  /** Skip the check against values.schema.json. */
  skipSchemaValidation?: boolean;
}

export interface RenderedManifest {
  /** `chart/templates/file.yaml`, as Helm's `# Source:` comment has it. */
  source: string;
  /** The document's text, without separator and comment. */
  text: string;
  object: Record<string, unknown>;
}

export type HookEvent =
  | 'pre-install'
  | 'post-install'
  | 'pre-delete'
  | 'post-delete'
  | 'pre-upgrade'
  | 'post-upgrade'
  | 'pre-rollback'
  | 'post-rollback'
  | 'test';

export interface RenderedHook {
  name: string;
  kind: string;
  /** Same form as {@link RenderedManifest.source}. */
  path: string;
  events: readonly HookEvent[];
  weight: number;
  deletePolicies: readonly string[];
  outputLogPolicies: readonly string[];
  text: string;
  object: Record<string, unknown>;
}

export interface RenderedCrd {
  /** `crds/name.yaml` with the subchart's path before it. */
  source: string;
  text: string;
  objects: readonly Record<string, unknown>[];
}

export interface RenderedChart {
  /** In the order of installation. */
  manifests: readonly RenderedManifest[];
  /** In Helm's order of kinds; {@link hooksFor} sorts those of one event for execution. */
  hooks: readonly RenderedHook[];
  notes: string;
  crds: readonly RenderedCrd[];
  /** The coalesced values the templates saw. */
  values: Values;
  warnings: readonly string[];
}
