/**
 * Sprig's hashes, random values, certificates and encryption. Hashes are pure; everything else uses what the
 * render was given: `random` for names and ids, `crypto` for keys and certificates.
 */
import { base64Decode, base64Encode, sha1Hex, sha256Hex } from '#base/hash';
import type { Random } from '#base/random';
import { decodeUtf8, encodeUtf8 } from '../bytes.ts';
import { FunctionError } from '../errors.ts';
import { fn, type FunctionTable } from '../functions.ts';
import type { CertificatePair, CertificateRequest, RenderCrypto } from '../types.ts';
import { GoStruct, int, type GoInt } from '../value.ts';
import { strval } from './cast.ts';

/** Characters a random text may have. */
const RANDOM_TEXT_MAX = 1_000_000;

/** sprig.certificate */
export class GoCertificate extends GoStruct {
  readonly goType = 'sprig.certificate';
  readonly pair: CertificatePair;
  constructor(pair: CertificatePair) {
    super();
    this.pair = pair;
  }
  override fields(): Readonly<Record<string, unknown>> {
    return { Cert: this.pair.cert, Key: this.pair.key };
  }
}

export interface CryptoOptions {
  random: Random;
  crypto: RenderCrypto | undefined;
}

const ALPHA = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');

export function cryptoFunctions({ random, crypto }: CryptoOptions): FunctionTable {
  const need = (name: string): RenderCrypto => {
    if (!crypto) throw new FunctionError(`${name} needs cryptography, which this render was not given`);
    return crypto;
  };
  const text = (alphabet: string) => fn(['int'], (count: GoInt) => randomText(random, alphabet, count.number()));
  return {
    sha1sum: fn(['string'], (input: string) => sha1Hex(encodeUtf8(input))),
    sha256sum: fn(['string'], (input: string) => sha256Hex(encodeUtf8(input))),
    sha512sum: fn(['string'], (input: string) => need('sha512sum').sha512Hex(encodeUtf8(input))),
    adler32sum: fn(['string'], (input: string) => String(adler32(encodeUtf8(input)))),
    randAlphaNum: text(ALPHA + DIGITS),
    randAlpha: text(ALPHA),
    randNumeric: text(DIGITS),
    randAscii: text(ASCII),
    randInt: fn(['int', 'int'], (min: GoInt, max: GoInt) => randomInt(random, min.number(), max.number())),
    randBytes: fn(['int'], (count: GoInt) => base64Encode(randomBytes(random, count.number()))),
    uuidv4: fn([], () => uuid(random)),
    shuffle: fn(['string'], (input: string) => shuffle(random, input)),
    ...keyFunctions(need, random),
    ...certificateFunctions(need),
  };
}

function randomText(random: Random, alphabet: string, count: number): string {
  if (count > RANDOM_TEXT_MAX) throw new FunctionError(`random text of ${count} characters, ${RANDOM_TEXT_MAX} at most`);
  let out = '';
  for (let i = 0; i < count; i++) out += alphabet[Math.floor(random.next() * alphabet.length)];
  return out;
}

function randomInt(random: Random, min: number, max: number): GoInt {
  if (max <= min) throw new FunctionError('invalid argument to Intn');
  return int(min + Math.floor(random.next() * (max - min)));
}

function randomBytes(random: Random, count: number): Uint8Array {
  if (count > RANDOM_TEXT_MAX) throw new FunctionError(`${count} random bytes, ${RANDOM_TEXT_MAX} at most`);
  return Uint8Array.from({ length: count }, () => Math.floor(random.next() * 256));
}

function uuid(random: Random): string {
  const bytes = randomBytes(random, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function shuffle(random: Random, input: string): string {
  const chars = Array.from(input);
  for (let i = chars.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [chars[i], chars[j]] = [chars[j] as string, chars[i] as string];
  }
  return chars.join('');
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

type Need = (name: string) => RenderCrypto;

const BCRYPT_COST = 10;

function keyFunctions(need: Need, random: Random): FunctionTable {
  return {
    bcrypt: fn(['string'], (password: string) => bcrypt(need('bcrypt'), password)),
    htpasswd: fn(['string', 'string'], (user: string, password: string) => (user.includes(':') ? `invalid username: ${user}` : `${user}:${bcrypt(need('htpasswd'), password)}`)),
    genPrivateKey: fn(['string'], (kind: string) => {
      if (!['', 'rsa', 'dsa', 'ecdsa', 'ed25519'].includes(kind)) return `Unknown type ${kind}`;
      return need('genPrivateKey').privateKey((kind || 'rsa') as 'rsa');
    }),
    derivePassword: fn(['uint32', 'string', 'string', 'string', 'string'], (counter: GoInt, kind: string, ...rest: string[]) => {
      const [password = '', user = '', site = ''] = rest;
      return derivePassword(need('derivePassword'), { counter: counter.number(), kind, password, user, site });
    }),
    encryptAES: fn(['string', 'string'], (password: string, plain: string) => {
      if (plain === '') return '';
      const iv = randomBytes(random, 16);
      const sealed = need('encryptAES').encryptAesCbc(aesKey(password), iv, encodeUtf8(plain));
      return base64Encode(Uint8Array.from([...iv, ...sealed]));
    }),
    decryptAES: fn(['string', 'string'], (password: string, sealed: string) => {
      if (sealed === '') return '';
      const bytes = base64Decode(sealed);
      return decodeUtf8(need('decryptAES').decryptAesCbc(aesKey(password), bytes.subarray(0, 16), bytes.subarray(16)));
    }),
  };
}

function bcrypt(crypto: RenderCrypto, password: string): string {
  const bytes = encodeUtf8(password);
  if (bytes.length > 72) return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes';
  return crypto.bcrypt(bytes, BCRYPT_COST);
}

function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(encodeUtf8(password).subarray(0, 32));
  return key;
}

const VOWELS = 'AEIOUaeiou';
const CLASSES: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: `${VOWELS}BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz`.replace('AEIOUaeiou', 'AEIOUaeiou'),
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
};

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: [
    'CvcvnoCvcvCvcv', 'CvcvCvcvnoCvcv', 'CvcvCvcvCvcvno', 'CvccnoCvcvCvcv', 'CvccCvcvnoCvcv', 'CvccCvcvCvcvno', 'CvcvnoCvccCvcv',
    'CvcvCvccnoCvcv', 'CvcvCvccCvcvno', 'CvcvnoCvcvCvcc', 'CvcvCvcvnoCvcc', 'CvcvCvcvCvccno', 'CvccnoCvccCvcv', 'CvccCvccnoCvcv',
    'CvccCvccCvcvno', 'CvcvnoCvccCvcc', 'CvcvCvccnoCvcc', 'CvcvCvccCvccno', 'CvccnoCvcvCvcc', 'CvccCvcvnoCvcc', 'CvccCvcvCvccno',
  ],
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
};

