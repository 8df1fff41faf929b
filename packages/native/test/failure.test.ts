import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileWith, folder, isRoot, openBench, runProgram, timeFactor } from './harness.ts';

/** The head of an ELF file for a machine that does not exist. */
const foreignElf = Uint8Array.from([
  0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xfe, 0xfe,
]);

describe('a program that cannot be run', () => {
  const cases: [string, () => string, object][] = [
    [
      'B1: a missing file',
      () => '/no/such/program',
      { step: 'exec', code: 'ENOENT', errno: 2, call: 'execve' },
    ],
    [
      'B2: a file that is not executable',
      () => fileWith('#!/bin/sh\n', 0o644),
      { step: 'exec', code: 'EACCES' },
    ],
    ['B2: a folder', () => folder(), { step: 'exec', code: 'EACCES' }],
    ['B3: a missing interpreter', () => fileWith('#!/no/such/sh\n', 0o755), { step: 'exec', code: 'ENOENT' }],
    [
      'B3: a shebang line that names nothing',
      () => fileWith('#!\n', 0o755),
      { step: 'exec', code: 'ENOEXEC' },
    ],
    ['B3: another architecture', () => fileWith(foreignElf, 0o755), { step: 'exec', code: 'ENOEXEC' }],
    ['B3: garbage', () => fileWith(Uint8Array.of(1, 0, 2, 0, 10), 0o755), { step: 'exec', code: 'ENOEXEC' }],
    ['a link to itself', selfLink, { step: 'exec', code: 'ELOOP' }],
    ['a name that is too long', () => `/${'n'.repeat(300)}`, { step: 'exec', code: 'ENAMETOOLONG' }],
  ];

  function selfLink(): string {
    const link = join(folder(), 'link');
    symlinkSync(link, link);
    return link;
  }

  it.each(cases)('%s: reported with its step, reaped, and never as started', async (_, file, failure) => {
    const bench = openBench();
    const { handle, pid } = bench.run({ file: file(), shellFallback: true });
    expect(await bench.failure(handle)).toMatchObject(failure);
    expect(bench.events.filter((event) => 'handle' in event && event.handle === handle)).toHaveLength(1);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is not given to the shell unless asked', async () => {
    const bench = openBench();
    const { handle } = bench.run({ file: fileWith('exit 0\n', 0o755) });
    expect(await bench.failure(handle)).toMatchObject({ step: 'exec', code: 'ENOEXEC' });
  });

  it('B4: reports a folder that is missing, or none', async () => {
    const bench = openBench();
    const missing = bench.run({ file: '/bin/true', cwd: '/no/such/folder' });
    expect(await bench.failure(missing.handle)).toMatchObject({
      step: 'chdir',
      code: 'ENOENT',
      call: 'chdir',
    });
    const file = bench.run({ file: '/bin/true', cwd: fileWith('', 0o644) });
    expect(await bench.failure(file.handle)).toMatchObject({ step: 'chdir', code: 'ENOTDIR' });
  });

  it('B5: reports arguments and environments that are too long, and the master goes on', async () => {
    const bench = openBench();
    const env = bench.run({ file: '/bin/true', env: [`BIG=${'x'.repeat(3 << 20)}`] });
    expect(await bench.failure(env.handle)).toMatchObject({ step: 'exec', code: 'E2BIG' });
    const argv = ['true', ...Array.from({ length: 40 }, () => 'y'.repeat(100_000))];
    const args = bench.run({ file: '/bin/true', argv });
    expect(await bench.failure(args.handle)).toMatchObject({ step: 'exec', code: 'E2BIG' });
    const small = bench.run({ file: '/bin/true' });
    expect(await bench.exit(small.handle)).toMatchObject({ code: 0 });
  });

  it('reports a limit on open files above the hard one', async () => {
    const bench = openBench();
    const { handle } = bench.run({ file: '/bin/true', nofile: 2 ** 40 });
    const failure = await bench.failure(handle);
    expect(failure).toMatchObject({ step: 'rlimit', call: 'prlimit', code: 'EINVAL' });
  });

  it.runIf(isRoot)('B7: reports a program that its user may not execute', async () => {
    const bench = openBench();
    const file = fileWith('#!/bin/sh\n', 0o755);
    chmodSync(file, 0o700);
    const { handle } = bench.run({ file, uid: 65_534, gid: 65_534, groups: [] });
    expect(await bench.failure(handle)).toMatchObject({ step: 'exec', code: 'EACCES' });
  });

  it(
    'G1: without a free descriptor refuses with EMFILE, keeps what it has, and works again later',
    async () => {
      const result = await runProgram('few-descriptors').closed;
      expect(result.stderr).toBe('');
      expect(result.stdout).toMatch(
        /^refused with EMFILE after [1-9]\d*\nchildren left \d+ of \d+\nworks again\n$/,
      );
      const [, left, kept] = /left (\d+) of (\d+)/.exec(result.stdout) ?? [];
      expect(left).toBe(kept);
    },
    20_000 * timeFactor,
  );
});
