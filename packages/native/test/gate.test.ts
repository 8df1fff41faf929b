import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, isAlive, native, openBench, runProgram, shell, until } from './harness.ts';

describe('the gate', () => {
  it('holds the program until it is released', async () => {
    const bench = openBench();
    const marker = join(folder(), 'ran');
    const { handle, pid, startTime } = bench.start(shell('echo > "$1"', marker));
    expect(native.identify(pid)).toMatchObject({ startTime });
    await bench.exit(bench.run({ file: '/bin/true' }).handle); // time for a program to run
    expect(existsSync(marker)).toBe(false);
    expect(bench.events.some((event) => 'handle' in event && event.handle === handle)).toBe(false);
    bench.engine.release(handle, true);
    await bench.execed(handle);
    expect(await bench.exit(handle)).toMatchObject({ code: 0 });
    expect(existsSync(marker)).toBe(true);
  });

  it('turns the process away without having run the program', async () => {
    const bench = openBench();
    const marker = join(folder(), 'ran');
    const { handle, pid } = bench.start(shell('echo > "$1"', marker));
    bench.engine.release(handle, false);
    expect(await bench.failure(handle)).toEqual({
      step: 'gate',
      errno: 125,
      code: 'ECANCELED',
      call: 'read',
    });
    expect(native.identify(pid)).toBeNull();
    expect(existsSync(marker)).toBe(false);
  });

  it('does not run the program when the master is killed before the release', async () => {
    const marker = join(folder(), 'ran');
    const master = runProgram('gated', [marker]);
    const pid = Number((await master.said(/gated (\d+)/))[1]);
    expect(isAlive(pid)).toBe(true);
    master.child.kill('SIGKILL');
    await until(() => !isAlive(pid), 'the process left its gate');
    expect(existsSync(marker)).toBe(false);
  });

  it('is not kept open by the gates of siblings', async () => {
    const marker = join(folder(), 'ran');
    const master = runProgram('gated', [marker, '20']);
    const pids = (await master.said(/gated ([\d ]+)\n/))[1]?.split(' ').map(Number) ?? [];
    expect(pids).toHaveLength(20);
    master.child.kill('SIGKILL');
    await until(() => !pids.some(isAlive), 'all processes left their gates');
    expect(existsSync(marker)).toBe(false);
  });

  it('reports a process that was killed while it waited', async () => {
    const bench = openBench();
    const { handle, pid } = bench.start({ file: '/bin/true' });
    process.kill(pid, 'SIGKILL');
    expect(await bench.failure(handle)).toMatchObject({ step: 'gate', code: 'EINTR' });
    bench.engine.release(handle, true);
  });

  it('keeps signals for the program to die of', async () => {
    const bench = openBench();
    const { handle } = bench.start({ file: '/bin/sleep', argv: ['sleep', '60'] });
    expect(bench.engine.signalGroup(handle, 15)).toEqual({ ok: true });
    bench.engine.release(handle, true);
    expect(await bench.exit(handle)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('takes the first release only, and none for handles it does not know', async () => {
    const bench = openBench();
    const { handle } = bench.start({ file: '/bin/true' });
    bench.engine.release(handle, true);
    bench.engine.release(handle, false);
    expect(await bench.exit(handle)).toMatchObject({ code: 0 });
    bench.engine.release(handle, true);
    bench.engine.release(4_711, true);
  });

  it('lets the waiting processes go when the engine is closed', async () => {
    const bench = openBench();
    const marker = join(folder(), 'ran');
    const pids = [1, 2, 3].map(() => bench.start(shell('echo > "$1"', marker)).pid);
    bench.engine.close();
    expect(pids.map((pid) => native.identify(pid))).toEqual([null, null, null]);
    expect(existsSync(marker)).toBe(false);
  });

  it('shows the process by pid and start time to whoever reads a record of it', () => {
    const bench = openBench();
    const { pid, startTime } = bench.start({ file: '/bin/true' });
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
    expect(fields?.[19]).toBe(startTime);
  });
});
