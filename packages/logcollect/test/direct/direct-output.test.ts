import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { EventDraft, LogSpec, OutputChannels, WorkerSpec } from '@hsu-master/core';
import { workerSpec } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { DirectOutput } from '../../src/direct/direct-output.ts';
import { type Hearing, logStore, type OutputListener, storedLogs } from '../../src/index.ts';
import { folder } from '../support/place.ts';
import { hurriedClock } from '../support/real-clock.ts';

const patience = { timeout: 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1), interval: 10 };

class Place {
  readonly folder: string;
  readonly events: EventDraft[] = [];
  readonly listeners = new Set<OutputListener>();
  readonly clock = hurriedClock();
  readonly output: DirectOutput;

  constructor(at = folder()) {
    this.folder = at;
    this.output = new DirectOutput({
      clock: this.clock,
      listeners: this.listeners,
      publish: (event) => void this.events.push(event),
      pipe: () => ({
        openChannels: () => null,
        write: (_stream, _chunk, done) => done(),
        end: () => undefined,
      }),
    });
    onTestFinished(() => this.output.close(2000));
  }

  get path(): string {
    return join(this.folder, 'logs', 'out');
  }

  spec(log: Partial<LogSpec> = {}): WorkerSpec {
    const base = workerSpec('web');
    const files = { stdoutFile: this.path, stderrFile: join(this.folder, 'logs', 'err') };
    const direct = { ...base.log.files, channel: 'file' as const };
    return {
      ...base,
      log: { ...base.log, ...files, captureStdout: true, captureStderr: true, files: direct, ...log },
    };
  }

  open(log: Partial<LogSpec> = {}, run = 1): OutputChannels {
    const channels = this.output.open(this.spec(log), run).openChannels();
    if (channels === null) throw new Error('no channels');
    return channels;
  }

  /** Hears all of a worker, also what was missed. */
  listen(hearing: Hearing = 'wait') {
    const heard = { text: '', ends: 0, missed: 0, hearing };
    this.listeners.add({
      wants: () => heard.hearing,
      open: () => ({
        chunk: (_stream, bytes) => void (heard.text += Buffer.from(bytes).toString()),
        missed: (_stream, bytes) => void (heard.missed += bytes),
        end: () => void (heard.ends += 1),
      }),
    });
    return heard;
  }
}

/** A worker’s descriptor, as the host opens it. */
function append(path: string | null): { write(text: string): void } {
  const fd = openSync(path ?? '', 'a');
  onTestFinished(() => closeSync(fd));
  return { write: (text) => void writeSync(fd, text) };
}

test('what a worker appends is heard as it comes, and ends with its run', async () => {
  const place = new Place();
  const heard = place.listen();
  const channels = place.open();
  expect([channels.stdout, channels.stderr]).toEqual([place.path, join(place.folder, 'logs', 'err')]);
  const [out, err] = [append(channels.stdout), append(channels.stderr)];
  out.write('one\n');
  await expect.poll(() => heard.text, patience).toBe('one\n');
  out.write('two\n');
  err.write('trouble\nworse\n');
  channels.letGo();
  expect(await place.output.lastWords('web', 1, 10_000)).toBe('worse');
  await place.output.drained(10_000);
  expect(heard.text.split('\n').sort()).toEqual(['', 'one', 'trouble', 'two', 'worse']);
  expect(heard.ends).toBe(2);
  expect(place.output.lastLines('web', 2, 'stdout')).toEqual(['one', 'two']);
});

test('only what is written from the run on is heard and remembered; the next run is told apart', async () => {
  const place = new Place();
  mkdirSync(join(place.folder, 'logs'));
  writeFileSync(place.path, 'long ago\n');
  const heard = place.listen();
  const first = place.open();
  append(first.stdout).write('first\n');
  first.letGo();
  const second = place.open({}, 2);
  append(second.stdout).write('second\n');
  await expect.poll(() => heard.text, patience).toBe('first\nsecond\n');
  expect(heard.ends).toBe(2);
  expect(place.output.lastLines('web', 9, 'stdout')).toEqual(['second']);
});

