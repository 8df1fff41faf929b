import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRoot, native, openBench } from './harness.ts';

const own = [process.pid];

function temporary(): string {
  const made = mkdtempSync(join(realpathSync(tmpdir()), 'hsu-look-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe('a look at processes', () => {
  it('tells of all what it is asked and nothing else', () => {
    const { processes } = native.lookAtProcesses({});
    const table = native.processTable();
    expect(processes.length).toBeGreaterThan(table.length / 2);
    const self = processes.find(({ pid }) => pid === process.pid);
    const { ppid, startTime } = native.identify(process.pid) ?? {};
    expect(self).toMatchObject({ pid: process.pid, ppid, startTime, isKernelThread: false, losses: [] });
    expect(self?.name).toBe(readFileSync('/proc/self/comm', 'utf8').trim());
    for (const key of ['argv', 'exe', 'cwd', 'user', 'environment', 'listeners', 'files'] as const)
      expect(self?.[key]).toBeUndefined();
  });

  it('tells arguments, places, user and environment as they are', async () => {
    const bench = openBench();
    const cwd = temporary();
    const argv = ['an odd\nname', '', 'é', '--port=1'];
    const env = ['A=1', 'B=x=y', 'A=2', 'HIDDEN'];
    const { handle, pid } = bench.run({
      file: '/bin/sh',
      argv: ['sh', '-c', 'kill -STOP $$', ...argv],
      cwd,
      env,
    });
    await bench.execed(handle);
    const asked = { pids: [pid], argv: true, exe: true, cwd: true, user: true, environment: true };
    const [seen] = native.lookAtProcesses(asked).processes;
    expect(seen?.argv).toEqual(['sh', '-c', 'kill -STOP $$', ...argv]);
    expect(seen).toMatchObject({ exe: readlinkSync(`/proc/${pid}/exe`), cwd, user: process.geteuid?.() });
    expect(Object.fromEntries(seen?.environment ?? [])).toMatchObject({ A: '1', B: 'x=y' });
    expect(seen?.name).toBe('sh');
    bench.engine.signal(handle, 9);
    await bench.exit(handle);
    expect(native.lookAtProcesses({ pids: [pid] }).processes).toEqual([]);
  });

  it('tells who listens, TCP and UDP, on which addresses', async () => {
    const four = createServer().listen(0, '127.0.0.1');
    const six = createServer().listen(0, '::');
    const datagrams = createSocket('udp4').bind(0, '127.0.0.1');
    await new Promise((resolve) => datagrams.once('listening', resolve));
    onTestFinished(() => {
      four.close();
      six.close();
      datagrams.close();
    });
    const portOf = (server: typeof four): number => (server.address() as AddressInfo).port;
    const tcp = { protocol: 'tcp', port: portOf(four) } as const;
    const udp = { protocol: 'udp', port: datagrams.address().port } as const;
    const listenersOf = (ports: 'all' | readonly (typeof tcp | typeof udp)[]) =>
      native.lookAtProcesses({ pids: own, ports }).processes[0]?.listeners;
    expect(listenersOf([tcp])).toEqual([{ ...tcp, address: '127.0.0.1' }]);
    expect(listenersOf([udp])).toEqual([{ ...udp, address: '127.0.0.1' }]);
    expect(listenersOf([{ protocol: 'udp', port: tcp.port }])).toEqual([]);
    const all = listenersOf('all') ?? [];
    expect(all).toContainEqual({ protocol: 'tcp', port: portOf(six), address: '::' });
    expect(all).toContainEqual({ ...tcp, address: '127.0.0.1' });
    const holders = native.lookAtProcesses({ ports: [tcp] }).processes.filter((one) => one.listeners?.length);
    expect(holders.map(({ pid }) => pid)).toEqual(own);
  });

  it('tells who has a file or a unix socket open', async () => {
    const folder = temporary();
    const file = join(folder, 'a file');
    openSync(file, 'w');
    const path = join(folder, 'a socket');
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    symlinkSync(file, join(folder, 'link'));
    const files = [file, path, join(folder, 'nobody')];
    const holders = native.lookAtProcesses({ files }).processes.filter((one) => one.files?.length);
    expect(holders.map(({ pid, files: held }) => [pid, [...(held ?? [])].sort()])).toEqual([
      [process.pid, [file, path].sort()],
    ]);
  });

  it('knows kernel threads, and reads nothing of them', () => {
    const asked = { argv: true, exe: true };
    const threads = native.lookAtProcesses(asked).processes.filter((one) => one.isKernelThread);
    for (const thread of threads) expect(thread.argv ?? []).toEqual([]);
    const expected = spawnSync('sh', ['-c', 'cat /proc/2/comm'], { encoding: 'utf8' }).stdout.trim();
    if (expected === 'kthreadd') expect(threads.map(({ pid }) => pid)).toContain(2);
  });

  it.runIf(isRoot)('says what an ordinary user may not read of others', async () => {
    const bench = openBench();
    const { handle, pid } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
    const asked = { pids: [pid], argv: true, exe: true, environment: true, ports: 'all' } as const;
    const [seen] = native.lookAtProcesses({ ...asked, files: ['/dev/null'] }).processes;
    expect(seen).toMatchObject({ exe: null, environment: null, listeners: null, files: null });
    expect(seen?.argv).toEqual(['sleep', '60']);
    expect(seen?.losses.map(({ field }) => field)).toEqual(['exe', 'environment', 'descriptors']);
    expect(seen?.losses.every(({ code }) => code === 'EACCES')).toBe(true);
  });

  it('refuses what is no query', () => {
    const wrong = (query: unknown) => () => native.lookAtProcesses(query as never);
    expect(wrong({ pids: [0] })).toThrow(RangeError);
    expect(wrong({ argv: 1 })).toThrow(TypeError);
    expect(wrong({ ports: [{ protocol: 'sctp', port: 1 }] })).toThrow(TypeError);
    expect(wrong({ ports: [{ protocol: 'tcp', port: 65_536 }] })).toThrow(RangeError);
    expect(wrong({ files: ['a\0b'] })).toThrow(TypeError);
  });
});
