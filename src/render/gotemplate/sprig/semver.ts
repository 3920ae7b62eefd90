/**
 * Semantic versions and constraints as Masterminds/semver v3 reads them (Helm's kubeVersion, dependency
 * versions, Sprig's semver and semverCompare). npm's semver differs: `1.2` is a range here, prereleases
 * count only where the constraint names one in the same alternative.
 */
import { FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import { GoInt, GoStruct, int, type GoFunction } from '../value.ts';

export interface Version {
  major: bigint;
  minor: bigint;
  patch: bigint;
  prerelease: string;
  metadata: string;
  original: string;
}

const VERSION = /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** Missing minor and patch are 0, a leading v is dropped. `undefined` when it is no version. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const part = (index: number) => BigInt((match[index] ?? '0').replace('.', ''));
  const version = { major: part(1), minor: part(2), patch: part(3), prerelease: match[4] ?? '', metadata: match[5] ?? '', original: text };
  if (version.major > UINT64_MAX || version.minor > UINT64_MAX || version.patch > UINT64_MAX) return undefined;
  if (version.prerelease.split('.').some((id) => /^0[0-9]+$/.test(id))) return undefined;
  return version;
}

export function versionText(version: Version): string {
  return `${version.major}.${version.minor}.${version.patch}${version.prerelease ? `-${version.prerelease}` : ''}${version.metadata ? `+${version.metadata}` : ''}`;
}

export function compareVersions(a: Version, b: Version): number {
  for (const key of ['major', 'minor', 'patch'] as const) if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrerelease(a.prerelease.split('.'), b.prerelease.split('.'));
}

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i];
    const y = b[i];
    if (x === y) continue;
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    const numeric = [/^[0-9]+$/.test(x), /^[0-9]+$/.test(y)];
    if (numeric[0] && numeric[1]) return BigInt(x) < BigInt(y) ? -1 : 1;
    if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

interface Comparator {
  operator: string;
  version: Version;
  /** A part is missing or a wildcard. */
  dirty: boolean;
  minorDirty: boolean;
  patchDirty: boolean;
}

/** Alternatives (`||`) of comparators that must all hold. */
export type Constraint = readonly (readonly Comparator[])[];

const PART = '[0-9xX*]+';
const PATTERN = `v?(${PART})(\\.${PART})?(\\.${PART})?((?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?)((?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?)`;
const OPERATOR = '=>|=<|>=|<=|!=|~>|=|>|<|~|\\^|';
const ONE = new RegExp(`^\\s*(${OPERATOR})\\s*${PATTERN}\\s*$`);
const NEXT = new RegExp(`(${OPERATOR})\\s*(${PATTERN})`, 'g');
const WHOLE = new RegExp(`^(\\s*(${OPERATOR})\\s*(${PATTERN})\\s*)((?:\\s+|,\\s*)(${OPERATOR})\\s*(${PATTERN})\\s*)*$`);
const RANGE = new RegExp(`\\s*(${PATTERN})\\s+-\\s+(${PATTERN})\\s*`, 'g');

/** Throws {@link FunctionError} with Masterminds' words. */
export function parseConstraint(text: string): Constraint {
  const ranged = text.replace(RANGE, (all, ...groups: string[]) => `>=${groups[0]}, <=${groups[6]}` + (all.endsWith(' ') ? ' ' : ''));
  return ranged.split('||').map((alternative) => {
    if (!WHOLE.test(alternative)) throw new FunctionError(`improper constraint: ${text}`);
    return Array.from(alternative.matchAll(NEXT), (match) => comparator(match[0]));
  });
}

function comparator(text: string): Comparator {
  const match = ONE.exec(text);
  if (!match) throw new FunctionError(`improper constraint: ${text}`);
  const [, operator = '', major = '', minor, patch, prerelease = ''] = match;
  const wild = (part: string | undefined) => part === undefined || /^\.?[xX*]$/.test(part);
  let version = `${major}${minor ?? ''}${patch ?? ''}${prerelease}`;
  const flags = { dirty: false, minorDirty: false, patchDirty: false };
  if (wild(major)) {
    version = `0.0.0${prerelease}`;
    flags.dirty = true;
  } else if (wild(minor)) {
    version = `${major}.0.0${prerelease}`;
    flags.dirty = flags.minorDirty = true;
  } else if (wild(patch)) {
    version = `${major}${minor}.0${prerelease}`;
    flags.dirty = flags.patchDirty = true;
  }
  const parsed = parseVersion(version);
  if (!parsed) throw new FunctionError('constraint parser error');
  return { operator, version: parsed, ...flags };
}

export function satisfies(version: Version, constraint: Constraint): boolean {
  return constraint.some((group) => {
    const withPrerelease = group.some(({ version: wanted }) => wanted.prerelease !== '');
    if (version.prerelease !== '' && !withPrerelease) return false;
    return group.every((one) => holds(version, one));
  });
}