interface DeriveRequest {
  counter: number;
  kind: string;
  password: string;
  user: string;
  site: string;
}

/** Master Password's algorithm (masterpasswordapp.com), which Sprig offers for repeatable passwords. */
function derivePassword(crypto: RenderCrypto, request: DeriveRequest): string {
  const templates = TEMPLATES[request.kind];
  if (!templates) return `cannot find password template ${request.kind}`;
  const scope = 'com.lyndir.masterpassword';
  const salt = Uint8Array.from([...encodeUtf8(scope), ...uint32(encodeUtf8(request.user).length), ...encodeUtf8(request.user)]);
  const key = crypto.scrypt(encodeUtf8(request.password), salt, { N: 32768, r: 8, p: 2, length: 64 });
  const site = encodeUtf8(request.site);
  const seed = crypto.hmacSha256(key, Uint8Array.from([...encodeUtf8(scope), ...uint32(site.length), ...site, ...uint32(request.counter)]));
  const template = templates[(seed[0] as number) % templates.length] as string;
  return Array.from(template, (letter, i) => {
    const chars = CLASSES[letter] as string;
    return chars[(seed[i + 1] as number) % chars.length];
  }).join('');
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function certificateFunctions(need: Need): FunctionTable {
  const certificate = (name: string, request: Partial<CertificateRequest> & { commonName: string; days: number }) =>
    new GoCertificate(need(name).certificate({ ips: [], dnsNames: [], isCa: false, ...request }));
  const names = (list: unknown) => (Array.isArray(list) ? list.map(textName) : []);
  const hosts = '[]interface {}';
  const leaf = (cn: string, ips: unknown, dns: unknown, days: GoInt) => ({ commonName: cn, ips: names(ips), dnsNames: names(dns), days: days.number() });
  return {
    genCA: fn(['string', 'int'], (cn: string, days: GoInt) => certificate('genCA', { commonName: cn, days: days.number(), isCa: true })),
    genCAWithKey: fn(['string', 'int', 'string'], (cn: string, days: GoInt, key: string) => certificate('genCAWithKey', { commonName: cn, days: days.number(), isCa: true, key })),
    genSelfSignedCert: fn(['string', hosts, hosts, 'int'], (cn: string, ips: unknown, dns: unknown, days: GoInt) => certificate('genSelfSignedCert', leaf(cn, ips, dns, days))),
    genSelfSignedCertWithKey: fn(['string', hosts, hosts, 'int', 'string'], (...args: [string, unknown, unknown, GoInt, string]) =>
      certificate('genSelfSignedCertWithKey', { ...leaf(args[0], args[1], args[2], args[3]), key: args[4] }),
    ),
    genSignedCert: fn(['string', hosts, hosts, 'int', 'sprig.certificate'], (...args: [string, unknown, unknown, GoInt, GoCertificate]) =>
      certificate('genSignedCert', { ...leaf(args[0], args[1], args[2], args[3]), issuer: args[4].pair }),
    ),
    genSignedCertWithKey: fn(['string', hosts, hosts, 'int', 'sprig.certificate', 'string'], (...args: [string, unknown, unknown, GoInt, GoCertificate, string]) =>
      certificate('genSignedCertWithKey', { ...leaf(args[0], args[1], args[2], args[3]), issuer: args[4].pair, key: args[5] }),
    ),
    buildCustomCert: fn(['string', 'string'], customCert),
  };
}

function customCert(cert64: string, key64: string): GoCertificate {
  const cert = decodeUtf8(base64Decode(cert64));
  const key = decodeUtf8(base64Decode(key64));
  if (!/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(cert)) throw new FunctionError('unable to decode certificate');
  if (!/-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----/.test(key)) throw new FunctionError('unable to decode private key');
  return new GoCertificate({ cert, key });
}

function textName(value: unknown): string {
  if (typeof value !== 'string') throw new FunctionError(`error parsing ip or name: ${strval(value)} is not a string`);
  return value;
}
