/**
 * Pods listen on addresses of their own in 127/8. Two fleets on one machine must not share them, so each
 * takes a block `127.B.*` for its lifetime by listening on one address of it that no pod gets.
 */
import { createServer, type Server } from 'node:net';
import { sha256Hex } from '#base/hash';

/** Blocks to choose from: far from 127.0 and from what test servers use. */
const BLOCKS = { first: 100, count: 150 };
const GUARD = { host: (block: number) => `127.${block}.255.254`, port: 8081 };

export interface AddressBlock {
  block: number;
  release(): void;
}

/** Takes the preferred block, or the next free one; a folder begins its search at a place of its own. */
export async function reserveBlock(folder: string, preferred: number | undefined): Promise<AddressBlock> {
  const start = preferred ?? BLOCKS.first + (Number.parseInt(sha256Hex(folder).slice(0, 6), 16) % BLOCKS.count);
  for (let offset = 0; offset < BLOCKS.count; offset++) {
    const block = BLOCKS.first + ((start - BLOCKS.first + offset) % BLOCKS.count);
    const guard = await listen(block);
    if (guard) return { block, release: () => guard.close() };
  }
  throw new Error(`all ${BLOCKS.count} address blocks 127.${BLOCKS.first}.* and up are in use: end another fleet first`);
}

/** Undefined when somebody else has the block. */
function listen(block: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(GUARD.port, GUARD.host(block), () => resolve(server));
  });
}
