/**
 * The functions Kubernetes adds to CEL: lists, regular expressions, URLs, quantities, addresses, sets, formats.
 * Rule: kubernetes.io "Common Expression Language in Kubernetes". Registered on an environment once.
 */
import type { Environment } from '@marcbachmann/cel-js';
import { addQuantities, compareQuantities, formatQuantity, isQuantity, parseQuantity, quantityValue, subtractQuantities, type Quantity } from '../quantity/index.ts';
import { dns1035Label, dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../validation/index.ts';
import { hasFormat } from './formats.ts';
import { CidrValue, IpValue, parseCidr, parseIp } from './ip.ts';
import { compilePattern } from './pattern.ts';

class QuantityValue {
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}

class UrlValue {
  readonly url: URL;
  /** Host and port as written: the parser drops a scheme's usual port. */
  readonly authority: string;
  constructor(url: URL, text: string) {
    this.url = url;
    this.authority = /^[^:]+:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
  }
}

type Scalar = bigint | number | string | boolean | Date;
type Handler = (...args: never[]) => unknown;

/** `string.matches` of the engine backtracks; rules are rewritten to call this one (see cel.ts). */
export const SAFE_MATCHES = 'kubernetesMatches';

const MATCH_RESULTS_MAX = 10_000;

export function registerLibrary(env: Environment): Environment {
  const types: [string, new (...args: never[]) => unknown][] = [['kubernetes.Quantity', QuantityValue], ['kubernetes.URL', UrlValue], ['net.IP', IpValue], ['net.CIDR', CidrValue]];
  for (const [name, ctor] of types) env.registerType(name, ctor);
  env.registerOperator('kubernetes.Quantity == kubernetes.Quantity', (a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity) === 0);
  env.registerOperator('kubernetes.URL == kubernetes.URL', (a: UrlValue, b: UrlValue) => a.url.href === b.url.href);
  env.registerOperator('net.IP == net.IP', (a: IpValue, b: IpValue) => a.family === b.family && a.value === b.value);
  env.registerOperator('net.CIDR == net.CIDR', (a: CidrValue, b: CidrValue) => a.bits === b.bits && a.ip.family === b.ip.family && a.ip.value === b.ip.value);
  const functions = { ...LISTS, ...REGEX, ...URLS, ...QUANTITIES, ...ADDRESSES, ...SETS, ...STRINGS };
  for (const [signature, handler] of Object.entries(functions)) env.registerFunction(signature, handler as (...args: unknown[]) => unknown);
  return env;
}

const compare = (a: Scalar, b: Scalar): number => (a < b ? -1 : a > b ? 1 : 0);
const items = <T>(list: Iterable<T>): T[] => [...list];

function extreme(list: Iterable<Scalar>, sign: number, name: string): Scalar {
  const [first, ...rest] = items(list);
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best), first);
}

const LISTS: Record<string, Handler> = {
  'list.isSorted(): bool': (list: Iterable<Scalar>) => items(list).every((item, index, all) => index === 0 || compare(all[index - 1] as Scalar, item) <= 0),
  'list.sum(): dyn': (list: Iterable<bigint | number>) => {
    const [first, ...rest] = items(list);
    return first === undefined ? 0n : rest.reduce((sum, item) => (typeof sum === 'bigint' ? sum + BigInt(item) : sum + Number(item)), first);
  },
  'list.min(): dyn': (list: Iterable<Scalar>) => extreme(list, -1, 'min'),
  'list.max(): dyn': (list: Iterable<Scalar>) => extreme(list, 1, 'max'),
  'list.indexOf(dyn): int': (list: Iterable<unknown>, value: unknown) => BigInt(items(list).findIndex((item) => same(item, value))),
  'list.lastIndexOf(dyn): int': (list: Iterable<unknown>, value: unknown) => BigInt(items(list).findLastIndex((item) => same(item, value))),
};

/** Equality of CEL values. */
function same(a: unknown, b: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member));
  return a === b || (typeof a === typeof b && text(a) === text(b));
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const matcher = compilePattern(pattern).matcher(text);
  const found: string[] = [];
  while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

