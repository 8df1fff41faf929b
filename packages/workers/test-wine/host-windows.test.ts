import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host, LimitReport, ProcessIdentity, RunReport } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { creaturePath, limitsSpec } from '@hsu-master/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createNodeHost } from '../src/host/node.ts';
import { createWindowsHost } from '../src/host/windows/host.ts';
import { realClock } from '../src/real-clock.ts';
import { Collected, commandOf, Watched } from './watched.ts';

const loaded = loadNative({});
if (!loaded.ok || loaded.windows === null) throw new Error(loaded.ok ? 'no Windows' : loaded.reason);
const { native, windows } = loaded;
const { isWine } = windows.features;

const open = (): Host => createWindowsHost(native, windows, { environment: process.env, clock: realClock() });
let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'hsu-windows-'));
beforeAll(() => {
  host = open();
});
afterAll(() => {
  host.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = (...words: string[]): Watched => new Watched(host, commandOf([creaturePath(), ...words]));

describe('asking to end', () => {
  test('A7: a program that hears Ctrl-C chooses its own code', async () => {
    const watched = start('on-term', '{', 'exit', '42', '}', 'print', 'up', 'sleep');
    await watched.says('up');
    watched.run.signalTree('SIGTERM');
    expect((await watched.exited()).exit).toMatchObject({ code: 42, signal: null });
  });

  test('one that does not hear it is told as ended by what it was asked by', async () => {
    const watched = start('print', 'up', 'sleep');
    await watched.says('up');
    watched.run.signalTree('SIGINT');
    expect((await watched.exited()).exit).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  test('other workers and the master hear nothing of it', async () => {
    const other = start('print', 'up', 'sleep');
    const watched = start('print', 'up', 'sleep');
    await Promise.all([other.says('up'), watched.says('up')]);
    watched.run.signalTree('SIGTERM');
    await watched.exited();
    expect(other.run.members()).toHaveLength(1);
    other.run.signalTree('SIGKILL');
    expect((await other.exited()).exit).toMatchObject({ code: null, signal: 'SIGKILL' });
  });
});

describe('workers that share the master’s console', () => {
  /** shared-console.ts on a console of its own, which Node gives to who inherits nothing. */
  function master() {
    const program = fileURLToPath(new URL('shared-console.ts', import.meta.url));
    const child = spawn(process.execPath, [program], {
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill());
    return { child, lines: createInterface({ input: child.stdout }), closed: once(child, 'close') };
  }

  test('H8: its Ctrl-C reaches the master, and not them, after others of them have come and gone', async () => {
    const { child, lines, closed } = master();
    const told: string[] = [];
    for await (const line of lines) {
      told.push(line);
      if (line !== 'ready') continue;
      const startTime = native.identify(child.pid ?? 0)?.startTime;
      spawn(windows.relay ?? '', ['0', `${child.pid}:${startTime}`], { windowsHide: true });
    }
    const shares = Array.from({ length: 4 }, () => 'shares true');
    expect(told).toEqual([...shares, 'ready', 'Ctrl-C, its workers: 1', 'on its console: 1']);
    expect(await closed).toEqual([0, null]);
  });

  test.skip('asked to end one hears Ctrl-Break, and nobody else does: Wine has no Ctrl-Break for programs', () => {});
});

describe('holding back', () => {
  test('a frozen tree does nothing, and goes on when it is resumed', async () => {
    const watched = start('child', '{', 'print', 'up', 'pause', '200', 'print', 'on', '}', 'sleep');
    await watched.says('up');
    expect(watched.run.freeze(true)).toBe(true);
    expect(watched.run.freeze(false)).toBe(true);
    await watched.says('on');
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });

  test('a throttled tree lives, and ends as asked', async () => {
    const watched = start('print', 'up', 'spin');
    await watched.says('up');
    watched.run.throttle(20);
    await expect.poll(() => host.sample([watched.run], detail)[0]?.cpuTime ?? 0).toBeGreaterThan(0);
    watched.run.throttle(null);
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });
});

const detail = { pss: false, connections: true, pressure: false, descriptors: true, peak: true };

test('a sample counts the processes of the tree and their memory', async () => {
  const watched = start('hog', '30', 'child', '{', 'print', 'up', 'sleep', '}', 'sleep');
  await watched.says('up');
  const [usage] = host.sample([watched.run], detail);
  expect(usage?.processes).toBe(2);
  expect(usage?.rss).toBeGreaterThan(30 * 2 ** 20);
  expect(usage?.connections).toBe(0);
  watched.run.signalTree('SIGKILL');
  await watched.over();
  expect(host.sample([watched.run], detail)).toEqual([null]);
});

describe('limits', () => {
  const limits = limitsSpec({
    values: {
      'memory.max_rss': 2 ** 28,
      'cpu.max_percent': 50,
      'process.max_processes': 9,
      'memory.max_working_set': 2 ** 28,
      'process.no_desktop': 1,
      'io.weight': 100,
    },
  });
  const statusOf = (reports: readonly LimitReport[]) =>
    Object.fromEntries(reports.map(({ limit, status }) => [limit, status]));

  test('each is told as what it is here', async () => {
    const held = isWine ? 'watched' : 'enforced';
    const expected = {
      'memory.max_rss': held,
      'cpu.max_percent': held,
      'process.max_processes': held,
      'memory.max_working_set': held,
      'process.no_desktop': isWine ? 'impossible' : 'enforced',
      'io.weight': 'impossible',
    };
    expect(statusOf(host.explainLimits(limits, 'worker', []))).toEqual(expected);
    const watched = new Watched(host, commandOf([creaturePath(), 'print', 'up', 'sleep']), { limits });
    await watched.says('up');
    const reports = watched.run.limitReports();
    expect(statusOf(reports)).toEqual(expected);
    for (const { status, reason } of reports) if (status === 'impossible') expect(reason).not.toBe('');
    watched.run.signalTree('SIGKILL');
    await watched.over();
  });

  test.runIf(isWine)('a limit that is required and cannot be enforced fails the start', async () => {
    const required = { ...limits, required: true };
    const watched = new Watched(host, commandOf([creaturePath(), 'exit', '0']), { limits: required });
    const [report] = await watched.over();
    expect(report).toMatchObject({ kind: 'spawn-failed', failure: { code: 'E_LIMIT_REQUIRED' } });
  });
});

describe('what is started', () => {
  test('a batch file runs by cmd.exe', async () => {
    const file = join(folder, 'say hello.cmd');
    writeFileSync(file, `@"${creaturePath()}" print %1 exit 5\r\n@exit /b %errorlevel%\r\n`);
    const watched = new Watched(host, commandOf([file, 'hello there']));
    expect((await watched.exited()).exit).toMatchObject({ code: 5 });
    await watched.says('hello there');
  });

  const failures = [
    { what: 'a text that nothing runs', argv: ['nothing.txt'], code: 'E_EXEC_FORMAT' },
    { what: 'a name that PATH does not hold', argv: ['surely-not-there'], code: 'E_EXEC_NOT_FOUND' },
    { what: 'a list of words that is too long', argv: ['cmd', 'x'.repeat(40_000)], code: 'E_EXEC_TOO_BIG' },
  ] as const;

  test.each(failures)('$what fails with $code', async ({ argv, code }) => {
    writeFileSync(join(folder, 'nothing.txt'), 'hello');
    const [name, ...rest] = argv;
    const watched = new Watched(
      host,
      commandOf([name === 'nothing.txt' ? join(folder, name) : name, ...rest]),
    );
    const [report] = await watched.over();
    expect(report).toMatchObject({ kind: 'spawn-failed', failure: { code } });
  });

  test('a directory that is not there fails with E_CWD', async () => {
    const watched = new Watched(host, { ...commandOf([creaturePath()]), cwd: 'C:\\not\\there' });
    expect((await watched.over())[0]).toMatchObject({ kind: 'spawn-failed', failure: { code: 'E_CWD' } });
  });

  test('another user is refused, not ignored', async () => {
    const watched = new Watched(host, { ...commandOf([creaturePath()]), user: 'somebody' });
    expect((await watched.over())[0]).toMatchObject({ failure: { code: 'E_UNSUPPORTED' } });
  });

  test('variables are the same whatever their case', async () => {
    const command = { ...commandOf([creaturePath(), 'env', 'PATH', 'exit', '0']), env: { pAtH: 'mine' } };
    const watched = new Watched(host, command);
    await watched.says('mine\n');
    await watched.over();
  });
});

describe('the next master', () => {
  const attach = (process: ProcessIdentity, mark: string, report: (report: RunReport) => void) =>
    host.attach(
      {
        workerId: 'w',
        run: 1,
        process,
        mark,
        command: null,
        channels: null,
        limits: null,
        limitsHold: true,
        quotas: [],
      },
      report,
    );

  test('H1: takes charge of a tree by its job, hears how it ends, and leaves nothing of it', async () => {
    const before = open();
    const watched = new Watched(
      before,
      commandOf([creaturePath(), 'child', '{', 'sleep', '}', 'print', 'up', 'sleep']),
    );
    await watched.says('up');
    const process = await watched.spawned();
    before.close();
    const reports: RunReport[] = [];
    const run = attach(process, watched.mark, (report) => void reports.push(report));
    expect(run.members()).toHaveLength(2);
    run.signalTree('SIGKILL');
    await expect.poll(() => reports.at(0)).toMatchObject({ kind: 'exited', exit: { signal: 'SIGKILL' } });
    await expect.poll(() => run.members()).toEqual([]);
  });

  test('A5: a tree whose job nobody held open is found by its mark', async () => {
    const before = open();
    const words = ['child', '{', 'print', 'up', 'sleep', '}', 'pause', '50', 'exit', '0'];
    const watched = new Watched(before, commandOf([creaturePath(), ...words]));
    await watched.says('up');
    const process = await watched.spawned();
    await watched.exited();
    before.close();
    const reports: RunReport[] = [];
    const run = attach(process, watched.mark, (report) => void reports.push(report));
    await expect.poll(() => reports.at(0)).toMatchObject({ kind: 'exited', remaining: [{}] });
    run.signalTree('SIGKILL');
    await expect.poll(() => reports.at(-1)?.kind).toBe('tree-empty');
  });
});

test('what was not told is known: capabilities say what Wine accepts and does not do', () => {
  const of = (feature: string) => host.capabilities().find((one) => one.feature === feature)?.status;
  expect(of('whole-tree')).toBe('enforced');
  expect(of('spawn-gate')).toBe('enforced');
  expect(of('job-limits')).toBe(isWine ? 'impossible' : 'enforced');
  expect(of('ctrl-break')).toBe(isWine ? 'impossible' : 'enforced');
});

test('a port that somebody listens on is taken; any other is not held', () => {
  const free = host.reservePort(0);
  expect(free.ok && free.port).toBeGreaterThan(49_000);
});

test('a program that writes without end can be ended', async () => {
  const collected = new Collected();
  const watched = new Watched(host, commandOf([creaturePath(), 'flood']), { output: collected });
  await expect.poll(() => collected.size).toBeGreaterThan(2 ** 20);
  watched.run.signalTree('SIGKILL');
  await watched.over();
});

test('without the addon no worker runs, and that is what is said', async () => {
  const without = createNodeHost({ environment: process.env, clock: realClock() });
  const watched = new Watched(without, commandOf([creaturePath(), 'sleep']));
  expect((await watched.over()).at(-1)).toMatchObject({
    kind: 'spawn-failed',
    failure: { code: 'E_UNSUPPORTED', message: expect.stringContaining('without the addon') },
  });
  without.close();
});
