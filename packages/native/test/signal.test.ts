import { describe, expect, it } from 'vitest';
import { isAlive, native, openBench, shell, until } from './harness.ts';

const gone = { ok: false, errno: 3, code: 'ESRCH' };

describe('signals', () => {
  it('A15: reach the leader while it lives, and nobody after', async () => {
    const bench = openBench();
    const { handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    expect(bench.engine.signal(handle, 0)).toEqual({ ok: true });
    expect(bench.engine.signal(handle, 15)).toEqual({ ok: true });
    expect(await bench.exit(handle)).toMatchObject({ signal: 'SIGTERM' });
    expect(bench.engine.signal(handle, 15)).toEqual(gone);
    expect(bench.engine.signalGroup(handle, 15)).toEqual(gone);
    expect(bench.engine.signal(999_999, 15)).toEqual(gone);
  });

  it('reach the whole group while its leader lives', async () => {
    const bench = openBench();
    const { handle, pid } = bench.run({ ...shell('sleep 60 & sleep 60 & echo ready; wait') });
    await until(() => bench.output(handle) === 'ready\n', 'the shell is ready');
    const members = native.processTable().filter((row) => row.pgid === pid);
    expect(members.length).toBe(3);
    expect(bench.engine.signalGroup(handle, 9)).toEqual({ ok: true });
    await bench.exit(handle);
    await until(() => !members.some(({ pid: member }) => isAlive(member)), 'all members ended');
  });

  it('by identity reach exactly that process', async () => {
    const bench = openBench();
    const { handle, pid, startTime } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    const other = String(Number(startTime) + 1);
    expect(bench.engine.signalProcess(pid, other, 9)).toEqual(gone);
    expect(bench.engine.signalProcess(pid, startTime, 0)).toEqual({ ok: true });
    expect(bench.engine.signalProcess(pid, startTime, 9)).toEqual({ ok: true });
    await bench.exit(handle);
    expect(bench.engine.signalProcess(pid, startTime, 9)).toEqual(gone);
  });

  it('are numbers from 0 to 64', () => {
    const bench = openBench();
    const { handle } = bench.start({ file: '/bin/true' });
    expect(() => bench.engine.signal(handle, 65)).toThrow(RangeError);
    expect(() => bench.engine.signal(handle, -1)).toThrow(RangeError);
  });
});

describe('a watch', () => {
  async function stranger(bench: ReturnType<typeof openBench>) {
    const parent = bench.run(shell('setsid sleep 60 >/dev/null 2>&1 & echo $!'));
    await bench.exit(parent.handle);
    await bench.ended(parent.handle);
    const row = native.identify(Number(bench.output(parent.handle)));
    if (!row) throw new Error('the stranger has gone');
    return row;
  }

  it('tells once that a process ended that is not a child, and how, where the kernel knows', async () => {
    const bench = openBench();
    const { pid, startTime } = await stranger(bench);
    const watch = bench.engine.watch(pid, startTime);
    expect(watch).toEqual(expect.any(Number));
    expect(bench.engine.signalProcess(pid, startTime, 9)).toEqual({ ok: true });
    const told = await bench.next(
      (event): event is typeof event & { type: 'watched-exited' } => event.type === 'watched-exited',
    );
    expect(told).toEqual({ type: 'watched-exited', watch });
    const knows = native.capabilities().find(({ feature }) => feature === 'exit-status-of-adopted-workers');
    if (knows?.status === 'enforced') {
      const status = await bench.next(
        (event): event is typeof event & { type: 'watched-status' } => event.type === 'watched-status',
      );
      expect(status).toEqual({
        type: 'watched-status',
        watch,
        code: null,
        signal: 'SIGKILL',
        coreDumped: false,
        userMs: null,
        systemMs: null,
      });
    }
    expect(bench.events.filter((event) => event.type === 'watched-exited')).toHaveLength(1);
    await until(() => native.identify(pid) === null, 'its parent has reaped it');
    expect(bench.engine.watch(pid, startTime)).toBeNull();
  });

  it('is refused for another process of the same pid', async () => {
    const bench = openBench();
    const { pid, startTime } = await stranger(bench);
    expect(bench.engine.watch(pid, String(Number(startTime) - 1))).toBeNull();
    expect(bench.engine.signalProcess(pid, startTime, 9)).toEqual({ ok: true });
  });

  it('tells nothing after unwatch', async () => {
    const bench = openBench();
    const first = await stranger(bench);
    const second = await stranger(bench);
    const unwatched = bench.engine.watch(first.pid, first.startTime);
    const watched = bench.engine.watch(second.pid, second.startTime);
    bench.engine.unwatch(unwatched ?? 0);
    bench.engine.unwatch(12_345);
    bench.engine.signalProcess(first.pid, first.startTime, 9);
    await until(() => !isAlive(first.pid), 'the first has ended');
    bench.engine.signalProcess(second.pid, second.startTime, 9);
    await bench.next(
      (event): event is typeof event & { type: 'watched-exited' } => event.type === 'watched-exited',
    );
    expect(bench.events.flatMap((event) => (event.type === 'watched-exited' ? [event.watch] : []))).toEqual([
      watched,
    ]);
  });
});
