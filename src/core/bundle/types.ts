/** What goes into building bundles and what comes out. Plain data; the tools are pure functions passed in. */
import type { SourceTree } from '#base/sourcetree';
import type { Bundle, CorrectDrift, GitTarget, ImageScan } from '#api/fleet';

/** Whose bundles these are and what the GitRepo (or the command line) imposes on all of them. */
export interface BuildOptions {
  /** Name of the GitRepo, or the name given on the command line: first part of every bundle name. */
  repoName: string;
  namespace: string;
  /** Written as label `fleet.cattle.io/commit`. */
  commit?: string;
  /** Globs of folders; absent or empty means the root. */
  paths?: readonly string[];
  /** Driven scan; when not empty it replaces walking `paths`. */
  bundles?: readonly { base?: string; options?: string }[];
  /**
   * Targets of the GitRepo. Absent (command line): none are added. Empty (a GitRepo without targets):
   * the cluster group `default`, as Fleet does.
   */
  targets?: readonly GitTarget[];
  labels?: Readonly<Record<string, string>>;
  targetNamespace?: string;
  serviceAccount?: string;
  paused?: boolean;
  keepResources?: boolean;
  deleteNamespace?: boolean;
  correctDrift?: CorrectDrift;
  forceSyncGeneration?: number;
  /** Encode every resource, whatever the size. */
  compress?: boolean;
  /** Keep fleet.yaml and values files among the resources, as `fleet apply -o` of the golden files did. */
  keepConfigFiles?: boolean;
  /** Files of remote charts by {@link ChartReference.key}, fetched beforehand (see `requiredCharts`). */
  charts?: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
}

export interface BundleTools {
  /** YAML with Go's semantics; throws an `Error`, with `line` (1-based) when it knows it. `''` gives undefined or null. */
  parseYaml(text: string): unknown;
  /** Deterministic gzip: equal input, equal output. */
  gzip(bytes: Uint8Array): Uint8Array;
}

/** A chart that is not in the tree and has to be fetched before the bundle can be built. */
export interface ChartReference {
  /** `.chart/<sha256 of chart:repo:version>`: folder in the bundle and key of {@link BuildOptions.charts}. */
  key: string;
  chart: string;
  repo: string;
  version: string;
  /** The bundle's folder, for credentials by path. */
  path: string;
}

export interface BuiltBundle {
  /** Folder in the tree, `''` for the root. */
  path: string;
  bundle: Bundle;
  imageScans: ImageScan[];
}

/** Why one bundle could not be built. The others are not affected. */
export interface BundleError {
  /** The bundle's folder; `''` also when the fault concerns all (a malformed glob, a GitRepo's target). */
  path: string;
  /** The file at fault, relative to the tree. */
  file: string;
  /** 1-based; absent when the fault has no place. */
  line?: number;
  /** What is wrong and what to do; without file and line. */
  message: string;
}

export interface BuildResult {
  bundles: BuiltBundle[];
  errors: BundleError[];
}

export type { SourceTree };
