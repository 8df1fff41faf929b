import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fileWith,
  folder,
  isRoot,
  native,
  openBench,
  outputOf,
  runProgram,
  shell,
  spawnOptions,
  timeFactor,
  until,
} from './harness.ts';

const nobody = 65_534;

describe('a spawned program', () => {
  it('gets exactly its arguments, environment, folder and umask', async () => {
    const bench = openBench();
    const cwd = folder();
    const awkward = ['', 'two words', 'new\nline', 'é€😀', '*', '--'];
    const args = await outputOf(bench, {
      file: '/usr/bin/printf',
      argv: ['printf', '%s|', ...awkward],
    });
    expect(args).toBe(awkward.map((word) => `${word}|`).join(''));

    const env = ['A=1', 'B=with = and \n newline', 'C='];
    const printed = await outputOf(bench, { file: '/usr/bin/env', argv: ['env', '-0'], env });
    expect(printed.split('\0').slice(0, -1)).toEqual(env);

    const place = await outputOf(bench, { ...shell('pwd; umask'), cwd, umask: 0o027 });
    expect(place).toBe(`${cwd}\n0027\n`);
  });

  it('sees argv[0] as given, even empty', async () => {
    const bench = openBench();
    const file = '/bin/cat';
    const argv = ['', '/proc/self/cmdline'];
    expect(await outputOf(bench, { file, argv })).toBe('\0/proc/self/cmdline\0');
  });

  it('A16: has descriptors 0, 1 and 2 and no other', async () => {
    const bench = openBench();
    // Stopped by itself it has its libraries loaded, which it opens as further descriptors for a moment.
    const sleeper = {
      file: '/bin/sh',
      argv: ['sh', '-c', 'kill -STOP $$; :'],
      stdout: 'capture',
      stderr: 'capture',
    } as const;
    const spawned = [1, 2, 3].map(() => bench.start(sleeper));
    for (const { handle } of spawned) bench.engine.release(handle, true);
    for (const { handle, pid } of spawned) {
      await bench.execed(handle);
      await until(() => native.identify(pid)?.state === 'T', 'it has stopped itself');
      const places = readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)]);
      expect(places).toEqual([
        ['0', '/dev/null'],
        ['1', expect.stringMatching(/^pipe:/)],
        ['2', expect.stringMatching(/^pipe:/)],
      ]);
    }
  });

  it(
    'leaves no descriptor behind in the master',
    async () => {
      const bench = openBench();
      const warmUp = bench.run({ ...shell('exit 0') });
      await bench.exit(warmUp.handle);
      await bench.ended(warmUp.handle);
      await bench.ended(warmUp.handle, 'stderr');
      const before = readdirSync('/proc/self/fd').length;
      const handles = Array.from({ length: 200 }, (_, at) =>
        at % 4 === 0
          ? bench.run({ file: '/no/such/program', stdout: 'capture', stderr: 'capture' }).handle
          : bench.run(shell('echo x')).handle,
      );
      for (const [at, handle] of handles.entries()) {
        if (at % 4 === 0) await bench.failure(handle);
        else await bench.exit(handle);
        await bench.ended(handle);
        await bench.ended(handle, 'stderr');
      }
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    },
    20_000 * timeFactor,
  );

  it('starts with no signal blocked, ignored or pending', async () => {
    const bench = openBench();
    expect(readFileSync('/proc/self/status', 'utf8')).toMatch(/SigIgn:\t[0-9a-f]{12}1000/); // Node ignores SIGPIPE
    const status = await outputOf(bench, { file: '/bin/cat', argv: ['cat', '/proc/self/status'] });
    for (const field of ['SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt']) {
      expect(status).toMatch(new RegExp(`^${field}:\\s0+$`, 'm'));
    }
  });

  it('leads its own session and group', async () => {
    const bench = openBench();
    const { pid, startTime, handle } = bench.run({ file: '/bin/sleep', argv: ['sleep', '60'] });
    await bench.execed(handle);
    expect(native.identify(pid)).toMatchObject({ pid, pgid: pid, sid: pid, ppid: process.pid, startTime });
  });

  it('writes stderr where stdout goes when asked to', async () => {
    const bench = openBench();
    expect(await outputOf(bench, { ...shell('echo a; echo b >&2; echo c'), stderr: 'stdout' })).toBe(
      'a\nb\nc\n',
    );
  });

  it('writes to the streams of the master, made blocking and kept open, when they are inherited', async () => {
    const result = await runProgram('inherit').closed;
    expect(result).toMatchObject({ code: 0, stdout: 'out\nblocking\n', stderr: 'err\n' });
  });

  it('has the limit on open files it is given', async () => {
    const bench = openBench();
    expect(await outputOf(bench, { ...shell('ulimit -Sn'), nofile: 77 })).toBe('77\n');
  });

  it('has the limit on open files that Node found, not the one that Node raised it to', async () => {
    const result = await runProgram('lowered-nofile').closed;
    expect(result).toMatchObject({ code: 0, stdout: 'own 4096, child 512\n' });
  });

  it.runIf(isRoot)('runs as another user with exactly the groups given', async () => {
    const bench = openBench();
    const credentials = { uid: nobody, gid: 12, groups: [12, 34_567] };
    const status = await outputOf(bench, {
      file: '/bin/grep',
      argv: ['grep', '^Uid\\|^Gid\\|^Groups\\|^CapEff', '/proc/self/status'],
      ...credentials,
    });
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Gid:\t12\t12\t12\t12$/m);
    expect(status).toMatch(/^Groups:\t12 34567 ?$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
  });

  it.runIf(isRoot)('enters its folder with the rights of its user', async () => {
    const bench = openBench();
    const cwd = folder(); // mode 0700, ours
    const { handle } = bench.run({ file: '/bin/true', cwd, uid: nobody, gid: nobody, groups: [] });
    expect(await bench.failure(handle)).toMatchObject({ step: 'chdir', code: 'EACCES', call: 'chdir' });
  });

  it.runIf(isRoot)('leaves the master as traceable as it was after running as another user', async () => {
    const bench = openBench();
    const { handle } = bench.run({ file: '/bin/true', uid: nobody, gid: nobody, groups: [] });
    await bench.exit(handle);
    const result = await runProgram('dumpable', [], { gid: 1 }).closed;
    expect(result).toMatchObject({ code: 0, stdout: 'before 1, after 1\n' });
  });

  it.runIf(isRoot)('can be spawned by an ordinary user, who cannot become another', async () => {
    const result = await runProgram('ordinary-user', [], { uid: nobody, gid: nobody }).closed;
    expect(result).toMatchObject({ code: 0, stdout: 'uid 65534\ngroups EPERM\nuser EPERM\n' });
  });

  it('runs a text without a shebang line by the shell, and says so', async () => {
    const bench = openBench();
    const file = fileWith('echo "$0 $1"; exit 4\n', 0o755);
    const { handle } = bench.run({ file, argv: ['name', 'one'], stdout: 'capture', shellFallback: true });
    expect(await bench.execed(handle)).toMatchObject({ usedShell: true });
    expect(await bench.exit(handle)).toMatchObject({ code: 4 });
    await bench.ended(handle);
    expect(bench.output(handle)).toBe(`${file} one\n`);
  });

  it('is not searched for: a bare name is a file in the folder', async () => {
    const bench = openBench();
    const { handle } = bench.run({ file: 'true' });
    expect(await bench.failure(handle)).toMatchObject({ step: 'exec', code: 'ENOENT', call: 'execve' });
  });

  it.runIf(isRoot)('holds a FIFO for reading and writing, and owns it as its user', async () => {
    const bench = openBench();
    const fifo = join(folder(), 'fifo');
    execFileSync('mkfifo', ['-m', '600', fifo]);
    const script = 'exec 3>&1; grep flags: /proc/$$/fdinfo/3 >&2; id -u > /dev/stdout';
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const { handle } = bench.run({
      ...shell(script),
      stdout: { fifo },
      uid: nobody,
      gid: nobody,
      groups: [],
    });
    await bench.exit(handle);
    await bench.ended(handle, 'stderr');
    // O_RDWR is 2, and not O_NONBLOCK.
    expect(bench.output(handle, 'stderr')).toMatch(/^flags:\t0\d*0002\n$/);
    expect(readFileSync(reader, 'utf8')).toBe('65534\n');
    expect(statSync(fifo).uid).toBe(nobody);
    closeSync(reader);
  });

  it('whose FIFO is not there is not made', () => {
    const bench = openBench();
    const missing = join(folder(), 'fifo');
    const result = bench.engine.spawn(spawnOptions({ ...shell('true'), stdout: { fifo: missing } }));
    expect(result).toMatchObject({ ok: false, failure: { step: 'channel', code: 'ENOENT', call: 'open' } });
  });
});
