import { creature, zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, freePort, it, TIMED } from './drive.ts';
import { embed } from './embedded.ts';
import { cpuTimeOf } from './proc.ts';
import { onWindows } from './windows.ts';

const forever = { delay: '0', max_retries: 0, jitter: 0 };

describe.concurrent('restarts', () => {
  it('D1: exit 1 for ever: no more starts than the policy allows, an open breaker that tells its next try', async ({
    stage,
  }) => {
    const restart = { delay: '10ms', max_retries: 3, cool_down: '1h' };
    await using app = embed(stage, [{ id: 'crasher', command: 'false', restart }]);
    const began = Date.now();
    await app.master.start();
    await app.event('worker.backing-off', 'crasher', 4);
    expect(app.of('worker.started')).toHaveLength(4);
    const { breaker, nextTry, phase } = app.master.worker('crasher');
    expect({ breaker, phase }).toEqual({ breaker: 'open', phase: 'backoff' });
    expect(nextTry).toBeGreaterThanOrEqual(began + 3_600_000);
    expect(nextTry).toBeLessThan(Date.now() + 3_601_000);
  });

  it(
    'D1: the open breaker is seen at the terminal, and the master is at rest (tried again: it bounds real time)',
    TIMED,
    async ({ stage }) => {
      const restart = { delay: '10ms', max_retries: 3, cool_down: '1h' };
      const master = stage.run([
        { id: 'crasher', command: creature('warn', 'no luck', 'exit', '1'), restart },
      ]);
      const line = await master.line(/^crasher: failed too often/);
      expect(line).toBe('crasher: failed too often (4 times in a row); one more try in 1h');
      expect(master.matching(/^crasher: started/)).toHaveLength(4);
      expect(master.matching(/^crasher: exit 1 after/)).toHaveLength(4);
      expect(master.matching(/^crasher +! no luck$/)).toHaveLength(4);
      // Once the start is over and its memory given back, nothing is to be done.
      await new Promise((resolve) => setTimeout(resolve, 4000));
      const before = cpuTimeOf(master.pid);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      expect(cpuTimeOf(master.pid) - before).toBeLessThanOrEqual(20 * factor);
      expect((await master.stop()).code).toBe(0);
    },
  );

  it('D2: a trial that fails waits twice as long; one that lasts closes the breaker', async ({ stage }) => {
    const rule = { delay: '5ms', max_retries: 1, cool_down: '100ms', jitter: 0 };
    const restart = { ...rule, reset_after: `${1000 * factor}ms` };
    stage.write('luck', 'bad\n');
    const program = `process.exitCode = 1; if (require('node:fs').readFileSync('luck', 'utf8') === 'good\\n') setInterval(() => {}, 1000)`;
    const command = onWindows
      ? [process.execPath, '-e', program]
      : ['sh', '-c', 'read luck < luck; [ $luck = good ] && exec sleep 1000; exit 1'];
    await using app = embed(stage, [{ id: 'crasher', command, restart }]);
    await app.master.start();
    await app.event('worker.backing-off', 'crasher', 4);
    const delays = app.of('worker.backing-off').map(({ payload }) => [payload.breaker, payload.delay]);
    expect(delays).toEqual([
      ['closed', 5],
      ['open', 100],
      ['open', 200],
      ['open', 400],
    ]);
    stage.write('luck', 'good\n');
    await eventually(() => app.master.worker('crasher').breaker === 'closed');
    expect(app.master.worker('crasher')).toMatchObject({ phase: 'running', failuresInARow: 0 });
  });

  it('D5: each kind of end is told in its own words', async ({ stage }) => {
    const ends = {
      zero: ['true'],
      one: zoo.exitsAtOnce(1).argv,
      polite: zoo.exitsAtOnce(143).argv,
      listed: zoo.exitsAtOnce(3).argv,
      abort: zoo.crashes('SIGABRT').argv,
      segv: zoo.crashes('SIGSEGV').argv,
    };
    const master = stage.run(
      Object.entries(ends).map(([id, command]) => ({
        id,
        command,
        restart: { policy: 'on-failure', delay: '1h' },
        success_exit_codes: [0, 3],
      })),
    );
    await master.line(/^segv: next try/);
    if (!onWindows) await master.line(/^abort: next try/);
    await master.line(/^polite: next try/);
    await master.line(/^one: next try/);
    await master.line(/^zero: completed/);
    await master.line(/^listed: completed/);
    for (const text of [
      /^zero: exit 0 after/,
      /^one: exit 1 after/,
      /^polite: exit 143/,
      /^listed: exit 3 after/,
      // What abort() leaves on Windows is 3, as anything else may.
      onWindows ? /^abort: exit 3 / : /^abort: killed by SIGABRT/,
      onWindows ? /^segv: .*0xC0000005/ : /^segv: killed by SIGSEGV/,
    ]) {
      expect(master.matching(text), String(text)).toHaveLength(1);
    }
    expect((await master.stop()).code).toBe(0);
  });

  it('D7: dependents of what is never ready say what they wait for, with the probe’s answer', async ({
    stage,
  }) => {
    const probe = { exec: creature('print', 'disk is full', 'exit', '1'), interval: '50ms' };
    const readiness = { ...probe, timeout: '20s', interval: '21s', failure_threshold: 1 };
    await using app = embed(stage, [
      { id: 'db', command: zoo.sleeps().argv, probes: { readiness } },
      { id: 'app', command: zoo.sleeps().argv, depends_on: ['db'] },
    ]);
    await app.master.start();
    await app.event('health.changed', 'db');
    const { phase, waiting, doing } = app.master.worker('app');
    expect(phase).toBe('blocked');
    expect(waiting).toEqual([
      { id: 'db', condition: 'ready', reason: expect.stringContaining('disk is full') },
    ]);
    expect(doing).toContain('db');
    expect(await app.master.stopWorker('app')).toEqual({ kind: 'done', already: false });
    expect(app.of('worker.starting', 'app')).toEqual([]);
  });

  it('D9: a circle, oneself and what is not there are refused with their names', async ({ stage }) => {
    const command = 'true';
    const circle = stage.run([
      { id: 'a', command, depends_on: ['b'] },
      { id: 'b', command, depends_on: ['c'] },
      { id: 'c', command, depends_on: ['a'] },
      { id: 'self', command, depends_on: ['self'] },
      { id: 'lost', command, depends_on: ['nobody'] },
    ]);
    expect((await circle.end()).code).toBe(2);
    expect(circle.stderr).toMatch(/a → b → c → a|b → c → a → b|c → a → b → c/);
    expect(circle.stderr).toMatch(/self → self|itself/);
    expect(circle.stderr).toContain('nobody');
  });

  it('D10: the stop goes from dependents to what they depend on, and side by side where it may', async ({
    stage,
  }) => {
    const { argv } = zoo.endsSlowly(200);
    const master = stage.run([
      { id: 'base', command: argv },
      { id: 'left', command: argv, depends_on: ['base'] },
      { id: 'right', command: argv, depends_on: ['base'] },
      { id: 'top', command: argv, depends_on: ['left', 'right'] },
      { id: 'apart', command: argv },
    ]);
    for (const id of ['base', 'left', 'right', 'top', 'apart'])
      await master.line(new RegExp(`^${id} +\\| up`));
    expect((await master.stop()).code).toBe(0);
    const order = master.matching(/^\w+: (stopping|stopped)$/);
    const at = (line: string) => order.indexOf(line);
    expect(at('top: stopped')).toBeLessThan(at('left: stopping'));
    expect(at('right: stopping')).toBeLessThan(at('left: stopped'));
    expect(at('left: stopping')).toBeLessThan(at('right: stopped'));
    expect(at('left: stopped')).toBeLessThan(at('base: stopping'));
    expect(at('right: stopped')).toBeLessThan(at('base: stopping'));
    expect(at('apart: stopping')).toBeLessThan(at('top: stopped'));
    expect(stage.processes()).toEqual([]);
  });

  it('D10: one deadline holds for the whole stop, however long each may take', async ({ stage }) => {
    const { argv } = zoo.ignoresSigterm();
    const deaf = { command: argv, stop_timeout: '1h' };
    const master = stage.run({
      master: { force_shutdown_timeout: '600ms' },
      workers: [
        { id: 'base', ...deaf },
        { id: 'middle', ...deaf, depends_on: ['base'] },
        { id: 'top', ...deaf, depends_on: ['middle'] },
      ],
    });
    await master.line(/^top +\| up/);
    expect((await master.stop()).code).toBe(0);
    expect(master.matching(/killed with SIGKILL/)).toHaveLength(3);
    expect(stage.processes()).toEqual([]);
  });

  it('a worker that is killed comes back each time, as the same worker', async ({ stage }) => {
    const port = await freePort();
    const command = zoo.httpServer(process.execPath, port);
    const master = stage.run([{ id: 'web', command, restart: forever }]);
    for (let n = 1; n <= 5; n += 1) {
      const pid = await master.started('web', n);
      await master.until(`${n} times listening`, () => master.matching(/\| listening/).length === n);
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
      process.kill(pid, 'SIGKILL');
    }
    await master.started('web', 6);
    expect(master.matching(/EADDRINUSE/)).toEqual([]);
    expect((await master.stop()).code).toBe(0);
  });
});
