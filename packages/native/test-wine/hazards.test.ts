import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import type { WindowsEngine, WindowsSpawn } from '../src/index.ts';
import { Ears, KILLED, native, spawnOf, windows } from './engine.ts';

const ears = new Ears();
afterAll(() => ears.engine.close());

type Call = (engine: WindowsEngine) => unknown;
const long = 'x'.repeat(1 << 20);
const wrong = <T>(value: unknown): T => value as T;

const calls: Readonly<Record<string, Call>> = {
  createJob: (engine) => engine.createJob(''),
  openJob: (engine) => engine.openJob('Local\\hsu-nowhere'),
  closeJob: (engine) => engine.closeJob(4711),
  limitJob: (engine) => engine.limitJob(4711, {}),
  controlCpu: (engine) => engine.controlCpu(4711, null),
  restrictUi: (engine) => engine.restrictUi(4711, 0),
  limitNetwork: (engine) => engine.limitNetwork(4711, null),
  assign: (engine) => engine.assign(4711, process.pid, '1'),
  parkJob: (engine) => engine.parkJob(4711, process.pid, '1'),
  terminateJob: (engine) => engine.terminateJob(4711, KILLED),
  jobPids: (engine) => engine.jobPids(4711),
  jobUsage: (engine) => engine.jobUsage(4711),
  spawn: (engine) => engine.spawn(spawnOf(['exit', '0'])),
  release: (engine) => engine.release(4711, true),
  watch: (engine) => engine.watch(process.pid, '1'),
  unwatch: (engine) => engine.unwatch(4711),
  detachOutput: (engine) => engine.detachOutput(4711),
  acknowledge: (engine) => engine.acknowledge(1),
};

