import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena } from '../src/arena.ts';
import { askByHttp } from '../src/asking.ts';
import { compilePrograms, type Programs } from '../src/programs.ts';
import { until, within } from '../src/wait.ts';

const LIMIT_MS = 20_000 * Number(process.env['HSU_TIME_FACTOR'] ?? 1);

let programs: Programs;
let dir: string;
let server: Arena;
let socket: string;

beforeAll(async () => {
  programs = await compilePrograms();
  dir = await mkdtemp(join(tmpdir(), 'hsu-bench-test-'));
  socket = join(dir, 'ask.sock');
  const argv = [programs.ask, 'serve', socket, '42000'];
  server = new Arena(programs.arena, join(dir, 'output'), { argv, env: {}, cwd: dir });
  await until('a socket', LIMIT_MS, 5, AbortSignal.timeout(LIMIT_MS), async () =>
    (await readdir(dir)).includes('ask.sock') ? true : undefined,
  );
}, LIMIT_MS * 2);

afterAll(async () => {
  await server.end();
  await rm(dir, { recursive: true, force: true });
});

describe('asking over a unix socket', () => {
  it('gives whole answers over one connection', async () => {
    const asker = askByHttp(socket, { path: '/v1/workers' });
    const lengths = [];
    for (let at = 0; at < 3; at++) lengths.push((await asker.ask()).length);
    asker.close();
    expect(lengths).toEqual([42_000, 42_000, 42_000]);
  });

  it('is done by a program in C as well, which ends with 0', async () => {
    const argv = [programs.ask, socket, '/v1/workers', '3'];
    const client = new Arena(programs.arena, join(dir, 'answers'), { argv, env: {}, cwd: dir });
    const ended = await within(LIMIT_MS, AbortSignal.timeout(LIMIT_MS), client.exited);
    await client.end();
    expect(ended?.status).toBe(0);
  });

  it('fails where nobody listens', async () => {
    const asker = askByHttp(join(dir, 'nobody.sock'), { path: '/' });
    await expect(asker.ask()).rejects.toThrow('ENOENT');
    asker.close();
  });
});
