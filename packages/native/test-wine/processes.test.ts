import { afterAll, expect, test } from 'vitest';
import { commandLine } from '../src/index.ts';
import { creature, Ears, environmentWith, KILLED, native, spawnOf, windows } from './engine.ts';

const ears = new Ears();
const { engine } = ears;
afterAll(() => engine.close());

const jobOf = (name = ''): number => {
  const made = engine.createJob(name);
  if (!made.ok) throw new Error(`${made.failure.call}: ${made.failure.code}`);
  return made.value;
};

test('a process that was not released has not run, and says so by its exit code when it is turned away', async () => {
  const { handle } = ears.start(['print', 'it ran', 'exit', '0']);
  expect(engine.release(handle, false)).toBeNull();
  const { code } = await ears.hear('exited', (event) => event.handle === handle);
  expect(code).toBe(1223);
  await ears.hear('output-end', (event) => event.handle === handle && event.stream === 'stdout');
  expect(ears.text(handle)).toBe('');
});

test('a released process runs, its output and its exit arrive', async () => {
  const { handle, pid, startTime } = ears.start(['pid', 'print', 'hello', 'warn', 'oh', 'exit', '42']);
  expect(windows.processes().find((one) => one.pid === pid)?.startTime).toBe(startTime);
  expect(engine.release(handle, true)).toBeNull();
  expect((await ears.hear('exited', (event) => event.handle === handle)).code).toBe(42);
  await ears.hear('output-end', (event) => event.handle === handle && event.stream === 'stderr');
  await ears.hear('output-end', (event) => event.handle === handle && event.stream === 'stdout');
  expect(ears.text(handle)).toBe(`${pid}\nhello\n`);
  expect(ears.text(handle, 'stderr')).toBe('oh\n');
});

test('directory and environment arrive, and nothing else of the master’s', async () => {
  const { handle } = ears.start(['cwd', 'env', 'GREETING', 'env', 'PATH'], {
    cwd: 'C:\\windows',
    environment: environmentWith({ GREETING: 'héllo wörld 😀' }),
  });
  engine.release(handle, true);
  await ears.hear('output-end', (event) => event.handle === handle && event.stream === 'stdout');
  expect(ears.text(handle)).toBe('C:\\windows\nhéllo wörld 😀\n(unset)\n');
});

test('an access violation ends with its code', async () => {
  const { handle } = ears.start(['crash', '11']);
  engine.release(handle, true);
  expect((await ears.hear('exited', (event) => event.handle === handle)).code).toBe(0xc000_0005);
});

test('a program that is not there is a failure with a code', () => {
  const result = engine.spawn(spawnOf([], { application: 'C:\\nowhere.exe' }));
  expect(result).toMatchObject({ ok: false, failure: { step: 'create', code: 'ENOENT' } });
});

test('a job holds a whole tree, and ends it with one call', async () => {
  const job = jobOf();
  const words = ['child', '{', 'child', '{', 'print', 'up', 'sleep', '}', 'sleep', '}', 'sleep'];
  const { handle, pid } = ears.start(words, { jobs: [job] });
  engine.release(handle, true);
  await ears.says(handle, 'up');
  const members = windows
    .processes()
    .filter((one) => engine.jobPids(job).includes(one.pid) && one.name === 'creature.exe');
  expect(members).toHaveLength(3);
  expect(members.map((one) => one.pid)).toContain(pid);
  expect(engine.terminateJob(job, KILLED)).toBeNull();
  expect((await ears.hear('exited', (event) => event.handle === handle)).code).toBe(KILLED);
  await ears.hear('job', (event) => event.job === job && event.news === 'empty');
  expect(engine.jobPids(job)).toEqual([]);
  engine.closeJob(job);
});

test('a job is known by its name as long as a process holds it, whoever made it', async () => {
  const name = `Local\\hsu-test-${process.pid}-parked`;
  const job = jobOf(name);
  expect(engine.createJob(name)).toMatchObject({ ok: false, failure: { code: 'EEXIST' } });
  const { handle, pid, startTime } = ears.start(['print', 'up', 'sleep'], { jobs: [job] });
  engine.release(handle, true);
  await ears.says(handle, 'up');
  engine.closeJob(job);
  const next = engine.openJob(name);
  if (!next.ok) return expect.unreachable(next.failure.code);
  expect(engine.jobPids(next.value)).toContain(pid);
  const watch = engine.watch(pid, startTime);
  expect(watch).not.toBeNull();
  engine.terminateJob(next.value, 7);
  expect((await ears.hear('watched-exited', (event) => event.watch === watch)).code).toBe(7);
  engine.closeJob(next.value);
  const isKnown = (): boolean => {
    const opened = engine.openJob(name);
    if (opened.ok) engine.closeJob(opened.value);
    return opened.ok;
  };
  await expect.poll(isKnown).toBe(false);
});

