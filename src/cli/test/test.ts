/**
 * `fleet test [-l key=value]… [DIR]`: matches the bundle in a folder (or in a Bundle file, `-b`) with a
 * made-up cluster and prints the objects that cluster would get. Flags are Fleet's (facts §5.1).
 *
 * Absent: a cluster. Kinds are not looked up, so a forced namespace is set on every object, as Fleet's
 * command does; hooks and CRDs of charts are not part of a release's manifest and are not printed.
 */
import { FLEET_API_VERSION, type Bundle, type BundleDeploymentOptions, type BundleTarget, type Cluster } from '#api/fleet';
import { seededRandom } from '#base/random';
import { isRecord } from '#base/json';
import { buildBundles, chartFolder, decodeResource, limitName, safeConcatName } from '#core/bundle';
import { expandValues, matcherOf, mergeOptions } from '#core/target';
import { renderBundle } from '#render/bundle';
import { dumpYaml, parseYaml } from '#render/rawyaml';
import { readArguments, UsageError, type Arguments, type FileHost, type FlagSpec } from '../apply/index.ts';

const USAGE = 'fleet test [-l key=value]… [-N cluster] [-g group] [-L key=value]… [-t target] [-b bundle.yaml] [-q] [DIR]';

const FLAGS: FlagSpec = {
  'bundle-file': { type: 'string', short: 'b' },
  file: { type: 'string', short: 'f' },
  quiet: { type: 'boolean', short: 'q' },
  group: { type: 'string', short: 'g' },
  name: { type: 'string', short: 'N' },
  label: { type: 'string', short: 'l', multiple: true },
  'group-label': { type: 'string', short: 'L', multiple: true },
  target: { type: 'string', short: 't' },
  debug: { type: 'boolean' },
};

/** The name a bundle from a folder gets here, unless its fleet.yaml has one. */
const BUNDLE_NAME = 'test';
const RELEASE_NAME_MAX = 53;

/** Runs the command; the result is the exit code. Throws a {@link UsageError}, or an `Error` that says why it cannot be rendered. */
export function runTest(args: readonly string[], host: FileHost): number {
  const parsed = readArguments(args, FLAGS, USAGE);
  if (parsed.positionals.length > 1) throw new UsageError(`one folder at most\nusage: ${USAGE}`);
  const bundle = readBundle(parsed, host);
  const target = findTarget(bundle, parsed);
  if (!target) {
    host.warn('no match found\n');
    return 1;
  }
  host.warn(`# Matched: ${target.name ?? ''}\n`);
  if (!parsed.flag('quiet')) host.print(render(bundle, target, parsed, host));
  return 0;
}

function readBundle(parsed: Arguments, host: FileHost): Bundle {
  const bundleFile = parsed.text('bundle-file');
  if (bundleFile !== undefined) return asBundle(parseYaml(host.readFile(bundleFile)), bundleFile);
  const base = parsed.positionals[0] ?? '.';
  const options = parsed.text('file');
  const tools = { parseYaml: (text: string) => parseYaml(text), gzip: (bytes: Uint8Array) => host.gzip(bytes) };
  const common = { repoName: BUNDLE_NAME, namespace: 'fleet-local', keepConfigFiles: true };
  const { bundles, errors } = buildBundles(host.readTree(base), { ...common, ...(options ? { bundles: [{ base: '.', options }] } : { paths: ['.'] }) }, tools);
  const own = bundles.find(({ path }) => path === '');
  if (own) {
    const named = own.bundle.metadata.name ?? '';
    return { ...own.bundle, metadata: { ...own.bundle.metadata, name: options ? BUNDLE_NAME : named } };
  }
  const [error] = errors;
  if (error) throw new Error(`${error.file}${error.line === undefined ? '' : `:${error.line}`}: ${error.message}`);
  throw new Error(`${base}: holds no bundle of its own: choose one of ${bundles.map(({ path }) => path).join(', ')}`);
}

function asBundle(value: unknown, file: string): Bundle {
  if (isRecord(value) && isRecord(value.spec) && isRecord(value.metadata)) return { ...value, metadata: value.metadata, spec: value.spec };
  throw new Error(`${file}: is no Bundle: print one with "fleet apply -o"`);
}

/** Without any criterion the cluster group `default` is meant, which is what a bundle without targets aims at. */
function findTarget(bundle: Bundle, parsed: Arguments): BundleTarget | undefined {
  const matcher = matcherOf(bundle.spec);
  const wanted = parsed.text('target');
  if (wanted !== undefined) return matcher.named(wanted);
  const labels = parsed.pairs('label');
  const groupLabels = parsed.pairs('group-label');
  const unspecified = parsed.text('group') === undefined && Object.keys(labels).length === 0 && Object.keys(groupLabels).length === 0;
  const group = parsed.text('group') ?? (unspecified ? 'default' : '');
  const subject = { name: parsed.text('name') ?? '', labels, groups: [{ name: group, labels: groupLabels }] };
  const plain = matcher.target(subject);
  if (!plain) return undefined;
  const customized = matcher.customizations(subject);
  if (bundle.spec.targetCustomizationMode !== 'AllMatches') return customized[0] ?? plain;
  return customized.reduce<BundleTarget>((merged, customization) => ({ ...mergeOptions(merged, customization), name: customization.name ?? merged.name ?? '' }), plain);
}

function render(bundle: Bundle, target: BundleTarget, parsed: Arguments, host: FileHost): string {
  const name = bundle.metadata.name ?? BUNDLE_NAME;
  const merged = mergeOptions(bundle.spec, target);
  const cluster: Cluster = { apiVersion: FLEET_API_VERSION, kind: 'Cluster', metadata: { name: parsed.text('name') ?? '', namespace: bundle.metadata.namespace ?? '', labels: parsed.pairs('label') }, spec: {} };
  const helm = expandValues(merged.helm, cluster, host.templates);
  const options: BundleDeploymentOptions = { ...merged, ...(helm ? { helm } : {}) };
  const files = new Map((bundle.spec.resources ?? []).map((resource) => [resource.name ?? '', decodeResource(resource, (bytes) => host.gunzip(bytes))]));
  const fetched = chartFolder(files, options.helm);
  const { objects } = renderBundle({
    files,
    options: {
      ...(options.helm?.chart ? { chart: options.helm.chart } : {}),
      ...(fetched ? { chartKey: fetched } : {}),
      ...(options.helm?.values ? { values: options.helm.values } : {}),
      ...(options.helm?.skipSchemaValidation ? { skipSchemaValidation: true } : {}),
      ...(options.kustomize?.dir ? { kustomizeDir: options.kustomize.dir } : {}),
      ...(options.yaml?.overlays ? { overlays: options.yaml.overlays } : {}),
      forceNamespace: Boolean(options.namespace),
    },
    release: { name: limitName(options.helm?.releaseName || name, RELEASE_NAME_MAX), namespace: options.namespace || options.defaultNamespace || 'default', revision: 1, isUpgrade: false },
    setID: safeConcatName('', name),
    isNamespaced: () => undefined,
    random: seededRandom(host.nowMs),
    nowMs: host.nowMs,
  });
  return objects.map((object) => dumpYaml(object)).join('\n---\n');
}
