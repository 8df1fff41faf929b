import { Agent, type RequestOptions, request } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { places } from './places.ts';

/** One connection to a supervisor, by which it is asked again and again. */
export interface Asker {
  /** Resolves with the whole answer. Rejects where it is no good one, or the connection was not kept. */
  ask(): Promise<string>;
  close(): void;
}

/** Asks by HTTP over a unix socket. The answer is read and not parsed. */
export function askByHttp(socketPath: string, options: RequestOptions, body = ''): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let first = true;
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const asked = request({ ...options, socketPath, agent }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode !== 200)
              reject(new Error(`${response.statusCode}: ${text.slice(0, 500)}`));
            else if (!first && !asked.reusedSocket) reject(new Error('the connection was not kept open'));
            else resolve(text);
            first = false;
          });
        });
        asked.on('error', reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** What its `ls` asks for as well. */
const PM2_CALL = 'getMonitorData';

// As much as is needed here of what pm2 itself asks its daemon with.
interface Axon {
  socket(kind: 'req'): { connect(path: string): void; close(): void };
}
interface AxonRpc {
  readonly Client: new (
    socket: ReturnType<Axon['socket']>,
  ) => {
    call(
      method: string,
      given: object,
      back: (error: { readonly message?: string } | null, found?: unknown) => void,
    ): void;
  };
}

/** Asks pm2's daemon as its own command does, which parses the answer. */
export function askPm2(home: string): Asker {
  const load = createRequire(join(places.pm2, 'node_modules/pm2/package.json'));
  const { socket } = load('./modules/pm2-axon') as Axon;
  const { Client } = load('./modules/pm2-axon-rpc') as AxonRpc;
  const connection = socket('req');
  const client = new Client(connection);
  connection.connect(join(home, 'rpc.sock'));
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        client.call(PM2_CALL, {}, (error, found) => {
          if (error) reject(new Error(`${PM2_CALL}: ${error.message}`));
          else resolve((found as readonly { name: string }[]).map(({ name }) => `${name}\n`).join(''));
        });
      }),
    close: () => connection.close(),
  };
}
