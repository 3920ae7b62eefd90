/**
 * Built bundles → Bundle objects: creates, updates what differs, prunes what the repository no longer has.
 * Values go into a Secret of the Bundle's name before the Bundle names their hash. A bundle that could not
 * be built keeps what is deployed. Every step may be repeated; an equal commit writes nothing.
 */
import { type Secret, secrets } from '#api/builtin';
import { annotation, type Bundle, bundles, FLEET_API_VERSION, label, secretType } from '#api/fleet';
import { keyOf, keyText } from '#apimachinery/meta';
import { ignoreNotFound, isNotFound } from '#apimachinery/status';
import { base64Encode } from '#base/hash';
import { deepEqual } from '#base/json';
import { isWithin } from '#base/sourcetree';
import { type BuildResult, type BuiltBundle, type BundleError, extractValues } from '#core/bundle';
import { onlyOver } from '#kube/apply';
import type { Informer } from '#kube/cache';
import { TerminalError } from '#kube/controller';
import type { LeaderClient } from '#kube/leaderelection';

const MANAGER = 'gitjob';

/** Annotation: the folder a bundle was built from, so that a broken folder does not prune its bundle. */
export const BUNDLE_PATH = 'fleet.cattle.io/bundle-path';

export interface WriteContext {
  client: LeaderClient;
  repoName: string;
  namespace: string;
  bundles: Informer<Bundle>;
}

export interface BundleChanges {
  created: string[];
  updated: string[];
  deleted: string[];
  /** Bundles that could not be written because their names belong to others. */
  refused: BundleError[];
}

export async function writeBundles(result: BuildResult, ctx: WriteContext): Promise<BundleChanges> {
  const changes: BundleChanges = { created: [], updated: [], deleted: [], refused: [] };
  for (const built of result.bundles) {
    try {
      await writeBundle(built, ctx, changes);
    } catch (error) {
      // A name that somebody else uses is this one bundle's fault; the others go on.
      if (!(error instanceof TerminalError)) throw error;
      changes.refused.push({ path: built.path, file: built.path || '.', message: error.message });
    }
  }
  const kept = new Set(result.bundles.map(({ bundle }) => bundle.metadata.name));
  for (const bundle of bundlesOf(ctx)) {
    if (kept.has(bundle.metadata.name) || isBroken(bundle, result)) continue;
    const { uid, resourceVersion } = bundle.metadata;
    await ctx.client.delete(bundles, keyOf(bundle), uid && resourceVersion ? { preconditions: { uid, resourceVersion } } : {}).catch(ignoreNotFound);
    changes.deleted.push(bundle.metadata.name ?? '');
  }
  return changes;
}

/** The Bundles that came from this repository. */
export function bundlesOf(ctx: Pick<WriteContext, 'bundles' | 'namespace' | 'repoName'>): Bundle[] {
  return ctx.bundles.list(ctx.namespace).filter(({ metadata }) => metadata.labels?.[label.repoName] === ctx.repoName);
}

function isBroken(bundle: Bundle, result: BuildResult): boolean {
  const path = bundle.metadata.annotations?.[BUNDLE_PATH];
  return result.errors.some((error) => path === undefined || isWithin(error.path, path));
}

async function writeBundle(built: BuiltBundle, ctx: WriteContext, changes: BundleChanges): Promise<void> {
  const { spec, data, hash } = extractValues(built.bundle.spec);
  const { name = '', labels = {} } = built.bundle.metadata;
  const key = { namespace: ctx.namespace, name };
  const existing = ctx.bundles.get(key);
  refuseForeign(existing, ctx);
  const annotations = { [BUNDLE_PATH]: built.path };
  const equal = existing && deepEqual(existing.spec, spec) && deepEqual(existing.metadata.labels ?? {}, labels) && existing.metadata.annotations?.[BUNDLE_PATH] === built.path;
  // Also beside an equal Bundle: the Secret may be that of a commit which was taken back before its Bundle was written.
  if (hash) await ensureValues(key, data, ctx);
  if (equal) return;
  const stamped = { ...existing?.metadata.annotations, ...annotations, [annotation.epoch]: String(ctx.client.term.epoch) };
  if (existing) {
    await ctx.client.update(bundles, { ...existing, metadata: { ...existing.metadata, labels, annotations: stamped }, spec }, { fieldManager: MANAGER });
    changes.updated.push(name);
  } else {
    const bundle: Bundle = { apiVersion: FLEET_API_VERSION, kind: 'Bundle', metadata: { ...key, labels, annotations: stamped }, spec };
    await ctx.client.create(bundles, bundle, { fieldManager: MANAGER });
    changes.created.push(name);
  }
}

/** A Bundle of somebody else, or one on its way out, is not ours to overwrite (facts/fleet.md §3.2.3). */
function refuseForeign(existing: Bundle | undefined, ctx: WriteContext): void {
  if (!existing) return;
  const subject = `Bundle/${keyText(keyOf(existing))}`;
  if (existing.metadata.deletionTimestamp) throw new Error(`${subject}: is being deleted; waiting for it to go`);
  const { labels } = existing.metadata;
  if (labels?.[label.helmOpName]) throw new TerminalError(`${subject}: belongs to HelmOp ${labels[label.helmOpName]}; give one of the two another name`);
  const owner = labels?.[label.repoName];
  if (owner !== ctx.repoName) throw new TerminalError(`${subject}: ${owner ? `belongs to GitRepo ${owner}` : 'was not made by a GitRepo'}; give one of the two another name`);
}

async function ensureValues(key: { namespace: string; name: string }, data: Readonly<Record<string, string>>, ctx: WriteContext): Promise<void> {
  const existing = await ctx.client.get(secrets, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const encoded = Object.fromEntries(Object.entries(data).map(([name, text]) => [name, base64Encode(text)]));
  if (existing && deepEqual(existing.data ?? {}, encoded)) return;
  const metadata = { ...key, labels: { [label.internalSecret]: 'true' } };
  const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: secretType.bundleValues, data: encoded };
  await ctx.client.apply(secrets, onlyOver(secret, existing), { fieldManager: MANAGER, force: true });
}
