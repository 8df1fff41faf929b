import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { Client } from '../src/client/index.ts';

it('a kept connection that is let go while it is used again is made anew for what changes nothing, and for nothing else', async () => {
  const asked: string[] = [];
  const ports = new Set<number | undefined>();
  const server = createServer(({ method, socket }, response) => {
    asked.push(`${method}`);
    // Of each connection the second request.
    if (ports.has(socket.remotePort)) socket.resetAndDestroy();
    else response.end('{}');
    ports.add(socket.remotePort);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Client({ origin: `http://127.0.0.1:${port}` });
  try {
    await client.health();
    await client.health();
    expect(asked).toEqual(['GET', 'GET', 'GET']);
    await expect(client.order('web', 'stop')).rejects.toMatchObject({ code: 'E_NO_MASTER' });
    expect(asked).toEqual(['GET', 'GET', 'GET', 'POST']);
  } finally {
    client.close();
    server.close();
  }
});
