import { copyFileSync, mkdirSync, readlinkSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { DiscoverySpec, Finding, Strategy } from '@hsu-master/core';
import { describe, expect, it } from 'vitest';
import { createFinder } from '../src/discovery/finder.ts';
import type { Tools } from '../src/discovery/matcher.ts';
import { nativeSource } from '../src/host/process-source.ts';
import { realClock } from '../src/real-clock.ts';
import { eventually, loadedNative, startForeign, temporary, tools, write } from './foreign.ts';

const isRoot = process.getuid?.() === 0;
const source = nativeSource(loadedNative());
const SLEEP = '/bin/sleep';

/** Unlike any other process of the machine. */
let last = 0;
function unique(word: string): string {
  last += 1;
  return `hsu-${word}-${process.pid}-${last}`;
}

function discovery(strategy: Strategy, differs: Partial<DiscoverySpec> = {}): DiscoverySpec {
  return {
    strategy,
    exclude: [],
    choose: 'only',
    validation: [],
    timeout: 2000,
    interval: 1000,
    ...differs,
  };
}

function find(
  strategy: Strategy,
  differs: Partial<DiscoverySpec> = {},
  given: { readonly tools?: Partial<Tools>; readonly isTaken?: (pid: number) => boolean } = {},
): Promise<Finding> {
  const parts = { source, tools: tools(given.tools), clock: realClock(), ownPid: process.pid };
  return createFinder(parts).find(discovery(strategy, differs), ({ pid }) => given.isTaken?.(pid) ?? false);
}

/** The pid that is found, or why none is. */
async function pidOf(strategy: Strategy, differs: Partial<DiscoverySpec> = {}): Promise<number | string> {
  const found = await find(strategy, differs);
  return found.kind === 'found' ? found.process.pid : found.reason;
}

const commandLine = (pattern: string): Strategy => ({ kind: 'command-line', pattern });
const byName = (name: string, differs: object = {}): Strategy => ({
  kind: 'name',
  name,
  pattern: null,
  args: [],
  ...differs,
});

/** A program of that name that sleeps. */
function sleeper(name: string): string {
  const path = join(temporary(), name);
  copyFileSync(SLEEP, path);
  return path;
}

describe('a strategy finds a process that somebody else started', () => {
  it('by its pid file, whatever follows the pid in it', async () => {
    const { pid } = startForeign('exec sleep 60');
    const folder = temporary();
    const path = write(folder, 'it.pid', `${pid}\n/some/where\n5432\n`);
    expect(await pidOf({ kind: 'pid-file', path, checkAge: true })).toBe(pid);
    const none = join(folder, 'none.pid');
    expect(await pidOf({ kind: 'pid-file', path: none, checkAge: true })).toMatch(
      `there is no pid file ${none}`,
    );
  });

  it.each(['', 'garbage', '-1', '0', '99999999', '12x', `${process.pid}`, '1', '4194303'])(
    'H4 K1: but not by a pid file that holds %j',
    async (text) => {
      const path = write(temporary(), 'it.pid', text);
      expect((await find({ kind: 'pid-file', path, checkAge: false })).kind).toBe('none');
    },
  );

  it('H4: not by a stale pid file, whose pid is another’s by now, unless something else says who it is', async () => {
    const { pid } = startForeign('exec sleep 61');
    const path = write(temporary(), 'it.pid', `${pid}`);
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(path, longAgo, longAgo);
    expect(await pidOf({ kind: 'pid-file', path, checkAge: true })).toMatch(
      /is stale: process \d+ began after/,
    );
    expect(await pidOf({ kind: 'pid-file', path, checkAge: false })).toBe(pid);
  });

  it('by its name, its program’s, the longer one of them, and by a pattern in them', async () => {
    const short = unique('n').slice(0, 15);
    const long = unique('a-name-that-the-kernel-cuts');
    const { pid } = startForeign(`exec ${sleeper(short)} 60`);
    const { pid: longer } = startForeign(`exec ${sleeper(long)} 60`);
    const isThere = async () =>
      (await find(byName(short))).kind === 'found' && (await find(byName(long))).kind === 'found';
    await eventually(isThere, 'both run');
    expect(await pidOf(byName(short))).toBe(pid);
    expect(await pidOf(byName(long))).toBe(longer);
    expect(await pidOf(byName(long.slice(0, 15)))).not.toBe(pid);
    const pattern: Strategy = { kind: 'name', name: null, pattern: `^${short}$`, args: [] };
    expect(await pidOf(pattern)).toBe(pid);
    expect(await pidOf(byName(short, { args: ['60'] }))).toBe(pid);
    expect((await find(byName(short, { args: ['61'] }))).kind).toBe('none');
  });

  it('by its command line, and not by our own or the one of who began us', async () => {
    const word = unique('c');
    const { pid } = startForeign(`sleep 60; true ${word}`);
    expect(await pidOf(commandLine(word))).toBe(pid);
    // The pattern of all.
    const all = await find(commandLine('.'));
    expect(all.kind).toBe('ambiguous');
    const pids = all.kind === 'ambiguous' ? all.processes.map((one) => one.pid) : [];
    expect(pids).not.toContain(process.pid);
    expect(pids).not.toContain(process.ppid);
    expect(pids).not.toContain(1);
  });

  it('by a port that it listens on, TCP or UDP, on any address or one', async () => {
    const folder = temporary();
    const file = join(folder, 'port');
    const program = write(
      folder,
      'listen.mjs',
      `import { writeFileSync } from 'node:fs'; import { createServer } from 'node:net'; import { createSocket } from 'node:dgram';
       const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address();
         createSocket('udp6').bind(port, '::1', () => writeFileSync(${JSON.stringify(file)}, String(port))); });`,
    );
    const { pid } = startForeign(`exec ${process.execPath} ${program}`);
    const port = async (): Promise<number> => Number(tools().readText(file)?.text ?? 0);
    await eventually(async () => (await port()) > 0, 'it listens');
    const at = { kind: 'port', port: await port(), address: null } as const;
    expect(await pidOf({ ...at, protocol: 'tcp' })).toBe(pid);
    expect(await pidOf({ ...at, protocol: 'udp' })).toBe(pid);
    expect(await pidOf({ ...at, protocol: 'tcp', address: '127.0.0.1' })).toBe(pid);
    expect((await find({ ...at, protocol: 'tcp', address: '127.0.0.2' })).kind).toBe('none');
  });

  it('by its parent, its environment, its working directory and its user', async () => {
    const cwd = temporary();
    const word = unique('e');
    mkdirSync(join(cwd, 'below'));
    symlinkSync(join(cwd, 'below'), join(cwd, 'link'));
    const { pid } = startForeign('sleep 60 & wait', {
      cwd: join(cwd, 'below'),
      env: { HSU_TEST_WORD: word },
    });
    const variable = { kind: 'environment', name: 'HSU_TEST_WORD', value: null, pattern: null } as const;
    expect(await pidOf({ ...variable, value: word })).toBe(pid);
    expect(await pidOf({ ...variable, pattern: `^${word}$` })).toBe(pid);
    expect((await find({ ...variable, value: `${word}x` })).kind).toBe('none');
    expect(await pidOf({ kind: 'directory', path: join(cwd, 'link'), below: false })).toBe(pid);
    expect(await pidOf({ kind: 'directory', path: cwd, below: true })).toBe(pid);
    expect((await find({ kind: 'directory', path: cwd, below: false })).kind).toBe('none');
    const child: Strategy = { kind: 'parent', parent: { ...variable, value: word } };
    const sleep: Strategy = {
      kind: 'all',
      of: [child, { kind: 'name', name: 'sleep', pattern: null, args: [] }],
    };
    await eventually(async () => (await find(sleep)).kind === 'found', 'the child runs');
    expect(await pidOf(sleep)).not.toBe(pid);
    const mine: Strategy = { kind: 'user', user: String(process.geteuid?.()) };
    expect(await pidOf({ kind: 'all', of: [mine, { ...variable, value: word }] })).toBe(pid);
    expect(await pidOf({ kind: 'user', user: 'nobody-of-this-name' })).toMatch('there is no user');
  });

  it('by its program, and by a file or a unix socket that it has open', async () => {
    const path = sleeper(unique('p'));
    const folder = temporary();
    const held = join(folder, 'a held file');
    const { pid } = startForeign(`exec 9> '${held}'; exec ${path} 60`);
    await eventually(async () => (await find({ kind: 'executable', path })).kind === 'found', 'it runs');
    expect(await pidOf({ kind: 'executable', path })).toBe(pid);
    expect(await pidOf({ kind: 'open-file', path: held })).toBe(pid);
    const socket = join(folder, 'socket');
    const listen = `require('net').createServer().listen(process.argv[1])`;
    const server = startForeign(`exec ${process.execPath} -e "${listen}" ${socket}`);
    const open: Strategy = { kind: 'open-file', path: socket };
    await eventually(async () => (await find(open)).kind === 'found', 'it listens');
    expect(await pidOf(open)).toBe(server.pid);
    // Replaced while it runs, as by an upgrade.
    rmSync(path);
    expect(await pidOf({ kind: 'executable', path })).toBe(pid);
  });

  it('by the service that it is the main process of', async () => {
    const { pid } = startForeign('exec sleep 62');
    const systemd: Strategy = { kind: 'service', manager: 'systemd', name: 'web' };
    const asked: string[][] = [];
    const run: Tools['run'] = async (argv) => {
      asked.push([...argv]);
      return { ok: true, output: String(pid) };
    };
    expect(await find(systemd, {}, { tools: { run } })).toMatchObject({ process: { pid } });
    expect(asked).toEqual([['systemctl', 'show', '--property=MainPID', '--value', '--', 'web.service']]);
    const idle = async () => ({ ok: true, output: '0' });
    expect(await find(systemd, {}, { tools: { run: idle } })).toMatchObject({
      kind: 'none',
      reason: 'systemd says that web.service has no main process',
    });
    const files: Record<string, string> = {
      '/etc/init.d/web': '#!/bin/sh\n# processname: web\n# pidfile: /run/web-of-old.pid\n',
      '/run/web-of-old.pid': `${pid}`,
      '/run/openrc/daemons/web/001': 'exec=/bin/web\npidfile=/run/web-of-old.pid\n',
    };
    const readText = (path: string) => ({ text: files[path] ?? '', writtenAt: Date.now() });
    for (const manager of ['init.d', 'openrc'] as const) {
      const service: Strategy = { kind: 'service', manager, name: 'web' };
      expect(await find(service, {}, { tools: { readText } })).toMatchObject({ process: { pid } });
    }
  });
});

describe('strategies together', () => {
  it('all, any and exclusions', async () => {
    const [one, two] = [unique('x'), unique('x')];
    const first = startForeign(`sleep 60; true ${one} both`);
    const second = startForeign(`sleep 60; true ${two} both`);
    const [a, b] = [commandLine(one), commandLine(two)];
    expect(await pidOf({ kind: 'all', of: [a, commandLine('both')] })).toBe(first.pid);
    expect((await find({ kind: 'all', of: [a, b] })).kind).toBe('none');
    expect((await find({ kind: 'any', of: [a, b] })).kind).toBe('ambiguous');
    expect(await pidOf({ kind: 'any', of: [a, b] }, { exclude: [a] })).toBe(second.pid);
    const path = write(temporary(), 'pid', String(second.pid));
    const file: Strategy = { kind: 'pid-file', path, checkAge: false };
    expect(await pidOf({ kind: 'all', of: [file, b] })).toBe(second.pid);
    expect((await find({ kind: 'all', of: [file, a] })).kind).toBe('none');
    const nowhere: Strategy = { kind: 'pid-file', path: `${path}.none`, checkAge: false };
    expect(await pidOf({ kind: 'any', of: [nowhere, file] })).toBe(second.pid);
  });

  it('K1: of two that match none is attached, and both are named; or the oldest, or the newest', async () => {
    const word = unique('k');
    const first = startForeign(`sleep 60; true ${word}`);
    // Start times are told in hundredths of a second.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = startForeign(`sleep 60; true ${word}`);
    const found = await find(commandLine(word));
    expect(found.kind).toBe('ambiguous');
    expect(found).toMatchObject({
      processes: expect.arrayContaining([expect.objectContaining({ pid: first.pid })]),
    });
    expect('reason' in found ? found.reason : '').toMatch(
      /^2 processes match .*: pid \d+ \(.*\), pid \d+ \(/,
    );
    expect(await pidOf(commandLine(word), { choose: 'oldest' })).toBe(first.pid);
    expect(await pidOf(commandLine(word), { choose: 'newest' })).toBe(second.pid);
  });

  it('a server and what it has forked are one; who is taken is not meant', async () => {
    const word = unique('t');
    const { pid } = startForeign(`(sleep 60; true ${word}) & (sleep 60; true ${word}) & wait; true ${word}`);
    expect(await pidOf(commandLine(word))).toBe(pid);
    expect((await find(commandLine(word), {}, { isTaken: (taken) => taken === pid })).kind).toBe('ambiguous');
    expect((await find(commandLine(word), {}, { isTaken: () => true })).kind).toBe('none');
  });
});

describe('validation before attachment', () => {
  it('refuses what is not what it should be, and says why', async () => {
    const word = unique('v');
    const { pid } = startForeign(`exec 3< /etc/passwd; sleep 60; true ${word}`);
    const check = async (...validation: DiscoverySpec['validation']) => {
      const found = await find(commandLine(word), { validation });
      return found.kind === 'invalid' ? found.reason : found.kind;
    };
    const shell = readlinkSync(`/proc/${pid}/exe`);
    expect(
      await check({ type: 'executable', path: '/bin/sh' }, { type: 'file-exists', path: '/etc/passwd' }),
    ).toBe('found');
    expect(await check({ type: 'executable', path: '/bin/none' })).toBe(`it is ${shell}, not /bin/none`);
    expect(await check({ type: 'file-exists', path: '/none' })).toBe('there is no /none');
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/health' ? 204 : 503;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as { port: number }).port;
    const url = (path: string) => ({ type: 'http-health', url: `http://127.0.0.1:${port}${path}` }) as const;
    expect(await check(url('/health'))).toBe('found');
    expect(await check(url('/'))).toMatch('answers 503');
    const at = { type: 'port-check', protocol: 'tcp', host: '127.0.0.1' } as const;
    expect(await check({ ...at, port })).toMatch(`tcp port ${port} is held by pid ${process.pid}`);
    await new Promise((resolve) => server.close(resolve));
    expect(await check({ ...at, port })).toBe(`nobody listens on tcp port ${port}`);
    expect(await check(url('/health'))).toMatch('ECONNREFUSED');
  });
});

describe.runIf(isRoot)('an ordinary user', () => {
  it('is told what it may not see', async () => {
    const word = unique('o');
    startForeign('exec sleep 60', { env: { HSU_TEST_WORD: word } });
    process.seteuid?.(65_534);
    try {
      const variable = { kind: 'environment', name: 'HSU_TEST_WORD', value: word, pattern: null } as const;
      expect(await pidOf(variable)).toMatch(
        /^environment HSU_TEST_WORD=\S+ \(the environment of \d+ processes may not be read by this user\)$/,
      );
      expect(await pidOf({ kind: 'port', protocol: 'tcp', port: 1, address: null })).not.toMatch(
        'may not be read',
      );
    } finally {
      process.seteuid?.(0);
    }
  });
});
