/** Capabilities and limits that a render is given from outside. */

export interface RenderLimits {
  /** Nested `include`, `template` and `tpl` calls. Helm allows 1,000 includes of one name. */
  callDepthMax: number;
  /** Executed nodes of one render: bounds every loop. */
  stepsMax: number;
  /** Bytes a render may produce, intermediate strings included. */
  outputBytesMax: number;
}

export const DEFAULT_RENDER_LIMITS: RenderLimits = {
  callDepthMax: 1000,
  stepsMax: 20_000_000,
  outputBytesMax: 256 * 1024 * 1024,
};

/** A certificate and its key, PEM. */
export interface CertificatePair {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  commonName: string;
  ips: readonly string[];
  dnsNames: readonly string[];
  days: number;
  /** PEM of the key to certify; a new RSA key when absent. */
  key?: string;
  /** Signs with this authority; self-signed when absent. */
  issuer?: CertificatePair;
  isCa: boolean;
}

/** What needs cryptography beyond hashing. All synchronous; `src/cmd/adapters/render-crypto.ts` has it for Node. */
export interface RenderCrypto {
  randomBytes(count: number): Uint8Array;
  sha512Hex(data: Uint8Array): string;
  bcrypt(password: Uint8Array, cost: number): string;
  scrypt(password: Uint8Array, salt: Uint8Array, options: { N: number; r: number; p: number; length: number }): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  encryptAesCbc(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Uint8Array;
  decryptAesCbc(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array;
  /** PEM of a new private key. */
  privateKey(kind: 'rsa' | 'dsa' | 'ecdsa' | 'ed25519'): string;
  certificate(request: CertificateRequest): CertificatePair;
}
