import { creature, zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { factor, it, TIMED } from './drive.ts';
import { descriptorsOf, isAlive } from './proc.ts';
import { ofWine, onWindows } from './windows.ts';

/** Milliseconds as the master's lines give them. */
function span(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+)(ms|s)$/.exec(text ?? '') ?? [];
  return Number(number) * (unit === 's' ? 1000 : 1);
}

/** Puts a daemon in the background, which on Linux says TWIN if another one lives. */
const DAEMON = onWindows
  ? zoo.doubleForkDaemon().argv
  : [
      'sh',
      '-c',
      "exec 9>lock; setsid sh -c 'flock -n 9 || { echo TWIN; exit 1; }; echo up; exec sleep 1000' & sleep 0.1; exit 0",
    ];

describe.concurrent('process trees', () => {
  it('A3: what daemonizes unexpectedly is ended, and never runs twice', async ({ stage }) => {
    const restart = { policy: 'always', delay: '0', max_retries: 3, cool_down: '1h' };
    const master = stage.run([{ id: 'daemon', command: DAEMON, restart }]);
    await master.line(/^daemon: .*daemonized unexpectedly: it exited and left 1 process/);
    await master.line(/^daemon: failed too often/);
    expect(master.matching(/^daemon: started/)).toHaveLength(4);
    expect(master.matching(/TWIN/)).toEqual([]);
    expect(stage.leftOvers()).toEqual([]);
    expect((await master.stop()).code).toBe(0);
  });

  it('A3: on_daemonize: adopt watches the daemon instead, and ends it with the others', async ({ stage }) => {
    const master = stage.run([{ id: 'daemon', command: DAEMON, on_daemonize: 'adopt' }]);
    const line = await master.line(/^daemon: went into the background unexpectedly/);
    const pid = Number(/now pid (\d+)$/.exec(line)?.[1]);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await master.started('daemon', 2);
    await master.until('the second daemon', () => master.matching(/into the background/).length === 2);
    expect(master.matching(/TWIN/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('A4: main_process names the daemon, however late its pid file comes', async ({ stage }) => {
    const { argv } = zoo.pidFileDaemon(stage.path('daemon.pid'), 300);
    const main_process = { pid_file: 'daemon.pid', timeout: '20s' };
    const master = stage.run([
      { id: 'daemon', command: argv, main_process },
      { id: 'client', command: zoo.sleeps().argv, depends_on: ['daemon'] },
    ]);
    await master.line(/^daemon: went into the background; its main process is now pid \d+$/);
    await master.started('client');
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('A6: a child in a session of its own dies with its worker', async ({ stage }) => {
    const { argv } = zoo.sessionEscapee();
    const master = stage.run([{ id: 'escapee', command: argv, stop_timeout: '200ms' }]);
    await master.line(/^escapee +\| up/);
    expect(stage.leftOvers()).toHaveLength(2);
    expect((await master.stop()).code).toBe(0);
    expect(master.matching(/^escapee: did not end within .*; killed with SIGKILL$/)).toHaveLength(1);
    expect(stage.processes()).toEqual([]);
  });

  it('A6: a daemon without a trace of its worker dies with the master', async ({ stage }) => {
    const master = stage.run([{ id: 'daemon', command: zoo.wipedDaemon().argv, cwd: stage.folder }]);
    await master.line(/^daemon +\| up/);
    expect(stage.leftOvers()).toHaveLength(2);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('A7: the leader ends on SIGTERM, its child ignores it: the whole tree is killed', async ({ stage }) => {
    const { argv } = zoo.leaderEndsChildIgnores();
    // On Windows a program has to be started to ask it.
    const stop_timeout = `${onWindows ? 3000 * factor : 300}ms`;
    const master = stage.run([{ id: 'parent', command: argv, stop_timeout }]);
    await master.line(/^parent +\| up/);
    expect((await master.stop()).code).toBe(0);
    const told = master.matching(/^parent: /).slice(-4);
    expect(told).toEqual([
      'parent: stopping',
      expect.stringMatching(/^parent: ended \(SIGTERM\) after .*; 1 process of its tree still there$/),
      expect.stringMatching(/^parent: did not end within .*; killed with SIGKILL$/),
      'parent: stopped',
    ]);
    expect(stage.processes()).toEqual([]);
  });

  it(
    'A8: what ignores SIGTERM is killed when its time is over, not before (tried again: it bounds real time)',
    TIMED,
    async ({ stage }) => {
      const { argv } = zoo.ignoresSigterm();
      const master = stage.run([{ id: 'deaf', command: argv, stop_timeout: '700ms' }]);
      await master.line(/^deaf +\| up/);
      expect((await master.stop()).code).toBe(0);
      const [line] = master.matching(/^deaf: did not end within/);
      const waited = span(/within (\S+);/.exec(line ?? '')?.[1]);
      expect(waited).toBeGreaterThanOrEqual(700);
      expect(waited).toBeLessThanOrEqual(700 + 100 * factor);
      expect(stage.processes()).toEqual([]);
    },
  );

  it('A9: a stopped process is woken to hear that it shall end', async ({ stage, skip }) => {
    skip(...ofWine('it does not tell of threads that they are suspended'));
    const master = stage.run([{ id: 'frozen', command: zoo.stopsItself().argv, stop_timeout: '1h' }]);
    await master.line(/^frozen +\| up/);
    expect((await master.stop()).code).toBe(0);
    expect(master.stdout).toMatch(/^frozen: ended \(SIGTERM\)/m);
  });

  it(
    'A11: an exit is told although a stranger holds the output open (tried again: it bounds real time)',
    TIMED,
    async ({ stage }) => {
      const holds = ['session', 'wipe', 'pidfile', 'holder.pid', 'print', 'up', 'sleep'];
      const holder = creature('orphan', '{', ...holds, '}', 'await', 'holder.pid', 'exit', '0');
      const workers = [
        // Of the only run there is it would be no stranger.
        { id: 'leaver', command: holder, cwd: stage.folder, depends_on: ['sleeper'] },
        { id: 'sleeper', command: zoo.sleeps().argv },
      ];
      // In a cgroup it would be no stranger, and in a job it is none.
      const master = stage.run(workers, ['--containment', 'off']);
      const line = await master.line(/^leaver: exit 0 after/);
      expect(span(/after ([\d.]+m?s)/.exec(line)?.[1])).toBeLessThan(1000 * factor);
      if (onWindows) return;
      await master.line(/^leaver: completed/);
      await master.line(/^sleeper +\| up/);
      expect(stage.leftOvers()).toHaveLength(2);
      expect((await master.stop()).code).toBe(0);
      expect(stage.processes()).toEqual([]);
    },
  );

  it('A14: what exits before its start returns has exactly one exit', async ({ stage }) => {
    const ids = Array.from({ length: 40 }, (_unused, index) => `quick-${index}`);
    const master = stage.run(ids.map((id) => ({ id, command: zoo.exitsAtOnce(0).argv })));
    expect((await master.end()).code).toBe(0);
    for (const id of ids) {
      expect(master.matching(new RegExp(`^${id}: `))).toEqual([
        expect.stringMatching(/: started \(pid \d+\)$/),
        expect.stringMatching(/: exit 0 after/),
        `${id}: completed`,
      ]);
    }
  });

  it('A16: a worker has descriptors 0 to 2 and no others; its input is empty', async ({ stage }) => {
    const master = stage.run([
      { id: 'first', command: zoo.sleeps().argv },
      { id: 'second', command: zoo.sleeps().argv },
      { id: 'reader', command: [process.execPath, '-e', 'process.stdin.resume()'] },
    ]);
    // Windows tells nobody the handles of others.
    for (const id of onWindows ? [] : ['first', 'second']) {
      const descriptors = descriptorsOf(await master.started(id));
      expect([...descriptors.keys()]).toEqual([0, 1, 2]);
      expect(descriptors.get(0)).toBe('/dev/null');
    }
    await master.line(/^reader: completed/);
    expect((await master.stop()).code).toBe(0);
  });
});
