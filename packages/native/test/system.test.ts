import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { folder, isSanitized, native, openBench, runProgram, until } from './harness.ts';

describe('processes', () => {
  it('are identified by pid and start time', async () => {
    const own = native.identify(process.pid);
    expect(own).toMatchObject({
      pid: process.pid,
      ppid: process.ppid,
      state: expect.stringMatching(/^[RS]$/),
    });
    expect(native.identify(process.pid)?.startTime).toBe(own?.startTime);
    const bench = openBench();
    const { handle, pid } = bench.run({ file: '/bin/true' });
    await bench.exit(handle);
    expect(native.identify(pid)).toBeNull();
    expect(native.identify(4_194_303)).toBeNull();
  });

  it('are read right whatever their names hold', async () => {
    const bench = openBench();
    const name = ') Z 1 (';
    const { handle, pid } = bench.run({
      file: '/bin/sh',
      argv: ['sh', '-c', `printf %s '${name}' > /proc/$$/comm; echo ready; while :; do sleep 60; done`],
      stdout: 'capture',
    });
    await until(() => bench.output(handle) === 'ready\n', 'the name is set');
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(`(${name})`);
    expect(native.identify(pid)).toMatchObject({ pid, ppid: process.pid, pgid: pid });
  });

  it('are listed in one table', async () => {
    const bench = openBench();
    const spawned = [1, 2, 3].map(() => bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] }));
    for (const { handle } of spawned) await bench.execed(handle);
    const pids = spawned.map(({ pid }) => pid);
    const table = native.processTable();
    const rows = table.filter((row) => pids.includes(row.pid));
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toEqual({ ...native.identify(row.pid), state: row.state });
    expect(new Set(table.map((row) => row.pid)).size).toBe(table.length);
  });

  it('show their environment', async () => {
    const bench = openBench();
    const env = ['HSU_RUN=web:7', 'EMPTY=', 'OTHER_HSU_RUN=no', `LONG=${'x'.repeat(100_000)}`, 'LAST=é=1'];
    const { handle, pid } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'], env });
    await bench.execed(handle);
    expect(native.environOf(pid, 'HSU_RUN')).toBe('web:7');
    expect(native.environOf(pid, 'EMPTY')).toBe('');
    expect(native.environOf(pid, 'LONG')).toHaveLength(100_000);
    expect(native.environOf(pid, 'LAST')).toBe('é=1');
    expect(native.environOf(pid, 'RUN')).toBeNull();
    expect(native.environOf(4_194_303, 'HSU_RUN')).toBeNull();
  });

  it('G1: are seen and can be signalled where no descriptor is free: nobody is taken for gone', async () => {
    const { stdout, stderr } = await runProgram('no-descriptor').closed;
    expect(stderr).toBe('');
    const seen = { identified: true, listed: true, mark: 'web:7', signalled: true };
    const told = stdout.trim().split('\n');
    expect(told.map((line) => JSON.parse(line) as unknown)).toEqual([seen, seen]);
  });

  it('belong to a boot', () => {
    expect(native.bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});

describe('users and groups', () => {
  it('are found by name and by number', () => {
    const root = {
      uid: 0,
      gid: 0,
      name: 'root',
      home: expect.any(String),
      groups: expect.arrayContaining([0]),
    };
    expect(native.lookupUser('root')).toMatchObject(root);
    expect(native.lookupUser('0')).toMatchObject(root);
    expect(native.lookupGroup('root')).toBe(0);
    expect(native.lookupGroup('54321')).toBe(54_321);
  });

  it('are unknown otherwise', () => {
    for (const name of ['', 'no such user', '4000000000', '99999999999', '-1', '0x0', ' 0']) {
      expect(native.lookupUser(name), name).toBeNull();
    }
    for (const name of ['', 'no such group', '4294967295', '-1'])
      expect(native.lookupGroup(name), name).toBeNull();
  });
});

describe('a lock', () => {
  it('H5: has one holder, until it is given back', () => {
    const file = join(folder(), 'lock');
    const lock = native.lockFile(file);
    expect(lock).toEqual(expect.any(Number));
    expect(native.lockFile(file)).toBeNull();
    native.unlockFile(lock ?? -1);
    const again = native.lockFile(file);
    expect(again).toEqual(expect.any(Number));
    native.unlockFile(again ?? -1);
  });

  it('is not held by the processes its holder starts, nor by the engine', async () => {
    const file = join(folder(), 'lock');
    const lock = native.lockFile(file) ?? -1;
    const bench = openBench();
    const { handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    const waiting = bench.start({ file: '/bin/true' });
    await bench.execed(handle);
    expect(readlinkSync(`/proc/self/fd/${lock}`)).toBe(file);
    native.unlockFile(lock);
    const again = native.lockFile(file);
    expect(again).toEqual(expect.any(Number));
    native.unlockFile(again ?? -1);
    bench.engine.release(waiting.handle, false);
    await bench.failure(waiting.handle);
  });

  it('fails with the name of the error where there is no place for it', () => {
    expect(() => native.lockFile('/no/such/folder/lock')).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'open', message: 'open: ENOENT' }),
    );
  });
});

