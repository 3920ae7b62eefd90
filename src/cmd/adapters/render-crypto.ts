/**
 * Node's cryptography for templates: what Sprig's key, certificate and password functions need. Certificates
 * are written as DER here, because Node reads certificates but does not make them.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, scryptSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import type { CertificatePair, CertificateRequest, RenderCrypto } from '#render/gotemplate';
import { bcryptHash } from './bcrypt.ts';
import { bitString, context, explicit, integer, objectId, octetString, sequence, set, time, utf8String, boolean, raw } from './der.ts';

export function nodeRenderCrypto(nowMs: () => number): RenderCrypto {
  return {
    randomBytes: (count) => randomBytes(count),
    sha512Hex: (data) => createHash('sha512').update(data).digest('hex'),
    bcrypt: (password, cost) => bcryptHash(password, cost, randomBytes(16)),
    scrypt: (password, salt, { N, r, p, length }) => scryptSync(password, salt, length, { N, r, p, maxmem: 256 * N * r }),
    hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
    encryptAesCbc: (key, iv, plain) => {
      const cipher = createCipheriv('aes-256-cbc', key, iv);
      return Buffer.concat([cipher.update(plain), cipher.final()]);
    },
    decryptAesCbc: (key, iv, sealed) => {
      const cipher = createDecipheriv('aes-256-cbc', key, iv);
      return Buffer.concat([cipher.update(sealed), cipher.final()]);
    },
    privateKey,
    certificate: (request) => certificate(request, nowMs()),
  };
}

function privateKey(kind: 'rsa' | 'dsa' | 'ecdsa' | 'ed25519'): string {
  switch (kind) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    case 'dsa':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
}

const DAY_MS = 86_400_000;

function certificate(request: CertificateRequest, nowMs: number): CertificatePair {
  const keyPem = request.key ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const key = createPrivateKey(keyPem);
  const issuerKey = request.issuer ? createPrivateKey(request.issuer.key) : key;
  const subject = commonName(request.commonName);
  const issuer = request.issuer ? issuerName(request.issuer.cert) : subject;
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(randomBytes(16)),
    algorithmOf(issuerKey),
    issuer,
    sequence(time(nowMs), time(nowMs + request.days * DAY_MS)),
    subject,
    raw(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    explicit(3, extensions(request)),
  );
  const signature = sign(issuerKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', body, issuerKey);
  const der = sequence(body, algorithmOf(issuerKey), bitString(signature));
  return { cert: pem('CERTIFICATE', der), key: keyPem };
}

function commonName(name: string): Uint8Array {
  return sequence(set(sequence(objectId('2.5.4.3'), utf8String(name))));
}

/** The issuer's subject, as it stands in its certificate: the first sequence behind the validity. */
function issuerName(certPem: string): Uint8Array {
  const subject = new X509Certificate(certPem).subject;
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
  return commonName(name);
}

function algorithmOf(key: KeyObject): Uint8Array {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return sequence(objectId('1.2.840.10045.4.3.2'));
    case 'ed25519':
      return sequence(objectId('1.3.101.112'));
    default:
      return sequence(objectId('1.2.840.113549.1.1.11'), Uint8Array.of(5, 0));
  }
}

function extensions(request: CertificateRequest): Uint8Array {
  const usage = request.isCa ? Uint8Array.of(2, 0xa4) : Uint8Array.of(5, 0xa0);
  const list = [
    sequence(objectId('2.5.29.15'), boolean(true), octetString(bitString(usage.subarray(1), usage[0]))),
    sequence(objectId('2.5.29.37'), octetString(sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2')))),
    sequence(objectId('2.5.29.19'), boolean(true), octetString(request.isCa ? sequence(boolean(true)) : sequence())),
  ];
  const names = [...request.dnsNames.map((name) => context(2, Buffer.from(name, 'latin1'))), ...request.ips.map((ip) => context(7, ipBytes(ip)))];
  if (names.length > 0) list.push(sequence(objectId('2.5.29.17'), octetString(sequence(...names))));
  return sequence(...list);
}

function ipBytes(text: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(text)) return Uint8Array.from(text.split('.'), Number);
  if (!text.includes(':')) throw new Error(`error parsing ip: ${text}`);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => 0);
  return Uint8Array.from([...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 255]));
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
