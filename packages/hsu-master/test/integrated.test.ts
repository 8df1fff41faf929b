import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { command } from './background.ts';
import { eventually, it, type Launched, ROOT, type Stage } from './drive.ts';
import { ordinary } from './ordinary.ts';

/** Listens on the port that stands last among its arguments, as servers do: sharing addresses. Says so, and never ends. */
const LISTENER = `
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char** words) {
  int port = atoi(words[count - 1]), on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int failed = bind(fd, (struct sockaddr*)&in, sizeof in) || listen(fd, 16);
  printf(failed ? "refused %d\\n" : "listens on %d\\n", failed ? errno : port);
  fflush(stdout);
  if (failed) return 3;
  for (;;) close(accept(fd, 0, 0));
}
`;

/** Takes ports by chance, as all programs do that connect or want any port, until it is ended; then names them. */
const STRANGER = `
const { createServer } = require('node:net');
const held = [];
(function more() {
  const server = createServer().listen(0, '127.0.0.1', () => {
    held.push(server.address().port);
    if (held.length === 1) console.log('at it');
    if (held.length < 1500) setTimeout(more, 1);
  });
})();
process.on('SIGTERM', () => { console.log(JSON.stringify(held)); process.exit(); });
`;

function compiled(stage: Stage): string {
  const file = stage.path('listener');
  execFileSync('cc', ['-o', file, stage.write('listener.c', LISTENER)]);
  return file;
}

interface UnitKeys {
  readonly [key: string]: unknown;
}

/** An integrated unit that runs this program. */
function unit(id: string, [executable_path, ...args]: readonly string[], keys: UnitKeys = {}, control = {}) {
  return {
    id,
    type: 'integrated',
    unit: {
      integrated: {
        control: {
          execution: { executable_path, args },
          context_aware_restart: { default: { retry_delay: '200ms', backoff_rate: 1 } },
          ...control,
        },
        ...keys,
      },
    },
  };
}

const QUIET = { health_check_run_options: { enabled: false } };
const SOON = { health_check_run_options: { interval: '2s', timeout: '1s' } };

/** A unit of @hsu-master/unit that says what it knows. */
const NODE_UNIT = `
import { serveUnit } from ${JSON.stringify(join(ROOT, 'packages', 'unit', 'dist', 'index.js'))};
const unit = await serveUnit({
  onGreeting: ({ worker, run }) => console.log('greeted as', worker, run),
  onStop: ({ by }) => console.log('stop'),
});
console.log('port', unit.port);
`;

function nodeUnit(stage: Stage): readonly string[] {
  return [process.execPath, stage.write('unit.mjs', NODE_UNIT)];
}

function ports(master: Launched, said = 'listens on'): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of master.lines) {
    const [, worker, port] = new RegExp(`^(\\w+) *\\| ${said} (\\d+)$`).exec(line) ?? [];
    if (worker !== undefined) found.set(worker, [...(found.get(worker) ?? []), Number(port)]);
  }
  return found;
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('ports that are given', () => {
  it('are in PORT of a worker in the short form, and are shown by ls and describe', async ({ stage }) => {
    const told = { id: 'told', command: ['sh', '-c', 'echo port $PORT $#; exec sleep 1000'], port: 0 };
    const none = { id: 'none', command: ['sh', '-c', 'echo portless$PORT; exec sleep 1000'] };
    const up = await command(stage, ['up', '-f', stage.config([told, none, unit('svc', nodeUnit(stage))])]);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    const { workers } = JSON.parse((await command(stage, ['ls', '-o', 'json'])).stdout) as {
      workers: { id: string; port: number | null }[];
    };
    const ports = new Map(workers.map(({ id, port }) => [id, port]));
    expect(ports).toEqual(
      new Map([
        ['told', expect.any(Number)],
        ['none', null],
        ['svc', expect.any(Number)],
      ]),
    );
    const lines = await command(stage, ['logs', 'told', 'none', 'svc']);
    expect(lines.stdout).toContain(`port ${ports.get('told')} 0`);
    expect(lines.stdout).toMatch(/portless$/m);
    expect(lines.stdout).toContain(`port ${ports.get('svc')}`);
    const wide = (await command(stage, ['ls', '-o', 'wide'])).stdout;
    expect(wide).toMatch(/\bPORT\b/);
    expect(wide).toMatch(new RegExp(`^told .*\\b${ports.get('told')}\\b`, 'm'));
    expect((await command(stage, ['describe', 'told'])).stdout).toContain(
      `\nport         ${ports.get('told')}\n`,
    );
    await command(stage, ['stop', 'told']);
    expect((await command(stage, ['describe', 'told'])).stdout).not.toContain('\nport');
    expect((await command(stage, ['down'])).code).toBe(0);
  });
});

