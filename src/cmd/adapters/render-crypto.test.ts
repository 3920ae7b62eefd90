/** The cryptography templates get, against published vectors and Node's own reading of certificates. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { bcryptHash } from './bcrypt.ts';
import { nodeRenderCrypto } from './render-crypto.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const crypto = nodeRenderCrypto(() => NOW_MS);

test('bcrypt gives the published hash', () => {
  const salt = Uint8Array.from({ length: 16 }, (_, i) => [0x10, 0x41, 0x04][i % 3] as number);
  assert.equal(bcryptHash(Buffer.from('U*U'), 5, salt), '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW');
});

test('a certificate is signed by its authority and names its hosts', () => {
  const ca = crypto.certificate({ commonName: 'ca', ips: [], dnsNames: [], days: 10, isCa: true });
  const leaf = crypto.certificate({ commonName: 'leaf', ips: ['10.0.0.1', '::1'], dnsNames: ['a.b'], days: 1, isCa: false, issuer: ca });
  const authority = new X509Certificate(ca.cert);
  const certificate = new X509Certificate(leaf.cert);
  assert.ok(authority.ca);
  assert.ok(certificate.verify(authority.publicKey));
  assert.equal(certificate.issuer, 'CN=ca');
  assert.match(certificate.subjectAltName ?? '', /DNS:a\.b.*10\.0\.0\.1/);
  assert.equal(new Date(certificate.validTo).getTime() - new Date(certificate.validFrom).getTime(), 86_400_000);
});

test('what is encrypted can be decrypted', () => {
  const key = new Uint8Array(32).fill(7);
  const iv = new Uint8Array(16).fill(9);
  assert.deepEqual(Buffer.from(crypto.decryptAesCbc(key, iv, crypto.encryptAesCbc(key, iv, Buffer.from('plain')))), Buffer.from('plain'));
});
