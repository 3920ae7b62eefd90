/**
 * The only way from a node's pods to the API server: a TCP proxy of the node. Cutting the node turns it
 * into a black hole, as a pulled cable is: bytes are neither carried nor refused, new connections are
 * accepted and never answered, no end is signalled. When the cable is back, what is still connected goes
 * on, and bytes that were under way arrive late: exactly what a guarded writer must survive.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Connections beyond this are refused; a node has some dozens. */
const CONNECTIONS_MAX = 2000;

interface Pair {
  client: Socket;
  upstream: Socket | undefined;
}

export class NodeProxy {
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #cut = false;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  /** Listens on 127.0.0.1 and returns the port. */
  async listen(): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    server.maxConnections = CONNECTIONS_MAX;
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve());
    });
    return (server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#cut = true;
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream?.pause();
    }
  }

  mend(): void {
    this.#cut = false;
    for (const pair of this.#pairs) {
      if (!pair.upstream) this.#dial(pair);
      else this.#carry(pair, pair.upstream);
    }
  }

  /** Drops every connection without a word to either side's application (power off). */
  drop(): void {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream?.destroy();
    }
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.drop();
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const pair: Pair = { client, upstream: undefined };
    this.#pairs.add(pair);
    client.on('error', () => this.#end(pair));
    client.on('close', () => this.#end(pair));
    if (!this.#cut) this.#dial(pair);
  }

  #dial(pair: Pair): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    pair.upstream = upstream;
    upstream.on('error', () => this.#end(pair));
    upstream.on('close', () => this.#end(pair));
    const { client } = pair;
    // A chunk that arrives in the instant of the cut is dropped back into the paused socket's buffer by `unshift`.
    client.on('data', (chunk) => (this.#cut ? client.unshift(chunk) : this.#pass(chunk, client, upstream)));
    upstream.on('data', (chunk) => (this.#cut ? upstream.unshift(chunk) : this.#pass(chunk, upstream, client)));
    client.on('end', () => !this.#cut && upstream.end());
    upstream.on('end', () => !this.#cut && client.end());
    if (this.#cut) this.cut();
  }

  #pass(chunk: Uint8Array, from: Socket, to: Socket): void {
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => !this.#cut && from.resume());
  }

  #carry(pair: Pair, upstream: Socket): void {
    const { client } = pair;
    if (upstream.destroyed || client.destroyed) return this.#end(pair);
    if (client.readableEnded) upstream.end();
    if (upstream.readableEnded) client.end();
    client.resume();
    upstream.resume();
  }

  /** One side is gone. During a cut the other must not learn of it. */
  #end(pair: Pair): void {
    if (this.#cut && !pair.client.destroyed) return;
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.upstream?.destroy();
  }
}
