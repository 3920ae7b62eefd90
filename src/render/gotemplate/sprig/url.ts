/** Sprig's urlParse and urlJoin, with net/url's splitting and escaping. */
import { encodeUtf8, decodeUtf8 } from '../bytes.ts';
import { FunctionError } from '../errors.ts';
import { formatValue } from '../format.ts';
import { fn, type FunctionTable } from '../functions.ts';
import type { GoMap } from '../value.ts';

interface ParsedUrl {
  scheme: string;
  opaque: string;
  user: string;
  host: string;
  path: string;
  query: string;
  fragment: string;
}

export const URL_FUNCTIONS: FunctionTable = {
  urlParse: fn(['string'], (text: string) => {
    const url = parseUrl(text);
    return { scheme: url.scheme, host: url.host, hostname: hostname(url.host), path: url.path, query: url.query, opaque: url.opaque, fragment: url.fragment, userinfo: url.user };
  }),
  urlJoin: fn(['map[string]interface {}'], (map: GoMap) => {
    const part = (key: string) => (map[key] === undefined || map[key] === null ? '' : textPart(key, map[key]));
    return joinUrl({ scheme: part('scheme'), host: part('host'), path: part('path'), query: part('query'), opaque: part('opaque'), fragment: part('fragment'), user: part('userinfo') });
  }),
};

function textPart(key: string, value: unknown): string {
  if (typeof value !== 'string') throw new FunctionError(`unable to parse ${key} key, must be of type string, but ${formatValue(value)} found`);
  return value;
}

function fail(text: string, reason: string): never {
  throw new FunctionError(`unable to parse url: parse ${JSON.stringify(text)}: ${reason}`);
}

function parseUrl(text: string): ParsedUrl {
  if (/[\x00-\x1f\x7f]/.test(text)) fail(text, 'net/url: invalid control character in URL');
  const url: ParsedUrl = { scheme: '', opaque: '', user: '', host: '', path: '', query: '', fragment: '' };
  const hash = text.indexOf('#');
  let rest = hash < 0 ? text : text.slice(0, hash);
  if (hash >= 0) url.fragment = unescape(text, text.slice(hash + 1));
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest);
  if (scheme) {
    url.scheme = (scheme[1] as string).toLowerCase();
    rest = rest.slice(scheme[0].length);
  } else if (rest.startsWith(':')) fail(text, 'missing protocol scheme');
  const question = rest.indexOf('?');
  if (question >= 0) {
    url.query = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }
  if (!rest.startsWith('/')) {
    if (url.scheme) return { ...url, opaque: rest };
    if ((rest.split('/')[0] ?? '').includes(':')) fail(text, 'first path segment in URL cannot contain colon');
  }
  if (rest.startsWith('//') && !(url.scheme === '' && rest.startsWith('///'))) rest = authority(text, rest.slice(2), url);
  url.path = unescape(text, rest);
  return url;
}

function authority(text: string, rest: string, url: ParsedUrl): string {
  const slash = rest.indexOf('/');
  const part = slash < 0 ? rest : rest.slice(0, slash);
  const at = part.lastIndexOf('@');
  if (at >= 0) url.user = userText(part.slice(0, at));
  url.host = part.slice(at + 1);
  const port = /:([^\]]*)$/.exec(url.host);
  if (port && !/^[0-9]*$/.test(port[1] as string) && !(url.host.startsWith('[') && !url.host.includes(']:'))) fail(text, `invalid port ${JSON.stringify(`:${port[1]}`)} after host`);
  if (/[ <>"]/.test(url.host)) fail(text, `invalid character ${JSON.stringify(/[ <>"]/.exec(url.host)?.[0])} in host name`);
  return slash < 0 ? '' : rest.slice(slash);
}

function userText(user: string): string {
  const colon = user.indexOf(':');
  if (colon < 0) return escapePart(unescapeLoose(user), USER_SAFE);
  return `${escapePart(unescapeLoose(user.slice(0, colon)), USER_SAFE)}:${escapePart(unescapeLoose(user.slice(colon + 1)), USER_SAFE)}`;
}

function hostname(host: string): string {
  const bracket = /^\[([^\]]*)\]/.exec(host);
  return bracket ? (bracket[1] as string) : host.replace(/:[0-9]*$/, '');
}

function unescapeLoose(text: string): string {
  return decodePercent(text) ?? text;
}

function unescape(whole: string, text: string): string {
  return decodePercent(text) ?? fail(whole, `invalid URL escape ${JSON.stringify(/%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0] ?? '%')}`);
}

function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  const bytes: number[] = [];
  for (const piece of text.split(/(%[0-9a-fA-F]{2})/)) {
    if (/^%[0-9a-fA-F]{2}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 16));
    else bytes.push(...encodeUtf8(piece));
  }
  return decodeUtf8(Uint8Array.from(bytes));
}

const PATH_SAFE = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const USER_SAFE = /[A-Za-z0-9\-_.~$&+,;=]/;
const FRAGMENT_SAFE = /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/;
const HOST_SAFE = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;

function escapePart(text: string, safe: RegExp): string {
  let out = '';
  for (const byte of encodeUtf8(text)) {
    const char = String.fromCharCode(byte);
    out += byte < 0x80 && safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function joinUrl(url: ParsedUrl): string {
  let text = url.scheme ? `${url.scheme}:` : '';
  if (url.opaque) text += url.opaque;
  else {
    if (url.scheme || url.host || url.user) {
      if (url.host || url.path || url.user) text += url.host || url.user ? '//' : '';
      if (url.user) text += `${userText(url.user)}@`;
      if (url.host) text += escapePart(url.host, HOST_SAFE);
    }
    const path = escapePart(url.path, PATH_SAFE);
    if (path && !path.startsWith('/') && url.host) text += '/';
    if (text === '' && /^[^/]*:/.test(path)) text += './';
    text += path;
  }
  if (url.query) text += `?${url.query}`;
  if (url.fragment) text += `#${escapePart(url.fragment, FRAGMENT_SAFE)}`;
  return text;
}
