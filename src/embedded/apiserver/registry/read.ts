/**
 * Get and list. Both read memory: nothing here waits for a disk. A list is a snapshot at one revision; its
 * continue token carries that revision, so that all pages show one state.
 * Rule: Kubernetes API concepts, "Resource versions" and "Retrieving large results sets in chunks".
 */
import { StatusError, type Status } from '#apimachinery/status';
import { matchesFields, type FieldRequirement } from '#apimachinery/fields';
import { matchesRequirement, type Requirement } from '#apimachinery/labels';
import { CompactedError, type Entry } from '#embedded/storage';
import { badRequest, notFound } from '../errors.ts';
import { attributesOf, type Attributes } from './codec.ts';
import { storageKey, type Deps, type ObjectRef } from './deps.ts';
import type { ResourceType } from './types.ts';

export interface Selection {
  labels: readonly Requirement[];
  fields: readonly FieldRequirement[];
}

export interface ListOptions extends Selection {
  /** Absent: all namespaces (or cluster scope). */
  namespace?: string;
  limit: number;
  continue: string;
  /** `''`: the newest state. */
  resourceVersion: string;
  match: string;
}

export interface ListPage {
  entries: Entry[];
  revision: number;
  continue?: string;
  remaining?: number;
}

export function getEntry(deps: Pick<Deps, 'storage'>, type: ResourceType, ref: ObjectRef, resourceVersion = ''): Entry {
  checkNotFuture(deps, resourceVersion);
  const entry = deps.storage.get(type.collection, storageKey(type, ref));
  if (!entry) throw notFound(type, ref.name);
  return entry;
}

export function selects(selection: Selection, { labels, fields }: Attributes): boolean {
  return (
    selection.labels.every((requirement) => matchesRequirement(requirement, labels)) &&
    (selection.fields.length === 0 || matchesFields([...selection.fields], (field) => fields[field]))
  );
}

export function listEntries(deps: Pick<Deps, 'storage'>, type: ResourceType, options: ListOptions): ListPage {
  const prefix = options.namespace ? `${options.namespace}/` : '';
  const position = options.continue ? parseContinue(options) : undefined;
  checkNotFuture(deps, options.resourceVersion);
  const exact = position ? position.revision : exactRevision(options);
  const newest = deps.storage.revision;
  if (exact !== undefined && exact > newest) throw futureVersion(exact, newest);
  const revision = exact ?? newest;
  const after = position ? { after: prefix + position.after } : {};
  const all = readRange(deps, type, { prefix, ...after, revision }, position);
  const selected = options.labels.length + options.fields.length > 0 ? all.filter((entry) => selects(options, attributesOf(entry, type))) : all;
  if (options.limit <= 0 || selected.length <= options.limit) return { entries: selected, revision };
  const entries = selected.slice(0, options.limit);
  const last = (entries.at(-1) as Entry).key.slice(prefix.length);
  const page: ListPage = { entries, revision, continue: formatContinue(revision, last) };
  if (selected === all) page.remaining = all.length - entries.length;
  return page;
}

/** The revision a list is pinned to, or undefined for the newest. */
function exactRevision({ resourceVersion, match, limit }: ListOptions): number | undefined {
  if (resourceVersion === '' || resourceVersion === '0' || match === 'NotOlderThan') return undefined;
  return match === 'Exact' || limit > 0 ? Number(resourceVersion) : undefined;
}

function readRange(deps: Pick<Deps, 'storage'>, type: ResourceType, range: { prefix: string; after?: string; revision: number }, position: Position | undefined): Entry[] {
  try {
    return deps.storage.list(type.collection, range);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (!position) throw new StatusError(410, 'Expired', 'The resourceVersion for the provided list is too old.');
    throw new ExpiredContinue(formatContinue(deps.storage.revision, position.after));
  }
}

/** 410 for a continue token, with another one that goes on from the newest state. */
class ExpiredContinue extends StatusError {
  readonly #token: string;

  constructor(token: string) {
    super(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
        'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
        'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted ' +
        'between the time the first chunk was returned and now may show up in the list.',
    );
    this.#token = token;
  }

  override toStatus(): Status {
    return { ...super.toStatus(), metadata: { continue: this.#token } };
  }
}

interface Position {
  revision: number;
  after: string;
}

const TOKEN_VERSION = 'meta.k8s.io/v1';

function formatContinue(revision: number, last: string): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: revision, start: `${last}\u0000` })).toString('base64url');
}

function parseContinue({ continue: token, resourceVersion }: ListOptions): Position {
  if (resourceVersion !== '' && resourceVersion !== '0') throw badRequest('specifying resource version is not allowed when using continue');
  const refuse = (why: string) => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  const bad = /[^A-Za-z0-9_=-]/.exec(token.replace(/=+$/, ''));
  if (bad) throw refuse(`illegal base64 data at input byte ${bad.index}`);
  const text = Buffer.from(token, 'base64url').toString('utf8');
  let parsed: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    throw refuse(text === '' ? 'unexpected end of JSON input' : `invalid character '${String.fromCodePoint(text.codePointAt(0) ?? 0)}' looking for beginning of value`);
  }
  const { v, rv, start } = parsed ?? {};
  if (v !== TOKEN_VERSION) throw badRequest(`invalid continue token: continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v ?? '')}`);
  if (typeof rv !== 'number' || rv === 0) throw badRequest('invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') throw badRequest('invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}

export function checkNotFuture({ storage }: Pick<Deps, 'storage'>, resourceVersion: string): void {
  const asked = Number(resourceVersion || 0);
  if (asked > storage.revision) throw futureVersion(asked, storage.revision);
}

function futureVersion(asked: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
