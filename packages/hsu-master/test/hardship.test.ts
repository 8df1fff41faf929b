import { readFileSync, statSync } from 'node:fs';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, it, TIMED } from './drive.ts';
import { isAlive } from './proc.ts';

const sleeper = { id: 'sleeper', command: zoo.sleeps().argv };

describe.concurrent('hardship', () => {
  it('Ctrl-C while 300 workers are being started leaves nothing', async ({ stage }) => {
    const workers = Array.from({ length: 300 }, (_unused, index) => ({ ...sleeper, id: `w${index}` }));
    const master = stage.run(workers);
    await master.line(/^w\d+: started/);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
    expect(master.lines.at(-1)).toBe('hsu-master: all workers are stopped');
  });

  it('Ctrl-C before anything was started leaves nothing', async ({ stage }) => {
    for (const text of [/^logs are in/, /^hsu-master: holds/]) {
      const master = stage.run(
        Array.from({ length: 50 }, (_unused, index) => ({ ...sleeper, id: `w${index}` })),
      );
      await master.line(text);
      expect((await master.stop()).code).toBe(0);
      expect(stage.processes()).toEqual([]);
    }
  });

  it('a burst of signals ends at once, once (tried again: it bounds real time)', TIMED, async ({ stage }) => {
    const deaf = { command: zoo.ignoresSigterm().argv, stop_timeout: '1h' };
    const master = stage.run([
      { id: 'a', ...deaf },
      { id: 'b', ...deaf, depends_on: ['a'] },
    ]);
    await master.line(/^b +\| up/);
    const asked = performance.now();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGINT', 'SIGTERM'] as const) master.signal(signal);
    expect((await master.end()).code).toBe(130);
    expect(performance.now() - asked).toBeLessThan(2000 * factor);
    expect(master.stderr).toBe('');
    expect(stage.processes()).toEqual([]);
  });

  it(
    'a worker that ends at once, without delay or bound, holds nobody up (tried again: it bounds real time)',
    TIMED,
    async ({ stage }) => {
      const restart = { policy: 'always', delay: '0', max_retries: 0, jitter: 0 };
      const busy = { command: zoo.exitsAtOnce(1).argv, restart };
      const workers = [
        { id: 'busy', ...busy },
        { id: 'busier', ...busy },
        { ...sleeper, restart },
      ];
      const master = stage.run(workers, [], { without: /^busi?e?[ry]: (started|exit)/ });
      for (let n = 1; n <= 3; n += 1) process.kill(await master.started('sleeper', n), 'SIGKILL');
      await master.started('sleeper', 4);
      const asked = performance.now();
      expect((await master.stop()).code).toBe(0);
      expect(performance.now() - asked).toBeLessThan(1000 * factor);
      expect(stage.processes()).toEqual([]);
    },
  );

  it('F1: a line of 10 MB is whole in its file and does not swell the master', async ({ stage }) => {
    const command = ['sh', '-c', 'head -c 10000000 /dev/zero | tr "\\0" x; echo; exec sleep 1000'];
    const master = stage.run([{ id: 'wide', command }], ['--log-dir', stage.path('logs')], {
      without: /^wide +\|/,
    });
    await master.started('wide');
    const file = stage.path('logs', 'workers', 'wide-stdout.log');
    await eventually(() => statSync(file, { throwIfNoEntry: false })?.size === 10_000_001);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${master.pid}/status`, 'utf8'))?.[1];
    expect(Number(peak)).toBeLessThan(150 * 1024);
    expect((await master.stop()).code).toBe(0);
  });

  it('a master killed at any moment of its start leaves nothing that the next one does not know', async ({
    stage,
  }) => {
    const program = 'exec 9>"lock-$0"; flock -n 9 || { echo TWIN; exit 1; }; exec sleep 1000';
    const ids = Array.from({ length: 40 }, (_unused, index) => `w${index}`);
    const config = stage.config(
      ids.map((id) => ({ id, command: ['sh', '-c', program, id], restart: 'never' })),
    );
    for (const count of [0, 1, 3, 8, 20, 39]) {
      const master = stage.hsu(['run', config]);
      const those = () => master.matching(/^w\d+: (started|runs on)/);
      await master.until(`${count} run`, () => those().length >= count);
      if (count === 0) await master.line(/^hsu-master: holds/);
      await master.stop('SIGKILL');
      expect(master.matching(/TWIN|internal error/)).toEqual([]);
    }
    const old = stage.processes().map(({ pid }) => pid);
    const last = stage.hsu(['run', config]);
    await last.until('all', () => last.matching(/^w\d+: (started|runs on)/).length === ids.length);
    expect(old.filter(isAlive)).toEqual(old);
    // While a program begins, its lock is taken by a child.
    await eventually(() => stage.leftOvers().length === ids.length);
    expect(last.matching(/TWIN/)).toEqual([]);
    expect((await last.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('a worker that forks all the time is ended with all its children', async ({ stage }) => {
    const command = ['sh', '-c', 'while :; do sleep 1000 & setsid sleep 1000 & sleep 0.01; done'];
    const master = stage.run([{ id: 'breeder', command, stop_timeout: '1s' }]);
    await master.started('breeder');
    await eventually(() => stage.leftOvers().length > 40);
    expect((await master.stop()).code).toBe(0);
    expect(stage.processes()).toEqual([]);
  });

  it('a master that is stopped and continued goes on', async ({ stage }) => {
    const master = stage.run([{ ...sleeper, restart: { delay: '0' } }]);
    const pid = await master.started('sleeper');
    master.signal('SIGSTOP');
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isAlive(pid));
    master.signal('SIGCONT');
    await master.started('sleeper', 2);
    expect((await master.stop()).code).toBe(0);
  });
});