describe('after close', () => {
  test.each(Object.keys(calls))('%s throws ERR_CLOSED', (name) => {
    const closed = new Ears().engine;
    closed.close();
    closed.close();
    expect(() => calls[name]?.(closed)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });
});

describe('an open engine', () => {
  const jobs = Object.keys(calls).filter((name) => /job|cpu|ui|network|assign/i.test(name));
  test.each(jobs.filter((name) => !/create|open|close/.test(name)))(
    '%s throws for a job that is not there',
    (name) => {
      expect(() => calls[name]?.(ears.engine)).toThrow(RangeError);
    },
  );

  test('what is about nobody does nothing', () => {
    const { engine } = ears;
    expect(engine.release(4711, true)).toBeNull();
    engine.unwatch(4711);
    engine.detachOutput(4711);
    engine.closeJob(4711);
    expect(engine.watch(process.pid, '1')).toBeNull();
  });

  test.each([
    ['application', 5],
    ['application', 'a\0b'],
    ['application', ''],
    ['commandLine', null],
    ['commandLine', 'a\0b'],
    ['environment', 'A=1'],
    ['environment', ['A=\0']],
    ['cwd', 7],
    ['cwd', 'C:\\\0'],
    ['stdout', 'elsewhere'],
    ['stdout', { fifo: 5 }],
    ['stderr', null],
    ['console', 'mine'],
    ['jobs', 5],
    ['jobs', ['1']],
    ['jobs', [Number.NaN]],
  ])('a spawn with a wrong %s (%o) throws', (key, value) => {
    const options = { ...spawnOf(['exit', '0']), [key]: value };
    expect(() => ears.engine.spawn(wrong<WindowsSpawn>(options))).toThrow(/must/);
  });

  test('texts that Windows cannot count throw', () => {
    const { engine } = ears;
    for (const key of ['application', 'commandLine', 'cwd'])
      expect(() => engine.spawn(spawnOf(['exit', '0'], { [key]: long }))).toThrow(RangeError);
    expect(() => engine.openJob(long)).toThrow(RangeError);
    expect(() => engine.createJob(long)).toThrow(RangeError);
    expect(() => windows.enablePrivilege(long)).toThrow(RangeError);
  });

  test('the longest that it can count are taken or refused', async () => {
    const most = 'x'.repeat(32_000);
    expect(ears.engine.openJob(most).ok).toBe(false);
    expect(ears.engine.spawn(spawnOf(['exit', '0'], { cwd: `C:\\${most}` }))).toMatchObject({ ok: false });
    // Wine’s CreateProcess copies it into a place for 260 characters.
    if (!windows.features.isWine)
      expect(ears.engine.spawn(spawnOf([], { application: `C:\\${most}` }))).toMatchObject({ ok: false });
    const { handle } = ears.start(['print', most, 'exit', '0']);
    ears.engine.release(handle, true);
    await ears.hear('output-end', (event) => event.handle === handle && event.stream === 'stdout');
    expect(ears.text(handle)).toBe(`${most}\n`);
  });

  test('wrong arguments throw before they reach the addon', () => {
    const { engine } = ears;
    expect(() => engine.createJob(wrong(5))).toThrow(TypeError);
    expect(() => engine.createJob('a\0b')).toThrow(TypeError);
    expect(() => engine.watch(-1, '1')).toThrow(RangeError);
    expect(() => engine.watch(4, wrong(1))).toThrow(TypeError);
    expect(() => engine.watch(4, 'soon')).toThrow(TypeError);
    expect(() => engine.release(wrong('1'), true)).toThrow(TypeError);
    expect(() => engine.release(1, wrong(1))).toThrow(TypeError);
    expect(() => engine.acknowledge(-1)).toThrow(RangeError);
    expect(() => engine.controlCpu(1, { rate: 0 })).toThrow(RangeError);
    expect(() => engine.limitJob(1, { affinity: [64] })).toThrow(RangeError);
    expect(() => windows.terminate(4, '1', wrong('x'))).toThrow(TypeError);
    expect(() => windows.suspend(4, '1', wrong('x'))).toThrow(TypeError);
    expect(() => windows.closeWindows([wrong('x')])).toThrow(TypeError);
    expect(() => native.environOf(4, wrong(5))).toThrow(TypeError);
    expect(() => native.lookAtProcesses({ pids: [wrong('x')] })).toThrow(TypeError);
  });

  test('an engine without somebody to tell is refused', () => {
    expect(() => windows.openEngine(wrong({ maxUnacknowledgedBytes: 1 }))).toThrow(TypeError);
    expect(() => windows.openEngine({ onEvents: () => {}, maxUnacknowledgedBytes: 0 })).toThrow(RangeError);
  });

  test('a process that is gone is nobody’s', async () => {
    const { handle, pid, startTime } = ears.start(['exit', '0']);
    ears.engine.release(handle, true);
    await ears.hear('exited', (event) => event.handle === handle);
    expect(ears.engine.watch(pid, startTime)).toBeNull();
    expect(windows.suspend(pid, startTime, true)).toMatchObject({ code: 'ESRCH' });
    expect(windows.mayEnd(pid, startTime)).toBe(false);
    expect(native.identify(pid)).toBeNull();
    expect(native.environOf(pid, 'PATH')).toBeNull();
    ears.engine.detachOutput(handle);
    ears.engine.release(handle, false);
  });
});

test('who is at its gate when the engine is closed never runs; who was let go lives on', async () => {
  const other = new Ears();
  const waiting = other.start(['print', 'it ran', 'sleep']);
  const living = other.start(['print', 'up', 'sleep'], { stdout: 'null' });
  other.engine.release(living.handle, true);
  const watch = ears.engine.watch(waiting.pid, waiting.startTime);
  other.engine.close();
  expect((await ears.hear('watched-exited', (event) => event.watch === watch)).code).toBe(1223);
  expect(windows.mayEnd(living.pid, living.startTime)).toBe(true);
  expect(windows.terminate(living.pid, living.startTime, KILLED)).toBeNull();
});

test('reading stops while nobody consumes, and goes on when somebody does', async () => {
  const events: number[] = [];
  let seen = 0;
  const engine = windows.openEngine({
    maxUnacknowledgedBytes: 64 * 1024,
    onEvents: (batch) => {
      for (const event of batch) {
        if (event.type !== 'output') continue;
        events.push(event.data.length);
        seen += event.data.length;
      }
    },
  });
  const made = engine.spawn(spawnOf(['bytes', '1000000', 'exit', '0']));
  if (!made.ok) return expect.unreachable(made.failure.code);
  engine.release(made.value.handle, true);
  await expect.poll(() => seen).toBeGreaterThanOrEqual(64 * 1024);
  expect(seen).toBeLessThan(400_000);
  await expect
    .poll(() => {
      for (const length of events.splice(0)) engine.acknowledge(length);
      return seen;
    })
    .toBe(1_000_000);
  engine.close();
});

const inWorker = (body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const url = new URL('../dist/index.js', import.meta.url).href;
    const source = `import { loadNative } from ${JSON.stringify(url)};
      const { windows } = loadNative({});
      const spawn = ${JSON.stringify(spawnOf(['print', 'up', 'sleep'], { stdout: 'null' }))};
      ${body}`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    worker.on('error', reject);
    worker.on('exit', resolve);
  });

test('it loads in worker threads, each with an engine of its own', async () => {
  const body = `const engine = windows.openEngine({ maxUnacknowledgedBytes: 1, onEvents: (events) => {
      if (events.some((event) => event.type === 'exited')) { engine.close(); }
    } });
    const { value } = engine.spawn({ ...spawn });
    engine.release(value.handle, false);`;
  expect(await Promise.all([inWorker(body), inWorker(body), inWorker(body)])).toEqual([0, 0, 0]);
});

test('a thread that ends while its engine waits takes nobody with it', async () => {
  const body = `const engine = windows.openEngine({ maxUnacknowledgedBytes: 1, onEvents: () => {} });
    const { value } = engine.spawn({ ...spawn });
    engine.release(value.handle, true);
    engine.watch(value.pid, value.startTime);
    process.exit(3);`;
  const before = new Set(windows.processes().map((one) => one.pid));
  expect(await inWorker(body)).toBe(3);
  const left = windows.processes().filter((one) => one.name === 'creature.exe' && !before.has(one.pid));
  expect(left).toHaveLength(1);
  for (const one of left) windows.terminate(one.pid, one.startTime, KILLED);
});
