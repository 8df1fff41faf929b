import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { EventDraft, LogSpec, OutputChannels, OutputStream, WorkerSpec } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { workerSpec } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import {
  type ChannelStore,
  type FileSettings,
  type OutputListener,
  type PumpCollector,
  pumpCollector,
} from '../../src/index.ts';
import { folder } from '../support/place.ts';

const loaded = loadNative();

/** A collector over a real pump. */
class Place {
  readonly folder: string;
  readonly events: (EventDraft & { readonly workerId: string; readonly run: number })[] = [];
  readonly collector: PumpCollector;

  constructor(
    at: string = folder(),
    settings: Partial<FileSettings> = {},
    store: ChannelStore | null = null,
  ) {
    if (!loaded.ok) throw new Error(loaded.reason);
    this.folder = at;
    mkdirSync(join(at, 'run'), { recursive: true });
    this.collector = pumpCollector({
      native: loaded.native,
      runDirectory: join(at, 'run'),
      clock: {
        now: () => performance.now(),
        wallNow: () => Date.now(),
        after: (delay, fire) => {
          const timer = setTimeout(fire, delay);
          return () => clearTimeout(timer);
        },
        random: () => 0.5,
      },
      settingsOf: () => ({
        format: 'plain',
        prefix: '',
        overflow: 'block',
        rotateEvery: 0,
        compression: 'none',
        ...settings,
      }),
      store,
      publish: (event, workerId, run) => void this.events.push({ ...event, workerId, run }),
    });
    onTestFinished(() => this.collector.close());
  }

  spec(log: Partial<LogSpec> = {}, id = 'web'): WorkerSpec {
    const base = workerSpec(id);
    const files = { stdoutFile: join(this.folder, 'out'), stderrFile: join(this.folder, 'err') };
    return { ...base, log: { ...base.log, captureStdout: true, captureStderr: true, ...files, ...log } };
  }

  open(log: Partial<LogSpec> = {}, run = 1): OutputChannels {
    const channels = this.collector.open(this.spec(log), run).openChannels();
    if (channels === null) throw new Error('no channels');
    return channels;
  }

  text(name = 'out'): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  get fifos(): readonly string[] {
    return readdirSync(join(this.folder, 'run', 'channels')).filter((name) => /^\w/.test(name));
  }
}

/** A worker’s descriptor. */
function hold(path: string | null): number {
  if (path === null) throw new Error('no channel');
  return openSync(path, 'r+');
}

test('what a run writes is in its files when it has ended, and so are its last lines', async () => {
  const place = new Place();
  const channels = place.open();
  const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
  writeSync(out, 'one\ntwo\n');
  writeSync(err, 'trouble\n');
  const words = place.collector.lastWords('web', 1, 5000);
  closeSync(out);
  closeSync(err);
  expect(await words).toBe('trouble');
  await place.collector.drained(5000);
  expect([place.text(), place.text('err')]).toEqual(['one\ntwo\n', 'trouble\n']);
  expect(place.collector.lastLines('web', 10, 'stdout')).toEqual(['one', 'two']);
  expect(place.fifos).toEqual([]);
  expect(place.events).toEqual([]);
});

test('a stream that says nothing makes no file', async () => {
  const place = new Place();
  const channels = place.open();
  for (const path of [channels.stdout, channels.stderr]) closeSync(hold(path));
  await place.collector.drained(5000);
  expect(existsSync(join(place.folder, 'out'))).toBe(false);
});

test('a run of which nothing was started has ended', async () => {
  const place = new Place();
  const output = place.collector.open(place.spec(), 1);
  output.openChannels();
  expect(place.fifos).toHaveLength(2);
  for (const stream of ['stdout', 'stderr'] as const) output.end(stream);
  await place.collector.drained(5000);
  expect(place.fifos).toEqual([]);
});

