import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../src/index.ts';
import { isAlive, native, openBench, runProgram, spawnOptions, timeFactor, until } from './harness.ts';

const threads = (): number => readdirSync('/proc/self/task').length;

describe('an engine that ends', () => {
  it('refuses every call after close, and close itself never', () => {
    const { engine } = openBench();
    engine.close();
    engine.close();
    const calls: (() => unknown)[] = [
      () => engine.spawn(spawnOptions({ file: '/bin/true' })),
      () => engine.submit(spawnOptions({ file: '/bin/true' })),
      () => engine.collect(),
      () => engine.release(1, true),
      () => engine.signal(1, 0),
      () => engine.signalGroup(1, 0),
      () => engine.signalProcess(process.pid, '1', 0),
      () => engine.watch(process.pid, '1'),
      () => engine.unwatch(1),
      () => engine.detachOutput(1),
      () => engine.orphans(),
      () => engine.acknowledge(1),
    ];
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  it('takes its threads along and kills nothing', async () => {
    const before = threads();
    const engine = native.openEngine({
      subreaper: false,
      maxUnacknowledgedBytes: 1,
      onEvents: () => undefined,
    });
    const sleep = spawnOptions({ file: '/bin/sleep', argv: ['sleep', '60'], stdout: 'capture' });
    const result = engine.spawn(sleep);
    if (!result.ok) throw new Error(result.failure.code);
    const { handle, pid, startTime } = result.value;
    engine.release(handle, true);
    expect(threads()).toBe(before + 3);
    engine.close();
    await until(() => threads() === before, 'the threads have ended');
    expect(isAlive(pid)).toBe(true);
    const other = openBench();
    expect(other.engine.signalProcess(pid, startTime, 9)).toEqual({ ok: true });
  });

  it('keeps the event loop going until it is closed', async () => {
    const waiting = runProgram('loop', ['open']);
    await waiting.said(/exited/);
    const closing = await runProgram('loop', ['close']).closed;
    expect(closing).toMatchObject({ code: 0, stdout: 'exited\nloop ended\n' });
    expect(waiting.child.exitCode).toBeNull();
  });

  const ways = [
    'exit',
    'exit-in-callback',
    'throw-in-callback',
    'worker-terminate',
    'worker-exit',
    'collected',
    'flood',
  ];
  it.each([...ways, 'worker-terminate-often'])(
    'survives its environment: %s',
    async (way) => {
      const result = await runProgram('torn-down', [way]).closed;
      expect(result).toMatchObject({ code: way === 'throw-in-callback' ? 7 : 0, signal: null });
      expect(result.stdout).toBe(`${way}\n`);
    },
    20_000 * timeFactor,
  );
});

describe('several engines', () => {
  it('of one process each know their own processes', async () => {
    const [first, second] = [openBench(), openBench()];
    const one = first.run({ file: '/bin/sh', argv: ['sh', '-c', 'exit 1'] });
    const two = second.run({ file: '/bin/sh', argv: ['sh', '-c', 'exit 2'] });
    expect(one.handle).toBe(two.handle);
    expect(await first.exit(one.handle)).toMatchObject({ code: 1 });
    expect(await second.exit(two.handle)).toMatchObject({ code: 2 });
    expect(first.events.filter((event) => event.type === 'exited')).toHaveLength(1);
  });

  it('work in worker threads beside that of the main thread', async () => {
    const bench = openBench();
    const workers = Array.from(
      { length: 3 },
      () => new Worker(new URL('programs/in-worker.ts', import.meta.url)),
    );
    const said = await Promise.all(
      workers.map(
        (worker) => new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject)),
      ),
    );
    expect(said).toEqual([20, 20, 20]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(await bench.exit(bench.run({ file: '/bin/true' }).handle)).toMatchObject({ code: 0 });
  });
});

describe('loading', () => {
  it('is declined by HSU_NATIVE=off', () => {
    expect(loadNative({ HSU_NATIVE: 'off' })).toEqual({
      ok: false,
      reason: 'switched off by HSU_NATIVE=off',
    });
  });

  it('twice gives two faces of the same system', () => {
    const again = loadNative({});
    expect(again.ok && again.native.bootId()).toBe(native.bootId());
  });
});
