/**
 * buildBundles: SourceTree → Bundles. Each bundle is built on its own, so that a mistake in one becomes
 * an error with file, line and reason, and every other one is built as if the mistake were not there.
 */
import { utf8Text } from '#base/hash';
import type { SourceTree } from '#base/sourcetree';
import { assemble, chartsOf } from './assemble.ts';
import { foldersOf, type Folders } from './folders.ts';
import { FileFault, parseFleetYaml, pathText, type FleetYaml } from './parse.ts';
import { scanTree, type BundleSite } from './scan.ts';
import type { BuildOptions, BuildResult, BuiltBundle, BundleError, BundleTools, ChartReference } from './types.ts';
import { validateFleetYaml, validateTargets } from './validate.ts';

/** Every bundle of the tree that can be built, and why the others cannot. Never throws for what the tree holds. */
export function buildBundles(tree: SourceTree, options: BuildOptions, tools: BundleTools): BuildResult {
  const refused = targetFaults(options);
  if (refused.length > 0) return { bundles: [], errors: refused };
  const folders = foldersOf(tree);
  const { sites, errors } = scanTree(tree, folders, options);
  const claims: Claim[] = [];
  for (const site of sites) {
    attempt(site, errors, () => {
      const built = assemble({ tree, folders, site, fleetYaml: fleetYamlOf(tree, site, tools), options, tools });
      if (built) claims.push({ site, built });
    });
  }
  const bundles = settleNames(claims, errors);
  if (bundles.length === 0 && errors.length === 0) errors.push(nothingFound(options));
  return { bundles, errors };
}

/** Charts the bundles need and the tree does not hold; faults are left to {@link buildBundles} to report. */
export function requiredCharts(tree: SourceTree, options: BuildOptions, tools: BundleTools): ChartReference[] {
  const folders: Folders = foldersOf(tree);
  const references: ChartReference[] = [];
  for (const site of scanTree(tree, folders, options).sites) {
    attempt(site, [], () => references.push(...chartsOf(tree, folders, site, fleetYamlOf(tree, site, tools))));
  }
  return references;
}

/** Targets that cannot be understood concern every bundle: nothing is built, and what is deployed stays. */
function targetFaults({ repoName, targets = [] }: BuildOptions): BundleError[] {
  const file = `GitRepo ${repoName}`;
  try {
    validateTargets(targets, (path, message) => new FileFault(file, undefined, `${pathText(path)}: ${message}`));
    return [];
  } catch (error) {
    return [{ path: '', file, message: (error as Error).message }];
  }
}

function nothingFound({ paths = [] }: BuildOptions): BundleError {
  const where = paths.length > 0 ? paths.join(', ') : '.';
  return { path: where, file: where, message: 'no resource found to deploy: correct spec.paths, or add manifests or a fleet.yaml there' };
}

function fleetYamlOf(tree: SourceTree, site: BundleSite, tools: BundleTools): FleetYaml {
  const bytes = site.file === undefined ? undefined : tree.files.get(site.file);
  if (site.file === undefined || !bytes) return {};
  const { fleetYaml, faultAt } = parseFleetYaml(site.file, utf8Text(bytes), (text) => tools.parseYaml(text));
  validateFleetYaml(fleetYaml, faultAt);
  return fleetYaml;
}

interface Claim {
  site: BundleSite;
  built: BuiltBundle;
}

/**
 * One bundle per name. A bundle whose name follows from its path keeps it against one that took the name
 * in its fleet.yaml, so that a mistake there does not push out a bundle that is right.
 */
function settleNames(claims: readonly Claim[], errors: BundleError[]): BuiltBundle[] {
  const owners = new Map<string, Claim>();
  const nameOf = ({ built }: Claim) => built.bundle.metadata.name ?? '';
  for (const claim of claims) {
    const owner = owners.get(nameOf(claim));
    if (!owner || (claim.site.name === nameOf(claim) && owner.site.name !== nameOf(claim))) owners.set(nameOf(claim), claim);
  }
  for (const claim of claims) {
    const owner = owners.get(nameOf(claim)) as Claim;
    if (owner === claim) continue;
    const message = `bundle name ${JSON.stringify(nameOf(claim))} is taken by ${JSON.stringify(owner.site.path || '.')}: give one of them another "name"`;
    errors.push({ path: claim.site.path, file: claim.site.file ?? claim.site.path, message });
  }
  return claims.filter((claim) => owners.get(nameOf(claim)) === claim).map(({ built }) => built);
}

function attempt(site: BundleSite, errors: BundleError[], work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof FileFault) errors.push({ path: site.path, file: error.file, ...(error.line === undefined ? {} : { line: error.line }), message: error.message });
    else errors.push({ path: site.path, file: site.file ?? site.path, message: error instanceof Error ? error.message : String(error) });
  }
}