test('nobody is watched or ended who has the pid and another start time', async () => {
  const { handle, pid, startTime } = ears.start(['print', 'up', 'sleep']);
  engine.release(handle, true);
  await ears.says(handle, 'up');
  const other = String(Number(startTime) - 1);
  expect(engine.watch(pid, other)).toBeNull();
  expect(engine.watch(pid, `${startTime}1`)).toBeNull();
  expect(windows.terminate(pid, other, KILLED)).toMatchObject({ code: 'ESRCH' });
  expect(windows.mayEnd(pid, startTime)).toBe(true);
  expect(windows.terminate(pid, startTime, KILLED)).toBeNull();
  expect((await ears.hear('exited', (event) => event.handle === handle)).code).toBe(KILLED);
  expect(windows.terminate(pid, startTime, KILLED)).toMatchObject({ code: 'ESRCH' });
});

test('a suspended process does nothing until it is resumed', async () => {
  const { handle, pid, startTime } = ears.start(['print', 'up', 'pause', '300', 'print', 'on', 'exit', '0']);
  engine.release(handle, true);
  await ears.says(handle, 'up');
  expect(windows.suspend(pid, startTime, true)).toBeNull();
  expect(windows.suspend(pid, startTime, false)).toBeNull();
  expect((await ears.hear('exited', (event) => event.handle === handle)).code).toBe(0);
  expect(windows.suspend(pid, startTime, true)).toMatchObject({ code: 'ESRCH' });
});

test('command line, image, directory, environment and ports of a process can be seen', async () => {
  const { handle, pid } = ears.start(['print', 'up', 'print', 'two words "quoted"', 'sleep'], {
    cwd: 'C:\\windows',
    environment: environmentWith({ HSU_RUN: 'a-mark' }),
  });
  engine.release(handle, true);
  await ears.says(handle, 'quoted');
  const query = { pids: [pid], argv: true, exe: true, cwd: true, environment: true, ports: 'all' } as const;
  const [seen] = native.lookAtProcesses(query).processes;
  expect(seen).toMatchObject({ pid, name: 'creature.exe', listeners: [] });
  expect(seen?.argv).toEqual([creature, 'print', 'up', 'print', 'two words "quoted"', 'sleep']);
  expect(seen?.exe?.toLowerCase()).toContain('creature.exe');
  expect(seen?.cwd?.toLowerCase()).toBe('c:\\windows');
  expect(seen?.environment?.get('HSU_RUN')).toBe('a-mark');
  expect(native.environOf(pid, 'hsu_run')).toBe('a-mark');
  expect(native.environOf(pid, 'NOT_SET')).toBeNull();
  engine.terminateJob(jobWith(pid), KILLED);
});

function jobWith(pid: number): number {
  const job = jobOf();
  const row = windows.processes().find((one) => one.pid === pid);
  expect(engine.assign(job, pid, row?.startTime ?? '0')).toBeNull();
  return job;
}

test('G1: who waits at its gate dies with the master that is killed, and who was let go lives', async () => {
  const url = new URL('../dist/index.js', import.meta.url).href;
  const options = spawnOf(['print', 'it ran', 'sleep'], { stdout: 'null' });
  const script = `const { windows } = (await import(${JSON.stringify(url)})).loadNative({});
    const engine = windows.openEngine({ maxUnacknowledgedBytes: 1, onEvents: () => {} });
    const start = () => {
      const job = engine.createJob('').value;
      engine.limitJob(job, { killOnClose: true });
      return { job, ...engine.spawn({ ...${JSON.stringify(options)}, jobs: [job] }).value };
    };
    const [waiting, living] = [start(), start()];
    engine.limitJob(living.job, {});
    engine.release(living.handle, true);
    process.stdout.write(waiting.pid + ' ' + waiting.startTime + ' ' + living.pid + ' ' + living.startTime + ' end');
    setInterval(() => {}, 1000);`;
  const node = process.execPath;
  const line = commandLine([node, '--input-type=module', '-e', script]);
  if (!line.ok) return expect.unreachable(line.reason);
  const master = ears.start([], {
    application: node,
    commandLine: line.line,
    environment: environmentWith(process.env as Record<string, string>),
  });
  engine.release(master.handle, true);
  await ears.says(master.handle, 'end');
  const [waiting, waitingStart, living, livingStart] = ears.text(master.handle).split(' ');
  const watch = engine.watch(Number(waiting), waitingStart ?? '');
  expect(watch).not.toBeNull();
  windows.terminate(master.pid, master.startTime, KILLED);
  await ears.hear('watched-exited', (event) => event.watch === watch);
  expect(windows.mayEnd(Number(living), livingStart ?? '')).toBe(true);
  expect(windows.terminate(Number(living), livingStart ?? '', KILLED)).toBeNull();
});