describe('a datagram', () => {
  it('that cannot be sent says why', () => {
    const place = folder();
    const bytes = Buffer.from('hello');
    expect(native.sendDatagram(join(place, 'none'), bytes)).toBe('ENOENT');
    expect(native.sendDatagram(`/${'x'.repeat(108)}`, bytes)).toBe('ENAMETOOLONG');
    const stream = createServer().listen(join(place, 'stream'));
    expect(native.sendDatagram(join(place, 'stream'), bytes)).toBe('EPROTOTYPE');
    stream.close();
    expect(() => native.sendDatagram('a\0b', bytes)).toThrow(TypeError);
    expect(() => native.sendDatagram('a', 'text' as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('a datagram with a descriptor', () => {
  it('carries one of a file, which keeps what is in a FIFO after its writers are gone', async () => {
    const place = folder();
    const fifo = join(place, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const receiver = spawn(
      'python3',
      [
        '-c',
        [
          'import socket,os,sys,array',
          's=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.bind(sys.argv[1]);print("bound",flush=True)',
          'text,fds,_,_=socket.recv_fds(s,100,1);print(text.decode(),flush=True)',
          'sys.stdin.readline();print(os.read(fds[0],100).decode(),flush=True)',
        ].join('\n'),
        join(place, 'socket'),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
    const line = async () => (await lines.next()).value as string;
    expect(await line()).toBe('bound');
    const writer = openSync(fifo, 'r+');
    expect(native.sendDatagram(join(place, 'socket'), Buffer.from('FDSTORE=1'), fifo)).toBeNull();
    expect(await line()).toBe('FDSTORE=1');
    writeSync(writer, 'kept');
    closeSync(writer);
    receiver.stdin.end('\n');
    expect(await line()).toBe('kept');
  });

  it('that cannot be opened is not sent', () => {
    expect(native.sendDatagram('/nowhere', Buffer.from('x'), join(folder(), 'none'))).toBe('ENOENT');
    expect(native.sendDatagram('@hsu-test-nobody-is-here', Buffer.from('x'))).toBe('ECONNREFUSED');
  });
});

describe('the peer of a unix socket', () => {
  it('is the process that connected, as it was then', async () => {
    const place = join(folder(), 'peer');
    const server = createServer().listen(place);
    const accepted = once(server, 'connection');
    const client = connect(place);
    const [socket] = (await accepted) as [Socket & { readonly _handle: { readonly fd: number } }];
    const peer = native.peerCredentials(socket._handle.fd);
    expect(peer).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
    client.destroy();
    socket.destroy();
    server.close();
  });

  it('is none where the descriptor is no such socket', () => {
    expect(() => native.peerCredentials(0x7fffffff)).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => native.peerCredentials(-1)).toThrow(RangeError);
    expect(() => native.peerCredentials('1' as unknown as number)).toThrow(TypeError);
    const file = openSync('/dev/null', 'r');
    expect(() => native.peerCredentials(file)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
    closeSync(file);
  });
});

describe('capabilities', () => {
  it('each say what there is, or what is missing and what follows', () => {
    const capabilities = native.capabilities();
    expect(capabilities.map(({ feature }) => feature)).toEqual([
      'race-free-signals',
      'spawn-gate',
      'birth-in-cgroup',
      'no-leaked-descriptors',
      'adopt-orphans',
      'list-orphans',
      'exit-status-of-adopted-workers',
      'output-outlives-master',
    ]);
    for (const { status, reason } of capabilities) {
      expect(['enforced', 'watched', 'impossible']).toContain(status);
      expect(reason).not.toBe('');
    }
  });
});

const onGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;

describe('memory', () => {
  it.runIf(onGlibc && !isSanitized)('that glibc keeps for later is given back to the system', async () => {
    const { stdout, stderr } = await runProgram('trimmed').closed;
    expect(stderr).toBe('');
    expect(stdout).toBe('gave back, kept 128\n');
  });
});
