import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadNative } from '../src/load.ts';
import { temporary } from './channel-bench.ts';

function loaded() {
  const native = loadNative();
  if (!native.ok || native.windows === null) throw new Error('no addon');
  return { native: native.native, system: native.windows.system, features: native.windows.features };
}

const { native, system, features } = loaded();
let made = 0;
const pipeName = () => `\\\\.\\pipe\\hsu-test-${process.pid}-${made++}`;

/** Generic, or what that means for a pipe. */
const ALL = expect.stringMatching(/^(?:GA|FA|0x1f01ff)$/);

/** The system has abbreviations for some; LA is the machine’s first administrator. */
function nameOf(sid: string, owner: string): string {
  return sid === owner || (sid === 'LA' && owner.endsWith('-500')) ? 'owner' : sid;
}

describe('the control pipe', () => {
  test('connections are sockets of Node, also many at once; HTTP goes over it', async () => {
    const name = pipeName();
    const server = createServer((request, response) => response.end(`${request.method} ${request.url}`));
    const pids: number[] = [];
    const pipe = system.openControlPipe(name, (fd, { pid }) => {
      pids.push(pid);
      server.emit('connection', new Socket({ fd, readable: true, writable: true }));
    });
    onTestFinished(() => {
      pipe.close();
      server.closeAllConnections();
    });
    const ask = (path: string) =>
      new Promise<string>((resolve, reject) => {
        get({ socketPath: name, path, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        }).on('error', reject);
      });
    expect(await ask('/one')).toBe('GET /one');
    const all = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(`/${at}`)));
    expect(all).toEqual(Array.from({ length: 20 }, (_, at) => `GET /${at}`));
    expect(new Set(pids)).toEqual(new Set([process.pid]));
  });

  test('J6: nobody else can have a pipe of that name while it is there', async () => {
    const name = pipeName();
    const pipe = system.openControlPipe(name, () => {});
    onTestFinished(() => pipe.close());
    expect(() => system.openControlPipe(name, () => {})).toThrow(
      expect.objectContaining({ code: 'EEXIST' }) as Error,
    );
  });

  test('J6: its access control list, read back: the owner, the system and administrators may all, who comes over the network nothing', async () => {
    const name = pipeName();
    const { promise: owner, resolve } = Promise.withResolvers<string>();
    const pipe = system.openControlPipe(name, (fd, { user }) => {
      new Socket({ fd }).destroy();
      resolve(user);
    });
    onTestFinished(() => pipe.close());
    connect(name).on('error', () => {});
    const sid = await owner;
    expect(sid).toMatch(/^S-1-5-/);
    const entries = [...pipe.security.matchAll(/\(([^)]*)\)/g)].map(([, entry = '']) => entry.split(';'));
    // Nothing is inherited from anywhere.
    expect(pipe.security).toMatch(/^D:P/);
    const who = (kind: string) =>
      entries.filter(([first]) => first === kind).map((entry) => nameOf(entry.at(-1) ?? '', sid));
    expect(who('A').toSorted()).toEqual(['BA', 'SY', 'owner']);
    expect(who('D')).toEqual(['NU']);
    expect(entries.length).toBe(4);
    for (const [, flags, rights] of entries)
      expect({ flags, rights }).toMatchObject({ flags: '', rights: ALL });
  });

  test('a closed one is gone', async () => {
    const name = pipeName();
    system.openControlPipe(name, () => {}).close();
    const code = await new Promise((resolve) => {
      connect(name)
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        .on('connect', () => resolve(null));
    });
    expect(code).toBe('ENOENT');
  });
});

describe('the lock of a state directory', () => {
  test('is held by one, can be read by all, and is free again', () => {
    const file = join(temporary(), 'master.lock');
    const lock = native.lockFile(file);
    expect(lock).not.toBeNull();
    writeFileSync(file, '42\n');
    expect(readFileSync(file, 'utf8')).toBe('42\n');
    expect(native.lockFile(file)).toBeNull();
    native.unlockFile(lock as number);
    const again = native.lockFile(file);
    expect(again).not.toBeNull();
    native.unlockFile(again as number);
  });

  test('I10: also by a path of more than 260 characters', async () => {
    const { mkdirSync } = await import('node:fs');
    const folder = join(temporary(), ...Array.from({ length: 6 }, () => 'x'.repeat(60)));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'master.lock');
    expect(file.length).toBeGreaterThan(360);
    const lock = native.lockFile(file);
    expect(lock).not.toBeNull();
    expect(existsSync(file)).toBe(true);
    native.unlockFile(lock as number);
  });
});

describe('services', () => {
  test('what is not installed is not there; what is installed can be asked, and removed', () => {
    const name = `hsu-test-${process.pid}`;
    expect(system.queryService(name)).toBeNull();
    const settings = {
      name,
      title: 'A test',
      description: 'Of nothing',
      commandLine: `"${process.execPath}" -e "0"`,
      environment: ['HSU_TEST=1'],
      stopTimeout: 20_000,
    };
    expect(system.installService(settings)).toBeNull();
    expect(system.installService(settings)).not.toBeNull();
    expect(system.queryService(name)).toMatchObject({
      state: 'stopped',
      pid: 0,
      startsWithMachine: true,
      commandLine: settings.commandLine,
    });
    expect(system.uninstallService(name)).toBeNull();
    expect(system.queryService(name)).toBeNull();
  });

  test('a process that was not started as one is none', ({ skip }) => {
    skip(features.isWine, 'Wine: it finds that out after ten seconds');
    expect(system.beginService(() => {})).toBeNull();
  });
});
