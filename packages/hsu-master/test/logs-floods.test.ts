import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect } from 'vitest';
import { eventually, factor, it, PATIENCE, type Stage, TIMED } from './drive.ts';
import { embed } from './embedded.ts';

const isLong = Boolean(process.env.HSU_LONG);

/** A worker’s rotated files and the present one, oldest first. */
function filesOf(stage: Stage, id: string): readonly string[] {
  const folder = stage.path('logs', 'workers');
  const number = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  const names = readdirSync(folder).filter((name) => name.startsWith(`${id}-stdout.log`));
  return names.toSorted((a, b) => number(b) - number(a)).map((name) => stage.path('logs', 'workers', name));
}

/** Of the lines that are there: how many, and the first that is not larger than the one before it. */
function counted(stage: Stage, id: string): { readonly lines: number; readonly wrong: string | undefined } {
  let lines = 0;
  let last = 0;
  for (const file of filesOf(stage, id)) {
    for (const line of readFileSync(file, 'latin1').split('\n').slice(0, -1)) {
      if (line.startsWith('--- hsu-master: ')) continue;
      if (!(Number(line) > last)) return { lines, wrong: line };
      last = Number(line);
      lines += 1;
    }
  }
  return { lines, wrong: undefined };
}

/** Lines that gap lines in the files tell of. */
function missing(stage: Stage, id: string): number {
  const text = filesOf(stage, id)
    .map((file) => readFileSync(file, 'latin1'))
    .join('');
  const gaps = text.matchAll(/^--- hsu-master: .* bytes with (\d+) /gm);
  return Array.from(gaps, ([, lines]) => Number(lines)).reduce((sum, lines) => sum + lines, 0);
}

describe('floods', () => {
  it('F4: by each policy every line is there or counted, and the event loop feels nothing (tried again: it bounds real time)', {
    ...TIMED,
    timeout: PATIENCE * (isLong ? 20 : 3),
  }, async ({ stage }) => {
    const count = isLong ? 20_000_000 : 1_000_000;
    const policies = ['block', 'drop_oldest', 'drop_newest'] as const;
    const workers = policies.map((when_full) => ({
      id: when_full,
      command: `seq 1 ${count}`,
      restart: 'never',
      log: { max_size: '10MB', max_files: 1000, when_full },
    }));
    await using held = embed(stage, workers, { logDirectory: stage.path('logs') });
    const delays = monitorEventLoopDelay({ resolution: 10 });
    await held.master.start();
    delays.enable();
    for (const id of policies) await held.event('worker.exited', id);
    delays.disable();
    await held.master.shutdown({ deadline: PATIENCE });
    expect(delays.max / 1e6).toBeLessThan(200 * factor);
    for (const id of policies) {
      const { lines, wrong } = counted(stage, id);
      expect(wrong).toBeUndefined();
      expect(lines + missing(stage, id)).toBe(count);
    }
    expect(counted(stage, 'block').lines).toBe(count);
  });

  it.runIf(process.getuid?.() === 0)(
    'F5: on a full disk workers live, it is told once, and writing goes on by itself (needs root: mounts a tmpfs)',
    async ({ stage, skip }) => {
      const logs = stage.path('logs');
      mkdirSync(logs);
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', logs]).status === 0;
      if (!mounted) return skip('no tmpfs can be mounted here');
      await using _mount = { [Symbol.asyncDispose]: async () => void spawnSync('umount', ['-l', logs]) };
      writeFileSync(stage.path('logs', 'ballast'), Buffer.alloc(66_900_000));
      const command = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; done'];
      await using held = embed(stage, [{ id: 'talker', command, log: { max_size: '1GB' } }], {
        logDirectory: logs,
      });
      await held.master.start();
      const told = await held.event('log.dropped', 'talker');
      expect(told.payload).toMatchObject({ bytes: 0, reason: expect.stringMatching(/ENOSPC/) });
      const { process: running } = held.master.worker('talker');
      rmSync(stage.path('logs', 'ballast'));
      const again = await held.event('log.dropped', 'talker', 2);
      expect(again.payload.bytes).toBeGreaterThan(0);
      const size = () => statSync(stage.path('logs', 'workers', 'talker-stdout.log')).size;
      await eventually(() => size() > 0);
      expect(held.of('log.dropped', 'talker')).toHaveLength(2);
      expect(held.of('worker.exited')).toEqual([]);
      expect(held.master.worker('talker').process).toEqual(running);
    },
  );

  const patience = PATIENCE * (isLong ? 20 : 1);
  it('G8, shortened: neither restarts nor lines make the master larger, and descriptors stay as they are', {
    timeout: 5 * patience,
  }, async ({ stage }) => {
    const runs = isLong ? 20_000 : 200;
    const count = stage.path('count');
    const restart = { policy: 'always', delay: '0', max_retries: 0, jitter: 0 };
    const log = { max_size: '1MB', max_files: 2 };
    const workers = [
      { id: 'crasher', command: ['sh', '-c', `echo >> ${count}; seq 1 500`], restart, log },
      { id: 'talker', command: 'yes a line that comes without end', log },
    ];
    const master = stage.run(workers, ['--log-dir', stage.path('logs')], {
      without: /^(talker|crasher)\b/,
      // Else what is garbage is as large as what is measured.
      env: { NODE_OPTIONS: '--max-semi-space-size=1' },
    });
    const begun = () => statSync(count, { throwIfNoEntry: false })?.size ?? 0;
    const memory = () => {
      const status = readFileSync(`/proc/${master.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    };
    const descriptors = () => readdirSync(`/proc/${master.pid}/fd`).length;
    /** What there is at least, until so many runs have begun: what is above it comes and goes. */
    const least = async (until: number) => {
      const found = { memory: Number.POSITIVE_INFINITY, descriptors: Number.POSITIVE_INFINITY };
      await eventually(() => {
        found.memory = Math.min(found.memory, memory());
        found.descriptors = Math.min(found.descriptors, descriptors());
        return begun() >= until;
      }, patience);
      return found;
    };
    await least(runs * 0.2);
    const before = await least(runs * 0.6);
    const after = await least(runs);
    // The heap settles within some two thousand runs; before that, no more can be told than that lines are not kept.
    expect(after.memory - before.memory).toBeLessThan(isLong ? 16 : 64);
    expect(after.descriptors - before.descriptors).toBeLessThan(5);
    expect((await master.stop()).code).toBe(0);
  });
});
