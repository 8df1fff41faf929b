import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { creature } from '../src/zoo/creature.ts';
import * as zoo from '../src/zoo/zoo.ts';

async function run(
  argv: readonly [string, ...string[]],
  onOutput: (text: string, kill: () => void) => void = () => {},
) {
  const [file, ...args] = argv;
  const child = spawn(file, args, { env: { GREETING: 'hi', HSU_RUN: 'm1' }, cwd: '/usr' });
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
    onOutput(output, () => child.kill('SIGTERM'));
  });
  const [code, signal] = await once(child, 'exit');
  return { code, signal, output, pid: child.pid };
}

test('a creature exits, crashes and tells its surroundings as its words say', async () => {
  expect(await run(zoo.exitsAtOnce(7).argv)).toMatchObject({ code: 7, signal: null });
  expect(await run(zoo.crashes('SIGABRT').argv)).toMatchObject({ code: null, signal: 'SIGABRT' });
  const told = await run(zoo.tellsItsSurroundings('GREETING').argv);
  expect(told.output).toBe(`/usr\nhi\nm1\n${told.pid}\n`);
});

test('a creature can choose how it ends on SIGTERM', async () => {
  const { code, output } = await run(
    creature('on-term', '{', 'print', 'bye', 'exit', '9', '}', 'print', 'up', 'sleep'),
    (text, kill) => {
      if (text === 'up\n') kill();
    },
  );
  expect([code, output]).toEqual([9, 'up\nbye\n']);
});

test('a creature says how much of memory, processor, processes, descriptors and a disk it got', async () => {
  const folder = mkdtempSync(join(import.meta.dirname, '..', 'dist', 'zoo-'));
  try {
    const file = join(folder, 'written');
    const words = ['hog', '2', 'map', '64', 'grow', '2', '1', 'burn', '10', 'forks', '2', 'opens', '3'];
    const { code, output } = await run(creature('session', ...words, 'write-direct', file, '2', 'kill-all'));
    expect(output).toMatch(
      /^hog 2 ok\nmap 64 ok\ngrow 2 ok\nburn \d+ ok\nforks 2 ok\nopens 3 ok\nwrite-direct 2 ok\n$/,
    );
    expect(code).toBe(null);
    expect(statSync(file).size).toBe(2 << 20);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.runIf(existsSync('/proc/self'))(
  'a wiped daemon shows no environment, and lives outside its leader’s session',
  async () => {
    const words = ['orphan', '{', 'session', 'wipe', 'pid', 'pause', '5000', '}', 'pause', '5000'];
    let pid = 0;
    let environment = 'not read';
    let sessions: readonly (string | undefined)[] = [];
    const session = (of: number) => readFileSync(`/proc/${of}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    const { pid: leader } = await run(creature(...words), (text, kill) => {
      pid = Number(text);
      environment = readFileSync(`/proc/${pid}/environ`, 'utf8').replaceAll('\0', '');
      sessions = [session(pid), session(process.pid)];
      kill();
    });
    process.kill(pid, 'SIGKILL');
    expect(environment).toBe('');
    expect(sessions[0]).toBe(String(pid));
    expect(sessions[0]).not.toBe(sessions[1]);
    expect(leader).not.toBe(pid);
  },
);

test('the health of the HTTP server can be switched', async () => {
  const port = await freePort();
  const [file, ...args] = zoo.httpServer(process.execPath, port);
  const child = spawn(file, args);
  await once(child.stdout, 'data');
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect([await ask('/health'), await ask('/become/503'), await ask('/health')]).toEqual([200, 200, 503]);
  child.kill('SIGKILL');
  await once(child, 'exit');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