test('a listener hears all of it from when it came on, in order, and its end', async () => {
  const place = new Place();
  const heard: [OutputStream, string][] = [];
  const ended: OutputStream[] = [];
  const listener: OutputListener = {
    open: () => ({
      chunk: (stream, bytes) => void heard.push([stream, Buffer.from(bytes).toString()]),
      end: (stream) => void ended.push(stream),
    }),
  };
  const channels = place.open();
  const out = hold(channels.stdout);
  writeSync(out, 'before\n');
  await expect.poll(() => place.collector.lastLines('web', 1, 'stdout')).toEqual(['before']);
  const stop = place.collector.subscribe(listener);
  writeSync(out, 'heard\n');
  await expect.poll(() => heard).toEqual([['stdout', 'heard\n']]);
  closeSync(out);
  closeSync(hold(channels.stderr));
  await place.collector.drained(5000);
  expect(ended.toSorted()).toEqual(['stderr', 'stdout']);
  stop();
});

test('rotations and losses are told of the run that wrote last', async () => {
  const place = new Place();
  const channels = place.open({ maxSize: 1000, maxFiles: 2 }, 7);
  const out = hold(channels.stdout);
  for (let line = 0; line < 15; line += 1) writeSync(out, `${'x'.repeat(99)}\n`);
  closeSync(out);
  closeSync(hold(channels.stderr));
  await place.collector.drained(5000);
  const file = join(place.folder, 'out');
  expect(place.events).toEqual([{ type: 'log.rotated', payload: { file }, workerId: 'web', run: 7 }]);
});

test('who was let go writes on without harm, and nobody waits for it', async () => {
  const place = new Place();
  const channels = place.open();
  const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
  writeSync(out, 'one\n');
  channels.letGo();
  await place.collector.drained(5000);
  expect(place.text()).toBe('one\n');
  writeSync(out, 'two\n');
  await expect.poll(() => place.text()).toBe('one\ntwo\n');
  closeSync(out);
  closeSync(err);
});

test('what was written while no master ran is carried on by the next, and FIFOs of nobody are removed', async () => {
  const first = new Place();
  const channels = first.open();
  const out = hold(channels.stdout);
  writeSync(out, 'one\n');
  await first.collector.close();
  writeSync(out, 'two\n');
  const channelFolder = join(first.folder, 'run', 'channels');
  execFileSync('mkfifo', [join(channelFolder, 'web.9.abc.stdout')]);
  const next = new Place(first.folder);
  next.collector.adopt([next.spec()]);
  await expect.poll(() => next.text()).toBe('one\ntwo\n');
  expect(next.fifos).toHaveLength(1);
  closeSync(out);
  await expect.poll(() => next.fifos).toEqual([]);
  await next.collector.drained(5000);
});

test('the run that goes on is heard, asked and let go like one of this master’s own', async () => {
  const first = new Place();
  const channels = first.open();
  const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
  await first.collector.close();
  const next = new Place(first.folder);
  const heard: string[] = [];
  next.collector.subscribe({
    open: (workerId, run) => ({
      chunk: (stream, bytes) =>
        void heard.push(`${workerId} ${run} ${stream} ${Buffer.from(bytes).toString()}`),
      end: (stream) => void heard.push(`end of ${stream}`),
    }),
  });
  next.collector.adopt([next.spec()]);
  const resumed = next.collector.resume(next.spec(), 1, 'mark');
  expect(resumed).toMatchObject({ stdout: channels.stdout, stderr: channels.stderr });
  expect(next.collector.resume(next.spec(), 1, 'mark')).toBeNull();
  writeSync(out, 'one\ntwo\n');
  writeSync(err, 'last words\n');
  await expect.poll(() => heard).toHaveLength(2);
  expect(new Set(heard)).toEqual(new Set(['web 1 stdout one\ntwo\n', 'web 1 stderr last words\n']));
  expect(next.collector.lastLines('web', 5, 'stdout')).toEqual(['one', 'two']);
  const words = next.collector.lastWords('web', 1, 5000);
  resumed?.letGo();
  expect(await words).toBe('last words');
  await expect.poll(() => heard).toContain('end of stdout');
  closeSync(out);
  closeSync(err);
  await expect.poll(() => next.fifos).toEqual([]);
  expect(next.events).toEqual([]);
});