const REGEX: Record<string, Handler> = {
  [`string.${SAFE_MATCHES}(string): bool`]: (text: string, pattern: string) => compilePattern(pattern).matcher(text).find(),
  'string.find(string): string': (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? '',
  'string.findAll(string): list<string>': (text: string, pattern: string) => findAll(text, pattern, MATCH_RESULTS_MAX),
  'string.findAll(string, int): list<string>': (text: string, pattern: string, limit: bigint) => findAll(text, pattern, limit < 0n ? MATCH_RESULTS_MAX : Math.min(Number(limit), MATCH_RESULTS_MAX)),
};

/** Absolute URLs, and absolute paths. */
function parseUrl(text: string): URL | undefined {
  const absolute = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(text);
  if (!absolute && !text.startsWith('/')) return undefined;
  const full = absolute ? text : `path://none${text}`;
  return URL.canParse(full) ? new URL(full) : undefined;
}

const isPath = ({ url }: UrlValue): boolean => url.protocol === 'path:';

const URLS: Record<string, Handler> = {
  'url(string): kubernetes.URL': (text: string) => {
    const url = parseUrl(text);
    if (!url) throw new Error(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
    return new UrlValue(url, text);
  },
  'isURL(string): bool': (text: string) => parseUrl(text) !== undefined,
  'kubernetes.URL.getScheme(): string': (value: UrlValue) => (isPath(value) ? '' : value.url.protocol.slice(0, -1)),
  'kubernetes.URL.getHost(): string': (value: UrlValue) => value.authority,
  'kubernetes.URL.getHostname(): string': (value: UrlValue) => (isPath(value) ? '' : value.url.hostname.replace(/^\[|\]$/g, '')),
  'kubernetes.URL.getPort(): string': (value: UrlValue) => /:(\d+)$/.exec(value.authority)?.[1] ?? '',
  'kubernetes.URL.getEscapedPath(): string': (value: UrlValue) => value.url.pathname,
  'kubernetes.URL.getQuery(): map<string, list<string>>': (value: UrlValue) => Object.fromEntries([...new Set(value.url.searchParams.keys())].map((key) => [key, value.url.searchParams.getAll(key)])),
};

const asQuantity = (value: bigint): Quantity => parseQuantity(`${value}`);

const QUANTITIES: Record<string, Handler> = {
  'quantity(string): kubernetes.Quantity': (text: string) => new QuantityValue(parseQuantity(text)),
  'isQuantity(string): bool': (text: string) => isQuantity(text),
  'kubernetes.Quantity.sign(): int': ({ quantity }: QuantityValue) => (quantity.unscaled > 0n ? 1n : quantity.unscaled < 0n ? -1n : 0n),
  'kubernetes.Quantity.isInteger(): bool': ({ quantity }: QuantityValue) => quantity.scale >= 0,
  'kubernetes.Quantity.asInteger(): int': ({ quantity }: QuantityValue) => {
    if (quantity.scale < 0) throw new Error('cannot convert value to integer');
    return BigInt(quantityValue(quantity));
  },
  'kubernetes.Quantity.asApproximateFloat(): double': ({ quantity }: QuantityValue) => Number(quantity.unscaled) * 10 ** quantity.scale,
  'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity': (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantities(a.quantity, b.quantity)),
  'kubernetes.Quantity.add(int): kubernetes.Quantity': (a: QuantityValue, b: bigint) => new QuantityValue(addQuantities(a.quantity, asQuantity(b))),
  'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity': (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantities(a.quantity, b.quantity)),
  'kubernetes.Quantity.sub(int): kubernetes.Quantity': (a: QuantityValue, b: bigint) => new QuantityValue(subtractQuantities(a.quantity, asQuantity(b))),
  'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool': (a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity) < 0,
  'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool': (a: QuantityValue, b: QuantityValue) => compareQuantities(a.quantity, b.quantity) > 0,
  'kubernetes.Quantity.compareTo(kubernetes.Quantity): int': (a: QuantityValue, b: QuantityValue) => BigInt(compareQuantities(a.quantity, b.quantity)),
  'string(kubernetes.Quantity): string': ({ quantity }: QuantityValue) => formatQuantity(quantity),
};

const ADDRESSES: Record<string, Handler> = {
  'ip(string): net.IP': (text: string) => parseIp(text),
  'isIP(string): bool': (text: string) => succeeds(() => parseIp(text)),
  'net.IP.family(): int': (ip: IpValue) => BigInt(ip.family),
  'net.IP.isUnspecified(): bool': (ip: IpValue) => ip.value === 0n,
  'net.IP.isLoopback(): bool': (ip: IpValue) => ip.isLoopback(),
  'net.IP.isLinkLocalMulticast(): bool': (ip: IpValue) => ip.isLinkLocalMulticast(),
  'net.IP.isLinkLocalUnicast(): bool': (ip: IpValue) => ip.isLinkLocalUnicast(),
  'net.IP.isGlobalUnicast(): bool': (ip: IpValue) => ip.isGlobalUnicast(),
  'string(net.IP): string': (ip: IpValue) => ip.text(),
  'cidr(string): net.CIDR': (text: string) => parseCidr(text),
  'isCIDR(string): bool': (text: string) => succeeds(() => parseCidr(text)),
  'net.CIDR.containsIP(string): bool': (cidr: CidrValue, text: string) => cidr.contains(parseIp(text)),
  'net.CIDR.containsIP(net.IP): bool': (cidr: CidrValue, ip: IpValue) => cidr.contains(ip),
  'net.CIDR.containsCIDR(string): bool': (cidr: CidrValue, text: string) => cidr.containsCidr(parseCidr(text)),
  'net.CIDR.containsCIDR(net.CIDR): bool': (cidr: CidrValue, other: CidrValue) => cidr.containsCidr(other),
  'net.CIDR.ip(): net.IP': (cidr: CidrValue) => cidr.ip,
  'net.CIDR.masked(): net.CIDR': (cidr: CidrValue) => cidr.masked(),
  'net.CIDR.prefixLength(): int': (cidr: CidrValue) => BigInt(cidr.bits),
  'string(net.CIDR): string': (cidr: CidrValue) => `${cidr.ip.text()}/${cidr.bits}`,
};

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

class Namespace {}
export const SETS_NAMESPACE = new Namespace();

const SETS: Record<string, Handler> = {};

/** Rules call `sets.contains(a, b)`; the engine has no namespaces, so the name stands for an object with these methods. */
export function registerSets(env: Environment): Environment {
  env.registerType('kubernetes.Sets', Namespace);
  const within = (a: Iterable<unknown>, b: Iterable<unknown>) => items(b).every((item) => items(a).some((other) => same(item, other)));
  env.registerFunction('kubernetes.Sets.contains(list, list): bool', (_: Namespace, a: Iterable<unknown>, b: Iterable<unknown>) => within(a, b));
  env.registerFunction('kubernetes.Sets.equivalent(list, list): bool', (_: Namespace, a: Iterable<unknown>, b: Iterable<unknown>) => within(a, b) && within(b, a));
  env.registerFunction('kubernetes.Sets.intersects(list, list): bool', (_: Namespace, a: Iterable<unknown>, b: Iterable<unknown>) => items(b).some((item) => items(a).some((other) => same(item, other))));
  env.registerConstant('sets', 'kubernetes.Sets', SETS_NAMESPACE);
  return env;
}

const NAMED: Readonly<Record<string, (text: string) => string[]>> = { dns1123Label, dns1123Subdomain, dns1035Label, qualifiedName, labelValue };

const STRINGS: Record<string, Handler> = {
  'string.replace(string, string): string': (text: string, old: string, fresh: string) => text.split(old).join(fresh),
  'string.replace(string, string, int): string': (text: string, old: string, fresh: string, limit: bigint) => {
    const parts = text.split(old);
    const count = limit < 0n ? parts.length : Math.min(Number(limit) + 1, parts.length);
    return [parts.slice(0, count).join(fresh), ...parts.slice(count)].join(old);
  },
  'string.charAt(int): string': (text: string, index: bigint) => Array.from(text)[Number(index)] ?? '',
  'string.reverse(): string': (text: string) => Array.from(text).reverse().join(''),
  'string.format(list): string': (template: string, values: Iterable<unknown>) => formatText(template, items(values)),
  'isFormat(string, string): bool': (format: string, text: string) => (NAMED[format] ? NAMED[format](text).length === 0 : hasFormat(format, text)),
};

function formatText(template: string, values: unknown[]): string {
  let next = 0;
  return template.replace(/%(?:%|(?:\.(\d+))?([sdfexXob]))/g, (whole, precision: string | undefined, verb: string | undefined) => {
    if (whole === '%%') return '%';
    const value = values[next];
    next += 1;
    switch (verb) {
      case 'f':
        return Number(value).toFixed(precision === undefined ? 6 : Number(precision));
      case 'e':
        return Number(value).toExponential(precision === undefined ? 6 : Number(precision));
      case 'x':
      case 'X':
        return verb === 'X' ? BigInt(value as bigint).toString(16).toUpperCase() : BigInt(value as bigint).toString(16);
      case 'o':
        return BigInt(value as bigint).toString(8);
      case 'b':
        return typeof value === 'boolean' ? String(Number(value)) : BigInt(value as bigint).toString(2);
      default:
        return textOf(value);
    }
  });
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, 'Z');
  if (Array.isArray(value)) return `[${value.map((item) => (typeof item === 'string' ? JSON.stringify(item) : textOf(item))).join(', ')}]`;
  return String(value);
}
