import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Control, HsuError, type Identity, noAudit } from '@hsu-master/core';
import { FakeControl } from '@hsu-master/testkit';
import { test } from 'vitest';
import { Client } from '../src/client/index.ts';
import { type Api, type ApiOptions, createApi } from '../src/index.ts';

/** One whose commands have said all that they say when they begin. */
export class FakeMaster extends FakeControl {
  override exec(workerId: string): ReturnType<Control['exec']> {
    this.worker(workerId);
    return Promise.resolve(this.execSession('session-1'));
  }

  override execSession(id: string): ReturnType<Control['execSession']> {
    if (id !== 'session-1') throw new HsuError('E_UNKNOWN_SESSION', `there is no command "${id}"`);
    return {
      id,
      workerId: 'web',
      async *news() {
        yield { kind: 'output', stream: 'stderr', bytes: Buffer.from([0, 255, 10]) };
        yield { kind: 'exited', exit: { code: 3, signal: null } as never };
      },
      write: (bytes) => Promise.resolve(void this.asked.push(`write ${Buffer.from(bytes).toString()}`)),
      end: () => void this.asked.push('end'),
      signal: (signal) => void this.asked.push(`signal ${signal}`),
    };
  }
}

export interface Served {
  readonly master: FakeMaster;
  readonly client: Client;
  readonly socket: string;
  readonly api: Api;
  readonly defects: unknown[];
}

const OWNER: Identity = { kind: 'root', name: 'uid 0', from: 'unix' };

/** Serves a fake master on a real unix socket. */
export async function serve(
  master: FakeMaster,
  { authorize = () => null, audit = noAudit, ...options }: Partial<ApiOptions> = {},
): Promise<Served & AsyncDisposable & { close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-api-'));
  const socket = join(folder, 's');
  const defects: unknown[] = [];
  const api = await createApi({
    control: master,
    authorize,
    audit,
    ...options,
    identify: () => OWNER,
    defect: (error) => defects.push(error),
  });
  const server = createServer(api.request);
  server.on('upgrade', api.upgrade);
  server.listen(socket);
  await once(server, 'listening');
  const client = new Client({ socket });
  const close = async (): Promise<void> => {
    client.close();
    await api.close();
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
  return { master, client, socket, api, defects, close, [Symbol.asyncDispose]: close };
}

export const it = test.extend<{ served: Served }>({
  // oxlint-disable-next-line no-empty-pattern
  served: async ({}, use) => {
    await using served = await serve(new FakeMaster());
    await use(served);
  },
});
