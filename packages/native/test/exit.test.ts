import { describe, expect, it } from 'vitest';
import { isSanitized, native, openBench, shell, timeFactor } from './harness.ts';

describe('the end of a process', () => {
  it('D5: is told with its code or its signal', async () => {
    const bench = openBench();
    const code = bench.run({ ...shell('exit 77') });
    const killed = bench.run({ ...shell('kill -USR1 $$') });
    const realTime = bench.run({ ...shell('kill -36 $$') });
    const shaped = bench.run({ ...shell('exit 143') });
    expect(await bench.exit(code.handle)).toMatchObject({ code: 77, signal: null, coreDumped: false });
    expect(await bench.exit(killed.handle)).toMatchObject({ code: null, signal: 'SIGUSR1' });
    expect(await bench.exit(realTime.handle)).toMatchObject({ code: null, signal: 'SIGRTMIN+2' });
    expect(await bench.exit(shaped.handle)).toMatchObject({ code: 143, signal: null });
  });

  it('A14: comes after execed, and once, however short the life', async () => {
    const bench = openBench();
    const handles = Array.from({ length: 300 }, () => bench.run({ file: '/bin/true' }).handle);
    for (const handle of handles) await bench.exit(handle);
    for (const handle of handles) {
      const types = bench.events.flatMap((event) =>
        'handle' in event && event.handle === handle ? [event.type] : [],
      );
      expect(types).toEqual(['execed', 'exited']);
    }
  });

  it('tells the time it used, in user and system mode', async () => {
    const bench = openBench();
    const { handle } = bench.run({ ...shell('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done') });
    const { userMs, systemMs } = await bench.exit(handle);
    expect(userMs).toBeGreaterThan(10);
    expect(systemMs).toBeGreaterThanOrEqual(0);
  });

  it.skipIf(isSanitized)(
    "tells the largest memory only where it is not hidden by the master's own",
    async () => {
      const bench = openBench();
      const small = bench.run({ file: '/bin/true' });
      expect((await bench.exit(small.handle)).maxRssBytes).toBeNull();
      const size = process.memoryUsage().rss + (100 << 20);
      const script = `Buffer.alloc(${size}, 1)`;
      const grown = bench.run({ file: process.execPath, argv: ['node', '-e', script] });
      expect((await bench.exit(grown.handle)).maxRssBytes).toBeGreaterThan(size);
      const parent = bench.run({ ...shell('"$1" -e "$2"; exit 0', process.execPath, script) });
      expect((await bench.exit(parent.handle)).maxRssBytes).toBeGreaterThan(size);
    },
    20_000 * timeFactor,
  );

  it('tells whether the group is empty', async () => {
    const bench = openBench();
    const alone = bench.run({ ...shell('exit 0') });
    expect(await bench.exit(alone.handle)).toMatchObject({ groupEmpty: true });
    const parent = bench.run({ file: '/bin/sh', argv: ['sh', '-c', 'sleep 60 & exit 0'] });
    expect(await bench.exit(parent.handle)).toMatchObject({ code: 0, groupEmpty: false });
    const [orphan] = native.processTable().filter((row) => row.pgid === parent.pid);
    expect(orphan).toMatchObject({ sid: parent.pid });
    if (orphan) expect(bench.engine.signalProcess(orphan.pid, orphan.startTime, 9)).toEqual({ ok: true });
  });

  it(
    'A12: leaves no zombie of 10 000 short lives',
    async () => {
      const bench = openBench();
      const total = 10_000;
      const window = 64;
      let started = 0;
      const one = async (): Promise<void> => {
        while (started < total) {
          started++;
          const { handle } = bench.run({ file: '/bin/true' });
          await bench.exit(handle);
          bench.events.splice(
            0,
            bench.events.findIndex((event) => event.type === 'exited' && event.handle === handle),
          );
        }
      };
      await Promise.all(Array.from({ length: window }, one));
      const zombies = native.processTable().filter((row) => row.ppid === process.pid && row.state === 'Z');
      expect(zombies).toEqual([]);
    },
    120_000 * timeFactor,
  );
});
