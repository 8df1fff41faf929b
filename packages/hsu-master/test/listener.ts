import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Post {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A service that lines are sent to; ended by `await using`. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** All requests, also those that it answered badly. */
  readonly posts: readonly Post[];
  /** The records of those that it took. */
  readonly taken: readonly { readonly worker: string; readonly message: string }[];
  /** The status of its answers from now on. */
  status: number;
}

export async function listen(status = 200, port = 0): Promise<Listener> {
  const posts: Post[] = [];
  const taken: { worker: string; message: string }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const bytes = Buffer.concat(parts);
      const isPacked = request.headers['content-encoding'] === 'gzip';
      const body = (isPacked ? gunzipSync(bytes) : bytes).toString();
      posts.push({ path: request.url ?? '', authorization: request.headers.authorization, body });
      const said: unknown = body.startsWith('[') ? JSON.parse(body) : null;
      if (listener.status === 200 && Array.isArray(said)) taken.push(...(said as typeof taken));
      response.writeHead(listener.status);
      response.end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const listener = {
    port: (server.address() as AddressInfo).port,
    posts,
    taken,
    status,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return listener;
}
