import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isRoot, timeFactor } from './harness.ts';
import { folder, lines, openPumpBench } from './pump-bench.ts';

const linux = fileURLToPath(new URL('../../../native/linux', import.meta.url));
const shared = fileURLToPath(new URL('../../../native/shared', import.meta.url));
const program = join('/tmp', `hsu-faults-${process.pid}`);
const sources = (place: string): string[] =>
  readdirSync(place)
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(place, name));

const scenarios = [
  ['plain', 'EIO: what is lost is counted, said in the file, and writing goes on by itself'],
  ['newest', 'ENOSPC and drop-newest: the same'],
  ['oldest', 'EIO and drop-oldest: the same'],
  ['json', 'EIO and formatted lines: what the spool holds is not lost'],
  ['stall-block', 'a disk that does not answer, block: the worker waits, nothing is lost'],
  [
    'stall-newest',
    'and drop-newest: the worker goes on, each line is kept or counted, gaps are said in place',
  ],
  ['stall-oldest', 'and drop-oldest: the same'],
  ['hang', 'one of two disks hangs: who writes to the other, or by a policy that drops, does not wait'],
  ['unopenable', 'a file that cannot be opened is tried again'],
  ['without-splice', 'where there is no splice it copies, and says so once'],
  ['unrotatable', 'a file that cannot be rotated grows, and it is said once'],
  ['chaos', 'all of it at random, four channels in one file: each line is kept or counted'],
  ['chaos-json', 'the same, formatted'],
] as const;

/** The usual build always, sanitizers where time is no matter; `setarch -R` because ThreadSanitizer wants its addresses. */
const builds = [
  ['as it is', []],
  ...(process.env['CI_FULL']
    ? ([
        ['under ThreadSanitizer', ['-g', '-fsanitize=thread']],
        ['as on macOS, without splice, tee and epoll', ['-DHSU_SELECT', '-DHSU_PLAIN_PIPES']],
        [
          'under AddressSanitizer and UndefinedBehaviorSanitizer',
          ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'],
        ],
      ] as const)
    : []),
] as const;

describe.each(builds)('on a disk that fails by a seam in the code, %s', (_, flags) => {
  beforeAll(() => {
    const all = [
      join(linux, 'test', 'pump_faults.cc'),
      ...sources(join(linux, 'src', 'pump')),
      ...sources(join(shared, 'hsu', 'pump')),
    ];
    const options = ['-std=c++20', '-O1', ...flags, `-I${shared}`, '-o', program];
    execFileSync('cc', [...options, ...all, '-lstdc++', '-lpthread']);
    return () => rmSync(program, { force: true });
  }, 240_000 * timeFactor);

  // Where there is never a splice that is not said of each file.
  const all = scenarios.filter(
    ([name]) => !flags.some((flag) => flag === '-DHSU_PLAIN_PIPES') || name !== 'without-splice',
  );
  it.each(all)(
    '%s: %s',
    (scenario) => {
      const [command = '', ...rest] = flags.length > 0 ? ['setarch', '-R', program] : [program];
      const { stdout, stderr } = spawnSync(command, [...rest, scenario], { encoding: 'utf8' });
      expect(`${stdout}${stderr}`.trim()).toBe('OK');
    },
    120_000 * timeFactor,
  );
});

describe.runIf(isRoot)('on a full disk (needs root: mounts a tmpfs)', () => {
  function smallDisk(): string | null {
    const place = folder();
    const small = join(place, 'small');
    mkdirSync(small);
    const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small]);
    if (made.status !== 0) return null;
    onTestFinished(() => void spawnSync('umount', ['-l', small]));
    return small;
  }

  it.each(['plain', 'json'] as const)(
    'ENOSPC, %s: the worker lives on, each line is kept or counted, and writing resumes by itself',
    async (format) => {
      const small = smallDisk();
      if (small === null) return;
      const bench = openPumpBench();
      const log = join(small, 'log');
      writeFileSync(join(small, 'ballast'), Buffer.alloc(128 * 1024));
      const channel = bench.open({ file: log, format });
      const done = bench.run(`exec ${lines()} write 0 120000 100 1000 50`);
      await bench.next('outage', ({ code }) => code === 'ENOSPC');
      rmSync(join(small, 'ballast'));
      const removed = performance.now();
      await bench.next('resumed');
      expect(performance.now() - removed).toBeLessThan(1500 * timeFactor);
      expect(await done).toBe(0);
      const { counts } = await bench.ended(channel);
      expect(counts.lines + counts.droppedLines).toBe(120_000);
      expect(counts.bytes + counts.droppedBytes).toBe(12_000_000);
      expect(counts.droppedLines).toBeGreaterThan(0);
      expect(statSync(log).size).toBeGreaterThan(0);
    },
    60_000 * timeFactor,
  );
});
