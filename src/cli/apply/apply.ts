/**
 * `fleet apply -o FILE NAME [PATH…]`: prints the Bundles that a folder makes, as the git job would create
 * them. Flags and their meaning are Fleet's (facts §5.1).
 *
 * Absent: writing to a cluster, which the GitRepo controller does.
 */
import type { BundleTarget, CorrectDrift, GitTarget } from '#api/fleet';
import { isRecord } from '#base/json';
import { buildBundles, type BuildOptions, type BundleError } from '#core/bundle';
import { dumpYaml, parseYaml } from '#render/rawyaml';
import { readArguments, UsageError, type Arguments, type FlagSpec } from './arguments.ts';
import { bundleYaml } from './bundle-yaml.ts';
import type { FileHost } from './host.ts';

const USAGE = 'fleet apply -o FILE|- [flags] BUNDLE_NAME [PATH…]';

const FLAGS: FlagSpec = {
  output: { type: 'string', short: 'o' },
  namespace: { type: 'string', short: 'n' },
  label: { type: 'string', short: 'l', multiple: true },
  file: { type: 'string', short: 'f' },
  'bundle-file': { type: 'string', short: 'b' },
  'targets-file': { type: 'string' },
  compress: { type: 'boolean', short: 'c' },
  'service-account': { type: 'string', short: 'a' },
  'sync-generation': { type: 'string' },
  'target-namespace': { type: 'string' },
  paused: { type: 'boolean' },
  commit: { type: 'string' },
  'keep-resources': { type: 'boolean' },
  'delete-namespace': { type: 'boolean' },
  'correct-drift': { type: 'boolean' },
  'correct-drift-force': { type: 'boolean' },
  'correct-drift-keep-fail-history': { type: 'boolean' },
  'driven-scan': { type: 'boolean' },
  'driven-scan-sep': { type: 'string' },
  'imagescan-enabled': { type: 'boolean' },
  debug: { type: 'boolean' },
  kubeconfig: { type: 'string', short: 'k' },
};

/** Where Bundles of the command line live unless said otherwise. */
const NAMESPACE_DEFAULT = 'fleet-local';

/** Runs the command; the result is the exit code. Throws a {@link UsageError}. */
export function runApply(args: readonly string[], host: FileHost): number {
  const parsed = readArguments(args, FLAGS, USAGE);
  const [repoName, ...paths] = parsed.positionals;
  const output = parsed.text('output');
  if (repoName === undefined) throw new UsageError(`the name of the bundle is missing\nusage: ${USAGE}`);
  if (output === undefined) throw new UsageError(`-o is missing: "-o -" prints the Bundles; to write them to a cluster create a GitRepo\nusage: ${USAGE}`);
  const tools = { parseYaml: (text: string) => parseYaml(text), gzip: (bytes: Uint8Array) => host.gzip(bytes) };
  const { bundles, errors } = buildBundles(host.readTree('.'), buildOptions(parsed, repoName, paths, host), tools);
  const objects = bundles.flatMap(({ bundle, imageScans }) => [bundleYaml(bundle), ...(parsed.flag('imagescan-enabled') ? imageScans.map((scan) => dumpYaml(scan)) : [])]);
  const text = objects.join('---\n');
  if (output === '-') host.print(text);
  else host.writeFile(output, text);
  for (const error of errors) host.warn(`${errorLine(error)}\n`);
  return errors.length > 0 ? 1 : 0;
}

function errorLine({ file, line, message }: BundleError): string {
  return `${[file, line].filter((part) => part !== undefined && part !== '').join(':')}: ${message}`;
}

function buildOptions(parsed: Arguments, repoName: string, paths: readonly string[], host: FileHost): BuildOptions {
  const commit = parsed.text('commit') ?? host.env.COMMIT;
  const bundleFile = parsed.text('bundle-file') ?? parsed.text('file');
  const targetsFile = parsed.text('targets-file');
  const generation = Number(parsed.text('sync-generation') ?? 0);
  const targetNamespace = parsed.text('target-namespace');
  const serviceAccount = parsed.text('service-account');
  return {
    repoName,
    namespace: parsed.text('namespace') ?? host.env.NAMESPACE ?? NAMESPACE_DEFAULT,
    labels: parsed.pairs('label'),
    keepConfigFiles: true,
    ...(commit ? { commit } : {}),
    ...sitesOf(parsed, paths, bundleFile),
    ...(targetsFile ? { targets: readTargets(host, targetsFile) } : {}),
    ...(targetNamespace ? { targetNamespace } : {}),
    ...(serviceAccount ? { serviceAccount } : {}),
    ...(generation > 0 ? { forceSyncGeneration: generation } : {}),
    ...driftOf(parsed),
    compress: parsed.flag('compress'),
    paused: parsed.flag('paused'),
    keepResources: parsed.flag('keep-resources'),
    deleteNamespace: parsed.flag('delete-namespace'),
  };
}

function driftOf(parsed: Arguments): { correctDrift?: CorrectDrift } {
  if (!parsed.flag('correct-drift')) return {};
  return { correctDrift: { enabled: true, force: parsed.flag('correct-drift-force'), keepFailHistory: parsed.flag('correct-drift-keep-fail-history') } };
}

function sitesOf(parsed: Arguments, paths: readonly string[], bundleFile: string | undefined): Pick<BuildOptions, 'paths' | 'bundles'> {
  const separator = parsed.text('driven-scan-sep') ?? ':';
  if (parsed.flag('driven-scan')) {
    return { bundles: paths.map((path) => ({ base: path.split(separator)[0] ?? '', options: path.split(separator)[1] ?? '' })) };
  }
  if (bundleFile) return { bundles: (paths.length > 0 ? paths : ['.']).map((base) => ({ base, options: bundleFile })) };
  return { paths };
}

/** The targets of a GitRepo as the git job hands them over: YAML with `targets` and `targetRestrictions`. */
function readTargets(host: FileHost, path: string): GitTarget[] {
  const value = parseYaml(host.readFile(path));
  const targets = isRecord(value) && Array.isArray(value.targets) ? (value.targets as BundleTarget[]) : [];
  return targets.map(({ name, clusterName, clusterSelector, clusterGroup, clusterGroupSelector }) => ({
    ...(name ? { name } : {}),
    ...(clusterName ? { clusterName } : {}),
    ...(clusterSelector ? { clusterSelector } : {}),
    ...(clusterGroup ? { clusterGroup } : {}),
    ...(clusterGroupSelector ? { clusterGroupSelector } : {}),
  }));
}
