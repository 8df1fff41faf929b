import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, native, openBench, shell, timeFactor, until } from './harness.ts';

describe('captured output', () => {
  it('arrives whole, in order, each stream by itself', async () => {
    const bench = openBench();
    const { handle } = bench.run(shell('seq 1 200000; seq 1 3 >&2'));
    await bench.ended(handle);
    await bench.ended(handle, 'stderr');
    const expected = Array.from({ length: 200_000 }, (_, at) => `${at + 1}\n`).join('');
    expect(bench.output(handle) === expected).toBe(true);
    expect(bench.output(handle, 'stderr')).toBe('1\n2\n3\n');
  });

  it('keeps bytes as they are', async () => {
    const bench = openBench();
    const { handle } = bench.run(shell("printf '\\000\\377\\r\\n\\033[0m'"));
    await bench.ended(handle);
    const [event] = bench.events.filter((each) => each.type === 'output');
    expect(event).toMatchObject({ data: Buffer.from([0, 255, 13, 10, 27, 91, 48, 109]) });
  });

  it('F4: stops at the bound while nobody consumes it, and supervision goes on', async () => {
    const bound = 256 << 10;
    const bench = openBench(bound);
    bench.consuming = false;
    const flood = bench.run({ file: '/bin/cat', argv: ['cat', '/dev/zero'], stdout: 'capture' });
    const received = (): number =>
      bench.events.reduce((sum, event) => (event.type === 'output' ? sum + event.data.length : sum), 0);
    await until(() => received() >= bound, 'the bound is reached');
    const blocked = native.identify(flood.pid);
    const quick = bench.run({ file: '/bin/true' });
    expect(await bench.exit(quick.handle)).toMatchObject({ code: 0 });
    expect(received()).toBeLessThan(bound + (64 << 10));
    expect(blocked).not.toBeNull();

    const before = received();
    bench.engine.acknowledge(before);
    await until(() => received() > before, 'reading goes on');
    expect(bench.engine.signal(flood.handle, 9)).toEqual({ ok: true });
    expect(await bench.exit(flood.handle)).toMatchObject({ signal: 'SIGKILL' });
    bench.consuming = true;
    bench.engine.acknowledge(received() - before);
    await bench.ended(flood.handle);
  });

  it(
    'of a flood does not starve that of its neighbours',
    async () => {
      const bench = openBench(1 << 20);
      const floods = [1, 2, 3].map(() =>
        bench.run({ file: '/bin/cat', argv: ['cat', '/dev/zero'], stdout: 'capture' }),
      );
      const quiet = bench.run(shell('for i in 1 2 3 4 5; do echo $i; sleep 0.02; done'));
      await bench.ended(quiet.handle);
      expect(bench.output(quiet.handle)).toBe('1\n2\n3\n4\n5\n');
      for (const { handle } of floods) {
        bench.engine.signal(handle, 9);
        await bench.exit(handle);
      }
    },
    20_000 * timeFactor,
  );

  it('A11: does not delay the exit while a grandchild holds the pipe, and can be let go of', async () => {
    const bench = openBench();
    const { handle } = bench.run(shell('echo first; (trap "" PIPE; exec sleep 60) & echo $!'));
    expect(await bench.exit(handle)).toMatchObject({ code: 0, groupEmpty: false });
    await until(() => /first\n\d+\n/.test(bench.output(handle)), 'the lines arrive');
    expect(bench.events.some((event) => event.type === 'output-end')).toBe(false);
    bench.engine.detachOutput(handle);
    await bench.ended(handle);
    await bench.ended(handle, 'stderr');
    bench.engine.detachOutput(handle);
    const grandchild = native.identify(Number(bench.output(handle).split('\n')[1]));
    if (!grandchild) throw new Error('the grandchild has gone');
    bench.engine.signalProcess(grandchild.pid, grandchild.startTime, 9);
  });

  it('is delivered as far as it is there when it is let go of', async () => {
    const bench = openBench(1);
    bench.consuming = false;
    const place = folder();
    const script =
      'echo one; until [ -e "$1/go" ]; do sleep 0.01; done; echo two; : > "$1/written"; exec sleep 60';
    const { handle } = bench.run(shell(script, place));
    await until(() => bench.output(handle) === 'one\n', 'the first line, which fills the bound');
    writeFileSync(join(place, 'go'), '');
    await until(() => existsSync(join(place, 'written')), 'the second line is in the pipe');
    bench.engine.detachOutput(handle);
    expect(bench.events.some((event) => event.type === 'output-end')).toBe(false);
    bench.consuming = true;
    bench.engine.acknowledge(4);
    await bench.ended(handle);
    expect(bench.output(handle)).toBe('one\ntwo\n');
  });

  it('ends for a program that closes its streams and lives on', async () => {
    const bench = openBench();
    const { handle } = bench.run(shell('exec >&- 2>&-; exec sleep 60'));
    await bench.ended(handle);
    await bench.ended(handle, 'stderr');
    expect(bench.engine.signal(handle, 0)).toEqual({ ok: true });
  });
});
