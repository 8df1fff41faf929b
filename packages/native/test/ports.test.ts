import { execFileSync } from 'node:child_process';
import { createConnection, createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { native, openBench, outputOf, shell } from './harness.ts';

function reserve(port: number): { readonly port: number; release(): void } {
  const answer = native.reservePort(port);
  if (!answer.ok) throw new Error(`${answer.call}: ${answer.code}`);
  let held = true;
  const release = (): void => {
    if (held) native.releasePort(answer.reservation);
    held = false;
  };
  onTestFinished(release);
  return { port: answer.port, release };
}

function listen(port: number, host: string): Promise<Server> {
  const server = createServer((socket) => socket.end('served'));
  onTestFinished(() => void server.close());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function read(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    createConnection(port, host)
      .on('data', (data) => (text += data))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}

const bindAs = (option: string, port: number): string =>
  execFileSync('python3', [
    '-c',
    `
import socket, sys
s = socket.socket()
if sys.argv[1]: s.setsockopt(socket.SOL_SOCKET, getattr(socket, sys.argv[1]), 1)
try:
    s.bind(('127.0.0.1', int(sys.argv[2])))
    s.listen()
    print('listens')
except OSError as e: print(e.errno)
`,
    option,
    String(port),
  ])
    .toString()
    .trim();

describe('a reserved port', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::', '::1'])(
    'can be listened on at %s while it is held',
    async (host) => {
      const { port } = reserve(0);
      await listen(port, host);
      expect(await read(port, host.includes(':') ? '::1' : '127.0.0.1')).toBe('served');
    },
  );

  it('is for who shares addresses or ports, and for nobody else', () => {
    const { port } = reserve(0);
    expect(bindAs('SO_REUSEADDR', port)).toBe('listens');
    expect(bindAs('SO_REUSEPORT', port)).toBe('listens');
    expect(bindAs('', port)).toBe('98');
  });

  it('refuses connections until somebody listens', async () => {
    const { port } = reserve(0);
    await expect(read(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('is reserved once', () => {
    const { port, release } = reserve(0);
    expect(native.reservePort(port)).toMatchObject({ ok: false, code: 'EADDRINUSE', call: 'bind' });
    release();
    expect(reserve(port).port).toBe(port);
  });

  it('is no port that somebody listens on, on whichever address', async () => {
    for (const host of ['127.0.0.1', '127.0.0.5', '::1', '::']) {
      const { port, release } = reserve(0);
      release();
      await listen(port, host);
      expect(native.reservePort(port), host).toMatchObject({ ok: false, code: 'EADDRINUSE' });
    }
  });

  it('is free again where only closed connections of its last owner are left, but for one master', async () => {
    const { port, release } = reserve(0);
    const server = await listen(port, '127.0.0.1');
    expect(await read(port)).toBe('served');
    await new Promise((resolve) => server.close(resolve));
    release();
    const again = reserve(port);
    expect(again.port).toBe(port);
    expect(native.reservePort(port)).toMatchObject({ ok: false, code: 'EADDRINUSE' });
  });

  it('is given to nobody by chance', () => {
    const held = new Set(Array.from({ length: 500 }, () => reserve(0).port));
    expect(held.size).toBe(500);
    // Asks for so many that most of the range is gone through.
    const script = `
import socket
for reuse in (0, 1):
    kept = []
    for _ in range(900):
        s = socket.socket()
        if reuse: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        kept.append(s)
        print(s.getsockname()[1])
`;
    const given = execFileSync('python3', ['-c', script]).toString().trim().split('\n').map(Number);
    expect(given.filter((port) => held.has(port))).toEqual([]);
  });
});

describe('sockets that listen', () => {
  it('are on descriptors 3 and on, meant for this very process, and nobody else has them', async () => {
    const bench = openBench();
    const [one, other] = [reserve(0).port, reserve(0).port];
    const listens = [
      { address: '127.0.0.1', port: one },
      { address: '::1', port: other },
    ];
    const script = `
import os, socket
print(os.getpid() == int(os.environ['LISTEN_PID']), os.environ['LISTEN_FDS'])
sockets = [socket.socket(fileno=fd) for fd in (3, 4)]
for s in sockets:
    print(s.getsockname()[:2], s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), s.getblocking())
print(os.listdir('/proc/self/fd')[:-1])
`;
    const text = await outputOf(bench, {
      file: '/usr/bin/python3',
      argv: ['python3', '-c', script],
      env: ['LISTEN_FDS=2'],
      listens,
    });
    expect(text.split('\n')).toEqual([
      'True 2',
      `('127.0.0.1', ${one}) 1 True`,
      `('::1', ${other}) 1 True`,
      "['0', '1', '2', '3', '4']",
      '',
    ]);
    await expect(read(one)).rejects.toThrow('ECONNREFUSED');
  });

  it('keep connections that come before the program accepts', async () => {
    const bench = openBench();
    const { port } = reserve(0);
    const accept = `
import socket
c, _ = socket.socket(fileno=3).accept()
c.sendall(b'accepted')
`;
    const options = { file: '/usr/bin/python3', argv: ['python3', '-c', accept] };
    const { handle } = bench.start({ ...options, listens: [{ address: '127.0.0.1', port }] });
    const early = read(port);
    bench.engine.release(handle, true);
    expect(await early).toBe('accepted');
  });

  it('a program without them has no LISTEN_PID', async () => {
    expect(await outputOf(openBench(), shell('echo ${LISTEN_PID-none}'))).toBe('none\n');
  });

  it('who cannot have them is not started', async () => {
    const bench = openBench();
    const { port } = reserve(0);
    await listen(port, '127.0.0.1');
    const start = (address: string, at: number) => () =>
      bench.start({ file: '/bin/true', listens: [{ address, port: at }] });
    expect(start('127.0.0.1', port)).toThrow(/"step":"listen".*"EADDRINUSE".*"bind"/);
    expect(start('nowhere', port)).toThrow(/"step":"listen".*"EINVAL"/);
    expect(start('192.0.2.1', port)).toThrow(/"step":"listen".*"EADDRNOTAVAIL"/);
    expect(start('127.0.0.1', 0)).toThrow(RangeError);
  });
});
