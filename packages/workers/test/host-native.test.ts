import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { loadNative } from '@hsu-master/native';
import { creature, creaturePath } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNativeHost, type NativeHost } from '../src/host/native.ts';
import { realClock } from '../src/real-clock.ts';
import { failureOf, Watched } from './host-watch.ts';

const loaded = loadNative({});
const isRoot = process.getuid?.() === 0;
const environment = {
  PATH: process.env.PATH,
  NOTIFY_SOCKET: '/run/of-the-master',
  NODE_CHANNEL_FD: '3',
  HSU_RUN: 'of-an-outer-master',
  LANG: 'C',
};

// Nothing here may use node:child_process: the host adopts and reaps, and Node’s own handling of SIGCHLD would take that over.
describe.runIf(loaded.ok)('the native host', () => {
  let host: NativeHost;
  let folder = '';
  beforeAll(() => {
    if (!loaded.ok) return;
    creaturePath();
    folder = mkdtempSync(join(tmpdir(), 'hsu-native-host-'));
    host = createNativeHost(loaded.native, { environment, reapOrphans: true, clock: realClock() });
  });
  afterAll(() => {
    host.close();
    rmSync(folder, { recursive: true });
  });

  async function said(
    argv: readonly string[],
    command: Parameters<typeof failureOf>[2] = {},
  ): Promise<string> {
    const watched = new Watched(host, argv, command);
    await watched.over();
    await watched.until('the end of its output', () => watched.output.ended.length === 2);
    return watched.output.text('stdout') + watched.output.text('stderr');
  }

  test('A16: a worker has the descriptors 0, 1 and 2 and no others', async () => {
    const open = [openSync('/dev/null', 'r'), openSync('/etc/passwd', 'r')];
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(5);
    // Opening the directory takes the lowest number that is free.
    expect(await said(['ls', '/proc/self/fd'])).toBe('0\n1\n2\n3\n');
    for (const fd of open) closeSync(fd);
  });

  test('a worker inherits the master’s variables, but none that speak to the master alone', async () => {
    const lines = (
      await said(['env'], { mark: 'the-mark', command: { cwd: '/usr', env: { MORE: 'x' } } })
    ).split('\n');
    expect(lines.filter((line) => line !== '' && !line.startsWith('PATH=')).sort()).toEqual([
      'HSU_RUN=the-mark',
      'HSU_WORKER=w',
      'LANG=C',
      'MORE=x',
      'PWD=/usr',
    ]);
  });

  test('a worker has the umask that was asked for', async () => {
    expect(await said(['sh', '-c', 'umask'], { command: { umask: 0o27 } })).toBe('0027\n');
  });

  test.runIf(isRoot)(
    'a worker runs as the user that was asked for, with its groups, home and name',
    async () => {
      const script = 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME"';
      const [uid, gid, groups, names] = (
        await said(['sh', '-c', script], { command: { user: 'nobody' } })
      ).split('\n');
      const expected = await said(['sh', '-c', 'id -u nobody; id -g nobody; id -G nobody']);
      expect(`${uid}\n${gid}\n${groups}\n`).toBe(expected);
      expect(names).toMatch(/^\/\S* nobody nobody$/);
    },
  );

  test.runIf(isRoot)('a group and supplementary groups that were asked for are the only ones', async () => {
    const command = { user: '65534', group: 'daemon', groups: ['bin', '4242'] };
    expect(await said(['sh', '-c', 'id -g; id -G'], { command })).toBe('1\n1 2 4242\n');
  });

  test.runIf(isRoot)('B2: a program that its user may not reach is not taken from PATH', async () => {
    const failure = await failureOf(host, ['tool'], {
      command: { user: 'nobody', env: { PATH: hidden() } },
    });
    expect(failure.code).toBe('E_EXEC_PERMISSION');
    expect(failure.message).toContain('by user nobody');
  });

  function hidden(): string {
    writeFileSync(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    return folder;
  }

  test('a program that is being written is refused as transient', async () => {
    const program = join(folder, 'busy');
    copyFileSync(creaturePath(), program);
    const fd = openSync(program, 'r+');
    const failure = await failureOf(host, [program]);
    closeSync(fd);
    expect(failure).toMatchObject({ code: 'E_SPAWN', transient: true });
    expect(failure.message).toContain('is open for writing');
    expect(await said([program, 'print', 'ready'])).toBe('ready\n');
  });

  test('an exit tells what the process used', async () => {
    const watched = new Watched(host, ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']);
    const { exit } = await watched.first('exited');
    expect(exit.usage?.userTime).toBeGreaterThan(0);
  });

  test('the exit of an adopted member that is followed has its code', async () => {
    const daemon = creature(
      'orphan',
      '{',
      'session',
      'print',
      'up',
      'pause',
      '300',
      'exit',
      '5',
      '}',
      'exit',
      '0',
    );
    const watched = new Watched(host, daemon);
    const { remaining } = await watched.first('exited');
    const [main] = remaining;
    if (main === undefined) return expect.unreachable('the daemon is gone');
    expect(watched.run.follow(main)).toBe(true);
    await watched.until('its exit', () => watched.reports.length === 3);
    const known = host
      .capabilities()
      .some((one) => one.feature.startsWith('exit-status') && one.status === 'enforced');
    expect(watched.reports[2]).toMatchObject({
      kind: 'exited',
      exit: { code: known ? 5 : null },
      remaining: [],
    });
  });

  test('a signal that is sent before the program has begun reaches it', async () => {
    const watched = new Watched(host, ['sleep', '600']);
    watched.run.signalTree('SIGTERM');
    const { exit } = await watched.first('exited');
    expect(exit.signal).toBe('SIGTERM');
    expect(watched.reports.map(({ kind }) => kind)).toEqual(['spawned', 'exited']);
  });

  test('a hundred trees ended in one turn are looked at together', async () => {
    const runs = Array.from({ length: 100 }, () => new Watched(host, ['sleep', '600']));
    await Promise.all(runs.map((one) => one.first('spawned')));
    for (const { run } of runs) run.signalTree('SIGTERM');
    await Promise.all(runs.map((one) => one.over()));
    for (const { reports } of runs) expect(reports[1]).toMatchObject({ kind: 'exited', remaining: [] });
  });

  test('a hundred that begin in one stretch of code are recorded each before its program runs', async () => {
    const ran: boolean[] = [];
    const runs = Array.from({ length: 100 }, (_, at) => {
      const marker = join(folder, `ran-${at}`);
      const record = () => ran.push(existsSync(marker));
      return new Watched(host, ['sh', '-c', 'echo > "$0"', marker], { record });
    });
    await Promise.all(runs.map((one) => one.over()));
    expect(ran).toEqual(Array.from({ length: 100 }, () => false));
    for (const { reports } of runs) {
      expect(reports).toMatchObject([{ kind: 'spawned' }, { kind: 'exited', exit: { code: 0 } }]);
    }
  });

  test('a host that is closed while it makes processes runs and records none of them', async () => {
    if (!loaded.ok) return;
    const other = createNativeHost(loaded.native, { environment, reapOrphans: false, clock: realClock() });
    const marker = join(folder, 'ran-closed');
    const runs = Array.from({ length: 5 }, () => new Watched(other, ['sh', '-c', 'echo > "$0"', marker]));
    other.close();
    await said(['true']);
    expect(existsSync(marker)).toBe(false);
    expect(runs.flatMap(({ recorded, reports }) => [...recorded, ...reports])).toEqual([]);
  });

  test('a text that no system call can take fails the start, not the master', async () => {
    const failure = await failureOf(host, ['true', 'a\0b']);
    expect(failure).toMatchObject({ code: 'E_SPAWN', transient: false });
  });

  test('says how far it can do things', () => {
    const features = host.capabilities().map(({ feature }) => feature);
    expect(features).toEqual(
      expect.arrayContaining(['spawn-gate', 'adopt-orphans', 'whole-tree', 'switch-user']),
    );
    expect(host.capabilities()).toContainEqual(
      expect.objectContaining({ feature: 'state-directory-lock', status: 'enforced' }),
    );
    expect(new Set(features).size).toBe(features.length);
  });

  test('the account of the master needs no rights', async () => {
    expect(await said(['id', '-un'], { command: { user: userInfo().username } })).toBe(
      `${userInfo().username}\n`,
    );
  });
});