function holds(version: Version, one: Comparator): boolean {
  const order = compareVersions(version, one.version);
  switch (one.operator) {
    case '':
    case '=':
      return one.dirty ? tilde(version, one) : order === 0;
    case '!=':
      return notEqual(version, one);
    case '>':
      return greater(version, one);
    case '<':
      return order < 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<=':
    case '=<':
      return lessOrEqual(version, one);
    case '^':
      return caret(version, one);
    default:
      return tilde(version, one);
  }
}

function notEqual(version: Version, one: Comparator): boolean {
  if (!one.dirty) return compareVersions(version, one.version) !== 0;
  if (one.version.major !== version.major) return true;
  if (one.minorDirty) return false;
  if (one.version.minor !== version.minor) return true;
  if (!one.patchDirty) return one.version.patch !== version.patch;
  if (version.prerelease !== '' || one.version.prerelease !== '') return version.prerelease !== one.version.prerelease;
  return false;
}

function greater(version: Version, one: Comparator): boolean {
  if (!one.dirty) return compareVersions(version, one.version) > 0;
  if (version.major !== one.version.major) return version.major > one.version.major;
  if (one.minorDirty) return false;
  if (one.patchDirty) return version.minor > one.version.minor;
  return compareVersions(version, one.version) > 0;
}

function lessOrEqual(version: Version, one: Comparator): boolean {
  if (!one.dirty) return compareVersions(version, one.version) <= 0;
  if (version.major > one.version.major) return false;
  return !(version.major === one.version.major && version.minor > one.version.minor && !one.minorDirty);
}

function tilde(version: Version, one: Comparator): boolean {
  const { version: wanted } = one;
  if (compareVersions(version, wanted) < 0) return false;
  if (wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n && !one.minorDirty && !one.patchDirty) return true;
  if (version.major !== wanted.major) return false;
  return version.minor === wanted.minor || one.minorDirty;
}

function caret(version: Version, one: Comparator): boolean {
  const { version: wanted } = one;
  if (compareVersions(version, wanted) < 0) return false;
  if (wanted.major > 0n || one.minorDirty) return version.major === wanted.major;
  if (version.major > wanted.major) return false;
  if (wanted.minor > 0n || one.patchDirty) return version.minor === wanted.minor;
  if (version.minor > wanted.minor) return false;
  return version.patch === wanted.patch;
}

/** *semver.Version in a template. */
export class GoVersion extends GoStruct {
  readonly goType = '*semver.Version';
  readonly version: Version;

  constructor(version: Version) {
    super();
    this.version = version;
  }

  override text(): string {
    return versionText(this.version);
  }

  override json(): unknown {
    return versionText(this.version);
  }

  override method(name: string): GoFunction | undefined {
    const { version } = this;
    const number = (value: bigint) => fn([], () => new GoInt(value, 'uint64'));
    const against = (test: (order: number) => unknown) => fn(['*semver.Version'], (other: GoVersion) => test(compareVersions(version, other.version)));
    switch (name) {
      case 'Major':
        return number(version.major);
      case 'Minor':
        return number(version.minor);
      case 'Patch':
        return number(version.patch);
      case 'Prerelease':
        return fn([], () => version.prerelease);
      case 'Metadata':
        return fn([], () => version.metadata);
      case 'Original':
        return fn([], () => version.original);
      case 'String':
        return fn([], () => versionText(version));
      case 'Compare':
        return against((order) => int(order));
      case 'LessThan':
        return against((order) => order < 0);
      case 'GreaterThan':
        return against((order) => order > 0);
      case 'LessThanEqual':
        return against((order) => order <= 0);
      case 'GreaterThanEqual':
        return against((order) => order >= 0);
      case 'Equal':
        return against((order) => order === 0);
      default:
        return increments(version)[name];
    }
  }
}

function increments(version: Version): Readonly<Record<string, GoFunction>> {
  const next = (change: Partial<Version>) => fn([], () => new GoVersion({ ...version, prerelease: '', metadata: '', ...change }));
  return {
    IncMajor: next({ major: version.major + 1n, minor: 0n, patch: 0n }),
    IncMinor: next({ minor: version.minor + 1n, patch: 0n }),
    IncPatch: next(version.prerelease ? {} : { patch: version.patch + 1n }),
  };
}

function required(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new FunctionError('invalid semantic version');
  return version;
}

export const SEMVER_FUNCTIONS: FunctionTable = {
  semver: fn(['string'], (text: string) => new GoVersion(required(text))),
  semverCompare: fn(['string', 'string'], (constraint: string, version: string) => {
    const parsed = parseConstraint(constraint);
    return satisfies(required(version), parsed);
  }),
};
