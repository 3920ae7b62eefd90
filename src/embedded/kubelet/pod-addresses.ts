/** Loopback addresses of one node's pods: `<subnet>.2` to `.254`; Linux accepts all of 127.0.0.0/8 without set-up. */

const FIRST = 2;
const LAST = 254;

export class PodAddresses {
  readonly #subnet: string;
  readonly #byPod = new Map<string, number>();
  #next = FIRST;

  constructor(subnet: string) {
    this.#subnet = subnet;
  }

  /** The pod's address; the `wanted` one when it is free and of this node. Addresses are reused as late as possible. */
  assign(uid: string, wanted?: string): string {
    const known = this.#byPod.get(uid);
    const number = known ?? this.#free(this.#numberOf(wanted));
    this.#byPod.set(uid, number);
    return `${this.#subnet}.${number}`;
  }

  release(uid: string): void {
    this.#byPod.delete(uid);
  }

  #numberOf(address: string | undefined): number | undefined {
    if (!address?.startsWith(`${this.#subnet}.`)) return undefined;
    const number = Number(address.slice(this.#subnet.length + 1));
    return number >= FIRST && number <= LAST ? number : undefined;
  }

  #free(wanted: number | undefined): number {
    const taken = new Set(this.#byPod.values());
    if (wanted !== undefined && !taken.has(wanted)) return wanted;
    for (let tries = FIRST; tries <= LAST; tries++) {
      const candidate = this.#next;
      this.#next = this.#next >= LAST ? FIRST : this.#next + 1;
      if (!taken.has(candidate)) return candidate;
    }
    throw new Error(`subnet ${this.#subnet} has no free address: a node runs at most ${LAST - FIRST + 1} pods`);
  }
}