test('a file is rotated past its size, whatever is written meanwhile, and each line is heard and kept once', async () => {
  const place = new Place();
  const heard = place.listen();
  const { stdout } = place.open({ maxSize: 50_000, maxFiles: 1000 });
  const out = append(stdout);
  const rotations = () => place.events.filter(({ type }) => type === 'log.rotated').length;
  let all = '';
  // Written on and on, however slow the disk is, until the file was rotated twice beneath the writer.
  for (let line = 1; line <= 60_000 || rotations() < 2; line += 1) {
    out.write(`line ${line}\n`);
    all += `line ${line}\n`;
    if (line % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => heard.text.length, patience).toBe(all.length);
  expect(heard.text).toBe(all);
  expect(heard.missed).toBe(0);
  const names = readdirSync(join(place.folder, 'logs')).filter((name) => name.startsWith('out'));
  expect(names.length).toBeGreaterThan(2);
  const number = (name: string) => Number(name.split('.')[1] ?? 0);
  const oldestFirst = names.toSorted((one, other) => number(other) - number(one));
  expect(oldestFirst.map((name) => readFileSync(join(place.folder, 'logs', name), 'utf8')).join('')).toBe(
    all,
  );
});

test('rotated files are compressed and no more than asked for; the log store reads and follows through it', async () => {
  const place = new Place();
  const spec = place.spec();
  const files = { ...spec.log.files, compression: 'zstd' as const };
  const log = { ...spec.log, maxSize: 20_000, maxFiles: 3, files };
  const store = logStore({ clock: place.clock, logs: () => storedLogs('web', log) });
  const following = store.follow({ workers: ['web'], stream: 'stdout', begin: 'beginning' });
  onTestFinished(() => following.close());
  await following.started;
  const out = append(place.open(log).stdout);
  const followed: string[] = [];
  const reading = (async () => {
    for await (const item of following) if (item.kind === 'line') followed.push(item.line.record.text);
  })();
  for (let round = 0; round < 6; round += 1) {
    for (let line = 0; line < 1000; line += 1) out.write(`round ${round} line ${line} of this file\n`);
    const rotated = () => place.events.filter(({ type }) => type === 'log.rotated').length;
    await expect.poll(rotated, patience).toBe(round + 1);
    await expect.poll(() => followed.length, patience).toBe((round + 1) * 1000);
  }
  await following.close();
  await reading;
  await expect
    .poll(
      () =>
        readdirSync(join(place.folder, 'logs'))
          .filter((name) => name.startsWith('out'))
          .sort(),
      patience,
    )
    .toEqual(['out', 'out.1.zst', 'out.2.zst', 'out.3.zst']);
  out.write('the end\n');
  const last = await store.tail({ workers: ['web'], stream: 'stdout' }, 2);
  expect(last.map(({ record }) => record.text)).toEqual(['round 5 line 999 of this file', 'the end']);
});

test('nobody listens: nothing is read; who listens later hears what comes then', async () => {
  const place = new Place();
  const heard = place.listen('none');
  const out = append(place.open().stdout);
  out.write('unheard\n');
  await place.output.close(0).catch(() => undefined);
  expect(heard.text).toBe('');
  const later = new Place();
  const listening = later.listen('none');
  const other = append(later.open().stdout);
  other.write('before\n');
  later.output.retune();
  await new Promise((resolve) => later.clock.after(300, () => resolve(null)));
  listening.hearing = 'wait';
  later.output.retune();
  other.write('after\n');
  await expect.poll(() => listening.text, patience).toBe('after\n');
});

test('a file that others empty is heard from its beginning; one that they rename goes on being heard', async () => {
  const place = new Place();
  const heard = place.listen();
  const out = append(place.open().stdout);
  out.write('one\n');
  await expect.poll(() => heard.text, patience).toBe('one\n');
  truncateSync(place.path);
  await new Promise((resolve) => place.clock.after(500, () => resolve(null)));
  out.write('2\n');
  await expect.poll(() => heard.text, patience).toBe('one\n2\n');
  renameSync(place.path, `${place.path}.away`);
  out.write('three\n');
  await expect.poll(() => heard.text, patience).toBe('one\n2\nthree\n');
});

test('a rotation that was cut short by a kill is ended once: no line is lost or doubled', async () => {
  for (const wasEmptied of [false, true]) {
    const place = new Place();
    mkdirSync(join(place.folder, 'logs'));
    const text = 'a line of a file that is rotated\n'.repeat(3000);
    writeFileSync(join(place.folder, 'logs', '.out.copied'), text);
    writeFileSync(place.path, wasEmptied ? 'later\n' : `${text}later\n`);
    writeFileSync(`${place.path}.1`, 'before\n');
    const out = append(place.open({ maxSize: 1 }).stdout);
    out.write('last\n');
    await expect.poll(() => place.events.length, patience).toBeGreaterThan(0);
    const names = ['out', 'out.1', 'out.2', 'out.3', '.out.copied'];
    const texts = names.map((name) => {
      const path = join(place.folder, 'logs', name);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    });
    const [now, ...old] = texts;
    expect([...old].reverse().join('') + now).toBe(`before\n${text}later\nlast\n`);
    expect(texts.at(-1)).toBe('');
  }
});

test('what cannot be rotated is told once, and grows on', async () => {
  const place = new Place();
  mkdirSync(join(place.folder, 'logs', '.out.copied'), { recursive: true });
  const out = append(place.open({ maxSize: 10 }).stdout);
  for (let times = 0; times < 3; times += 1) {
    out.write('more than ten\n');
    await new Promise((resolve) => place.clock.after(1500, () => resolve(null)));
  }
  expect(readFileSync(place.path, 'utf8')).toBe('more than ten\n'.repeat(3));
  expect(place.events).toHaveLength(1);
  expect(place.events[0]).toMatchObject({
    type: 'log.dropped',
    payload: { bytes: 0, reason: expect.stringContaining(`cannot rotate ${place.path}, which grows: E`) },
  });
});

test('bytes of a run are counted, its lines are not', async () => {
  const place = new Place();
  const channels = place.open();
  append(channels.stdout).write('one\ntwo\n');
  const written = { bytes: 8, lines: null, droppedBytes: 0, droppedLines: 0 };
  expect(place.output.written()).toEqual(new Map([['web', written]]));
  channels.letGo();
  await place.output.drained(10_000);
  expect(place.output.written()).toEqual(new Map([['web', written]]));
});
