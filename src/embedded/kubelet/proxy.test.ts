import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { NodeProxy } from './proxy.ts';

/** An upstream that records what it got and can speak to its last client. */
async function upstream() {
  const got: string[] = [];
  const sockets: Socket[] = [];
  let heard: (() => void) | undefined;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk) => {
      got.push(chunk.toString());
      socket.write(`echo ${chunk.toString()}`);
      heard?.();
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    got,
    sockets,
    port: (server.address() as AddressInfo).port,
    heard: () => new Promise<void>((resolve) => (heard = resolve)),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  return socket;
}

test('a cut is silence in both directions, and what was said meanwhile arrives when it is mended', async () => {
  const far = await upstream();
  const proxy = new NodeProxy({ host: '127.0.0.1', port: far.port });
  const port = await proxy.listen();
  const client = await dial(port);
  client.write('one');
  const [first] = (await once(client, 'data')) as [Buffer];
  assert.equal(first.toString(), 'echo one');

  proxy.cut();
  let events = 0;
  for (const name of ['data', 'end', 'close', 'error']) client.on(name, () => events++);
  client.write('two');
  const late = await dial(port);
  late.write('three');
  far.sockets[0]?.write('from above');
  // Another proxy to the same upstream answers: enough time has passed for a leak to show.
  const other = new NodeProxy({ host: '127.0.0.1', port: far.port });
  const witness = await dial(await other.listen());
  witness.write('witness');
  await once(witness, 'data');
  assert.deepEqual(far.got, ['one', 'witness']);
  assert.equal(events, 0);

  proxy.mend();
  while (far.got.length < 4) await far.heard();
  assert.deepEqual([...far.got].sort(), ['one', 'three', 'two', 'witness']);
  for (const socket of [client, late, witness]) socket.destroy();
  await proxy.close();
  await other.close();
  far.close();
});

test('the end of one side ends the other when the cable is whole', async () => {
  const far = await upstream();
  const proxy = new NodeProxy({ host: '127.0.0.1', port: far.port });
  const client = await dial(await proxy.listen());
  client.write('hello');
  await once(client, 'data');
  far.sockets[0]?.destroy();
  await once(client, 'close');
  await proxy.close();
  far.close();
});