describe('ports of integrated units', () => {
  it('200 at once: no two get the same, none is a stranger’s, and each keeps its own over a crash', async ({
    stage,
  }) => {
    const program = compiled(stage);
    const stranger = stage.launch([process.execPath, '-e', STRANGER]);
    await stranger.line(/at it/);
    const ids = Array.from({ length: 200 }, (_, at) => `u${at}`);
    const master = stage.run(ids.map((id) => unit(id, [program], QUIET)));
    await master.until('all listen', () => ports(master).size === 200);
    stranger.signal('SIGTERM');
    await stranger.end();
    const strangers = new Set(JSON.parse(stranger.lines.at(-1) ?? '[]') as number[]);
    const given = [...ports(master).values()].flat();
    expect(strangers.size).toBeGreaterThan(10);
    expect(new Set(given).size).toBe(200);
    expect(given.filter((port) => strangers.has(port))).toEqual([]);
    expect(master.matching(/refused/)).toEqual([]);

    const crashed = ids.slice(0, 20);
    for (const id of crashed) process.kill(await master.started(id), 'SIGKILL');
    await master.until('they listen again', () => crashed.every((id) => ports(master).get(id)?.length === 2));
    for (const id of crashed) expect(new Set(ports(master).get(id)).size).toBe(1);
    expect(master.matching(/refused/)).toEqual([]);
    expect(await master.stop()).toEqual({ code: 0, signal: null });
  });

  it('J1: a fixed port that is taken is refused with who has it, and had as soon as it is free', async ({
    stage,
  }) => {
    const server = await listenOn(0);
    const { port } = server.address() as { port: number };
    const master = stage.run([
      unit('svc', [compiled(stage)], { ...QUIET, port }, { retry_failed_start: true }),
    ]);
    await master.line(new RegExp(`^svc: port ${port} is taken: pid ${process.pid} \\(.*\\) has ${port}`));
    server.close();
    await master.line(new RegExp(`^svc \\| listens on ${port}$`));
    await master.stop();
  });

  it('a port of a range is the same one for the same worker, over masters too', async ({ stage }) => {
    const program = compiled(stage);
    const config = ['a', 'b', 'c'].map((id) => unit(id, [program], { ...QUIET, port: '23100-23199' }));
    const seen: unknown[] = [];
    for (let life = 0; life < 2; life += 1) {
      const master = stage.run(config);
      await master.until('all listen', () => ports(master).size === 3);
      seen.push(Object.fromEntries(ports(master)));
      await master.stop();
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  it('A16: with port_handover socket it is given a socket that listens, and no other descriptor', async ({
    stage,
  }) => {
    const master = stage.run([unit('svc', nodeUnit(stage), { ...SOON, port_handover: 'socket' })]);
    await master.line(/^svc: ready$/);
    const pid = await master.started('svc');
    await master.line(/^svc *\| port \d+$/);
    const port = ports(master, 'port').get('svc')?.[0];
    expect(readlinkSync(`/proc/${pid}/fd/3`)).toMatch(/^socket:/);
    expect(readFileSync(join(stage.home, 'run', 'hsu-master', 'svc.port'), 'utf8')).toBe(`${port}\n`);
    const own = readdirSync(`/proc/${master.pid}/fd`).map((fd) => linkOf(`/proc/${master.pid}/fd/${fd}`));
    expect(own).not.toContain(readlinkSync(`/proc/${pid}/fd/3`));
    process.kill(pid, 'SIGKILL');
    await master.started('svc', 2);
    await master.until('it listens again', () => ports(master, 'port').get('svc')?.length === 2);
    expect(ports(master, 'port').get('svc')).toEqual([port, port]);
    await master.stop();
  });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

describe('integrated units', () => {
  it('of an ordinary user: ready when they say so, greeted, found by their files, asked to stop', async ({
    stage,
    skip,
  }) => {
    const options = ordinary(stage, skip);
    const master = stage.run([unit('svc', nodeUnit(stage), SOON)], [], options);
    await master.line(/^svc: ready$/);
    await master.line(/^svc \| greeted as svc 1$/);
    const files = join(stage.home, 'run', 'hsu-master');
    const pid = await master.started('svc');
    expect(readFileSync(join(files, 'svc.pid'), 'utf8')).toBe(`${pid}\n`);
    expect(await master.stop()).toEqual({ code: 0, signal: null });
    expect(master.matching(/^svc \| stop$/)).toHaveLength(1);
    expect(readdirSync(files)).toEqual([]);
  });

  it('a unit that hangs is restarted, and costs the master no descriptors meanwhile', async ({ stage }) => {
    const keys = { health_check_run_options: { interval: '4s', timeout: '400ms', retries: 3 } };
    const grace = {
      graceful_timeout: '1s',
      context_aware_restart: {
        default: { retry_delay: '200ms', backoff_rate: 1 },
        startup_grace_period: '0s',
      },
    };
    const master = stage.run([unit('svc', nodeUnit(stage), keys, grace)]);
    await master.line(/^svc: ready$/);
    const before = readdirSync(`/proc/${master.pid}/fd`).length;
    process.kill(await master.started('svc'), 'SIGSTOP');
    await master.line(/^svc: not ready: no answer over gRPC from 127\.0\.0\.1:\d+ within/);
    expect(readdirSync(`/proc/${master.pid}/fd`).length).toBeLessThanOrEqual(before + 2);
    await master.started('svc', 2);
    await master.line(/^svc \| greeted as svc 2$/);
    const [first, second] = ports(master, 'port').get('svc') ?? [];
    expect(second).toBe(first);
    await master.stop();
  });

  it('whose master is killed live on; the next one has their port, asks them, greets them, and renews their files', async ({
    stage,
  }) => {
    const config = [unit('svc', nodeUnit(stage), SOON)];
    const first = stage.run(config);
    await first.line(/^svc: ready$/);
    const pid = await first.started('svc');
    const [port] = ports(first, 'port').get('svc') ?? [];
    first.kill();
    await first.ended;
    const next = stage.run(config);
    await next.line(new RegExp(`^svc: runs on \\(pid ${pid},`));
    await next.line(/^svc \| greeted as svc 1$/);
    expect(next.matching(/not ready/)).toEqual([]);
    const files = join(stage.home, 'run', 'hsu-master');
    expect(readFileSync(join(files, 'svc.port'), 'utf8')).toBe(`${port}\n`);
    process.kill(pid, 'SIGKILL');
    await next.until('it listens again', () => ports(next, 'port').get('svc') !== undefined);
    expect(ports(next, 'port').get('svc')).toEqual([port]);
    await next.line(/^svc \| greeted as svc 2$/);
    await eventually(() => readFileSync(join(files, 'svc.identity'), 'utf8').includes('"run":2'));
    await next.stop();
    expect(readdirSync(files)).toEqual([]);
  });

  it('that are left at the master’s end are not asked to stop, and stay to be found', async ({ stage }) => {
    const config = { master: { on_master_exit: 'leave' }, workers: [unit('svc', nodeUnit(stage), SOON)] };
    const first = stage.run(config);
    await first.line(/^svc \| greeted as svc 1$/);
    const pid = await first.started('svc');
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(first.matching(/^svc \| stop$/)).toEqual([]);
    const files = join(stage.home, 'run', 'hsu-master');
    expect(readFileSync(join(files, 'svc.pid'), 'utf8')).toBe(`${pid}\n`);
    const next = stage.run(config);
    await next.line(new RegExp(`^svc: runs on \\(pid ${pid},`));
    await next.line(/^svc \| greeted as svc 1$/);
    await next.stop();
  });
});

describe('without the addon', () => {
  it('a unit gets a port that is free, and keeps it; a socket cannot be passed, and that is said', async ({
    stage,
  }) => {
    const program = compiled(stage);
    const config = [
      unit('svc', [program], QUIET),
      unit('sock', [program], { ...QUIET, port_handover: 'socket' }),
    ];
    const master = stage.run(config, [], { env: { HSU_NATIVE: 'off' } });
    await master.line(/^svc *\| listens on \d+$/);
    await master.line(/^sock: cannot start .*: a socket that listens cannot be set without the addon/);
    process.kill(await master.started('svc'), 'SIGKILL');
    await master.until('it listens again', () => ports(master).get('svc')?.length === 2);
    expect(new Set(ports(master).get('svc')).size).toBe(1);
    await master.stop();
  });
});

describe('pid files', () => {
  it('H4: what was left is swept, a foreign one is named and stays, the worker runs all the same', async ({
    stage,
  }) => {
    const directory = stage.path('pids');
    execFileSync('mkdir', [directory]);
    stage.write('pids/gone.pid', '4194303\n');
    stage.write('pids/taken.pid', `${process.pid}\n`);
    const worker = (id: string, enabled = true) => ({
      id,
      type: 'managed',
      enabled,
      unit: {
        managed: {
          control: {
            execution: { executable_path: 'sleep', args: ['600'] },
            process_file: { servicecontext: 'user', basedirectory: directory },
          },
        },
      },
    });
    const master = stage.run([worker('svc'), worker('taken'), worker('gone', false)]);
    const pid = await master.started('svc');
    await master.line(
      new RegExp(
        `^taken: its pid file .*/taken\\.pid cannot be written: it names pid ${process.pid}, which lives`,
      ),
    );
    expect(readFileSync(join(directory, 'svc.pid'), 'utf8')).toBe(`${pid}\n`);
    expect(existsSync(join(directory, 'svc.port'))).toBe(false);
    await master.stop();
    expect(readdirSync(directory)).toEqual(['taken.pid']);
    expect(readFileSync(join(directory, 'taken.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });

  it('of a worker that is not configured any more are gone when what a killed master left of it is', async ({
    stage,
  }) => {
    const directory = stage.path('pids');
    const keys = { control: { process_file: { servicecontext: 'user', basedirectory: directory } } };
    const svc = unit('svc', nodeUnit(stage), {}, keys.control);
    const first = stage.run([svc, { id: 'other', command: 'sleep 1000' }]);
    await first.line(/^svc *\| port \d+$/);
    await eventually(() => existsSync(join(directory, 'svc.pid')));
    await first.stop('SIGKILL');
    expect(readdirSync(directory).sort()).toEqual(['svc.identity', 'svc.pid', 'svc.port']);
    const second = stage.run([{ id: 'other', command: 'sleep 1000' }]);
    await second.line(/^svc: ended pid \d+, which an earlier master had left running$/);
    await eventually(() => readdirSync(directory).length === 0);
    await second.stop();
  });
});
