/** IP addresses and CIDR blocks as CEL rules compare them. Rule: kubernetes.io "CEL in Kubernetes", IP and CIDR libraries. */
import { isIpv4, isIpv6 } from './formats.ts';

export class IpValue {
  readonly family: 4 | 6;
  readonly value: bigint;

  constructor(family: 4 | 6, value: bigint) {
    this.family = family;
    this.value = value;
  }

  #within(prefix: bigint, bits: number): boolean {
    const width = this.family === 4 ? 32 : 128;
    return this.value >> BigInt(width - bits) === prefix;
  }

  isLoopback(): boolean {
    return this.family === 4 ? this.#within(127n, 8) : this.value === 1n;
  }

  isLinkLocalUnicast(): boolean {
    return this.family === 4 ? this.#within(0xa9fen, 16) : this.#within(0x3fan, 10);
  }

  isLinkLocalMulticast(): boolean {
    return this.family === 4 ? this.#within(0xe00000n, 24) : this.value >> 112n === 0xff02n;
  }

  isGlobalUnicast(): boolean {
    const multicast = this.family === 4 ? this.#within(0xen, 4) : this.#within(0xffn, 8);
    const broadcast = this.family === 4 && this.value === 0xffffffffn;
    return this.value !== 0n && !broadcast && !multicast && !this.isLoopback() && !this.isLinkLocalUnicast();
  }

  text(): string {
    if (this.family === 4) return [24n, 16n, 8n, 0n].map((shift) => (this.value >> shift) & 0xffn).join('.');
    const words = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => ((this.value >> shift) & 0xffffn).toString(16));
    const runs = [...words.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length || a.index - b.index);
    const [longest] = runs;
    if (!longest) return words.join(':');
    const joined = words.join(':');
    return `${joined.slice(0, longest.index).replace(/:$/, '')}::${joined.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
  }
}

export class CidrValue {
  readonly ip: IpValue;
  readonly bits: number;

  constructor(ip: IpValue, bits: number) {
    this.ip = ip;
    this.bits = bits;
  }

  #prefixOf(ip: IpValue): bigint {
    return ip.value >> BigInt((ip.family === 4 ? 32 : 128) - this.bits);
  }

  contains(ip: IpValue): boolean {
    return ip.family === this.ip.family && this.#prefixOf(ip) === this.#prefixOf(this.ip);
  }

  containsCidr(other: CidrValue): boolean {
    return other.bits >= this.bits && this.contains(other.ip);
  }

  masked(): CidrValue {
    const shift = BigInt((this.ip.family === 4 ? 32 : 128) - this.bits);
    return new CidrValue(new IpValue(this.ip.family, (this.ip.value >> shift) << shift), this.bits);
  }
}

/** Throws an `Error` for text that is no address. */
export function parseIp(text: string): IpValue {
  if (isIpv4(text)) return new IpValue(4, text.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n));
  if (!isIpv6(text)) throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) => `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`);
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return new IpValue(6, [...left, ...zeros, ...right].reduce((sum, word) => (sum << 16n) + BigInt(`0x${word}`), 0n));
}

/** Throws an `Error` for text that is no block. */
export function parseCidr(text: string): CidrValue {
  const [address = '', bits = ''] = text.split('/');
  const ip = parseIp(address);
  if (!/^(?:0|[1-9]\d*)$/.test(bits) || Number(bits) > (ip.family === 4 ? 32 : 128)) throw new Error(`network address parse error during conversion from string: invalid CIDR address: ${text}`);
  return new CidrValue(ip, Number(bits));
}