test('that a worker ended while no master ran is told with what may be lost of its output', async () => {
  const first = new Place();
  const channels = first.open();
  const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
  const other = { ...first.spec({}, 'other') };
  await first.collector.close();
  writeSync(out, 'nobody will read this\n');
  closeSync(out);
  closeSync(err);
  const next = new Place(first.folder);
  next.collector.adopt([next.spec(), other]);
  expect(next.events).toEqual([]);
  next.collector.resume(next.spec(), 1, 'mark');
  await expect.poll(() => next.events).toHaveLength(1);
  expect(next.events[0]).toMatchObject({
    type: 'log.dropped',
    workerId: 'web',
    run: 1,
    payload: { bytes: 0, reason: expect.stringMatching(/^no-reader: /) },
  });
  await expect.poll(() => next.fifos).toEqual([]);
});

test('closing takes what was written, and leaves no folder behind', async () => {
  const place = new Place();
  const channels = place.open();
  const child = spawn('sh', ['-c', 'echo last'], { stdio: ['ignore', hold(channels.stdout), 'ignore'] });
  closeSync(hold(channels.stderr));
  await once(child, 'exit');
  await place.collector.close();
  expect(place.text()).toBe('last\n');
});

test.each(['gzip', 'zstd'] as const)(
  'rotated files are compressed, %s, and keep their order',
  async (compression) => {
    const place = new Place(folder(), { compression });
    const channels = place.open({ maxSize: 1000, maxFiles: 50 });
    const out = hold(channels.stdout);
    const lines = Array.from({ length: 200 }, (_, index) => `${String(index).padStart(99, 'x')}\n`);
    for (const line of lines) {
      writeSync(out, line);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const suffix = compression === 'gzip' ? '.gz' : '.zst';
    const rotated = () => readdirSync(place.folder).filter((name) => name.startsWith('out.'));
    await expect.poll(() => rotated().filter((name) => name.endsWith(suffix)).length).toBe(19);
    closeSync(out);
    closeSync(hold(channels.stderr));
    await place.collector.drained(5000);
    expect(rotated()).toHaveLength(19);
    const unpack = compression === 'gzip' ? gunzipSync : zstdDecompressSync;
    const oldestFirst = rotated().toSorted((a, b) => Number(b.split('.')[1]) - Number(a.split('.')[1]));
    const texts = oldestFirst.map((name) => unpack(readFileSync(join(place.folder, name))).toString());
    expect([...texts, place.text()].join('')).toBe(lines.join(''));
  },
);

test('lines are formatted as the settings say, and labelled with their worker and stream', async () => {
  const place = new Place(folder(), { format: 'json' });
  const channels = place.open({}, 3);
  const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
  writeSync(out, 'hello\n');
  writeSync(err, 'trouble\n');
  closeSync(out);
  closeSync(err);
  await place.collector.drained(5000);
  expect(JSON.parse(place.text())).toMatchObject({ worker: 'web', stream: 'stdout', message: 'hello' });
  expect(JSON.parse(place.text('err'))).toMatchObject({
    worker: 'web',
    stream: 'stderr',
    message: 'trouble',
  });
});

test('only the runs that a listener wants are heard, from when it wants them', async () => {
  const place = new Place();
  const heard: string[] = [];
  let wanted = ['web'];
  const stop = place.collector.subscribe({
    wants: (workerId) => (wanted.includes(workerId) ? 'wait' : 'none'),
    open: (workerId) => ({
      chunk: (_stream, bytes) => void heard.push(`${workerId} ${Buffer.from(bytes).toString()}`),
      end: () => {},
    }),
  });
  const outs = ['web', 'db'].map((id) => {
    const log = { captureStderr: false, stdoutFile: join(place.folder, id) };
    return hold(place.collector.open(place.spec(log, id), 1).openChannels()?.stdout ?? null);
  });
  const write = (text: string) => outs.map((out) => writeSync(out, text));
  expect(place.collector.heardStreams).toBe(1);
  write('one\n');
  await expect.poll(() => heard).toEqual(['web one\n']);
  await expect.poll(() => place.text('db')).toBe('one\n');
  wanted = ['db'];
  place.collector.retune();
  write('two\n');
  await expect.poll(() => heard).toEqual(['web one\n', 'db two\n']);
  stop();
  expect(place.collector.heardStreams).toBe(0);
  for (const out of outs) closeSync(out);
  await place.collector.drained(5000);
});

test('who wants what can be taken misses the rest and is told how much; the file has all, and nobody waits', async () => {
  const place = new Place();
  let [bytes, missed] = [0, 0];
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  place.collector.subscribe({
    wants: () => 'lose',
    open: () => ({
      chunk: (_stream, chunk) => {
        bytes += chunk.length;
        return taken;
      },
      missed: (_stream, count) => (missed += count),
      end: () => {},
    }),
  });
  const channels = place.open({ captureStderr: false, maxSize: 1e9 });
  const total = 8 * 2 ** 20;
  const child = spawn('sh', ['-c', `head -c ${total} /dev/zero > "$0"`, channels.stdout ?? ''], {
    stdio: 'ignore',
  });
  const out = hold(channels.stdout);
  await once(child, 'exit');
  await expect.poll(() => place.text().length).toBe(total);
  expect(bytes).toBeLessThan(total);
  take();
  closeSync(out);
  await place.collector.drained(5000);
  expect(bytes + missed).toBe(total);
});

test('a worker waits for whoever wants all of it and has not taken it yet', async () => {
  const place = new Place();
  let bytes = 0;
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  place.collector.subscribe({
    open: () => ({
      chunk: (_stream, chunk) => {
        bytes += chunk.length;
        return taken;
      },
      end: () => {},
    }),
  });
  const channels = place.open({ captureStderr: false, maxSize: 1e9 });
  const total = 8 * 2 ** 20;
  const out = hold(channels.stdout);
  const child = spawn('sh', ['-c', `head -c ${total} /dev/zero > "$0"`, channels.stdout ?? ''], {
    stdio: 'ignore',
  });
  await expect.poll(() => bytes).toBeGreaterThanOrEqual(2 ** 20);
  expect(child.exitCode).toBe(null);
  expect(bytes).toBeLessThan(total / 2);
  take();
  if (child.exitCode === null) await once(child, 'exit');
  closeSync(out);
  await place.collector.drained(5000);
  expect([bytes, place.text().length]).toEqual([total, total]);
});

test('a channel that is kept for reading while no master runs is read whole, and ends', async () => {
  const at = folder();
  mkdirSync(join(at, 'run', 'channels'), { recursive: true, mode: 0o700 });
  const fifo = join(at, 'run', 'channels', 'web.1.abc.stdout');
  execFileSync('mkfifo', ['-m', '600', fifo]);
  const writer = openSync(fifo, 'r+');
  const kept = openSync(fifo, 'r');
  onTestFinished(() => closeSync(kept));
  writeSync(writer, 'last words\n');
  closeSync(writer);
  const said: string[] = [];
  const store = {
    keep: () => undefined,
    forget: (path: string) => void said.push(path),
    settle: () => undefined,
  };
  const place = new Place(at, {}, store);
  place.collector.adopt([place.spec()]);
  await place.collector.drained(10_000);
  expect(place.text()).toBe('last words\n');
  expect(said).toEqual([fifo]);
  expect(place.events).toEqual([]);
  expect(place.fifos).toEqual([]);
});

test('what each worker has written is counted, whether anybody listens or not, and over its runs', async () => {
  const place = new Place();
  expect(place.collector.written()).toEqual(new Map());
  for (const run of [1, 2]) {
    const channels = place.open({}, run);
    const [out, err] = [hold(channels.stdout), hold(channels.stderr)];
    writeSync(out, 'one\ntwo\n');
    writeSync(err, 'three\nno end');
    await expect.poll(() => place.collector.written().get('web')?.bytes).toBe(run * 20);
    closeSync(out);
    closeSync(err);
    await place.collector.drained(10_000);
  }
  const written = { bytes: 40, lines: 8, droppedBytes: 0, droppedLines: 0 };
  expect(place.collector.written()).toEqual(new Map([['web', written]]));
});
