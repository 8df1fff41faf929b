import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerSpec } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { fileCollector, type Hearing, type LogRecord, LogStream, withExternalLogs } from '../src/index.ts';
import { folder } from './support/place.ts';
import { hurriedClock } from './support/real-clock.ts';

const patience = { timeout: 20_000 * Number(process.env.HSU_TIME_FACTOR ?? 1), interval: 10 };

/** A collector over the log of a program that others have started. */
function place(at = folder()) {
  const path = join(at, 'app.log');
  const troubles: string[] = [];
  const clock = hurriedClock();
  const collector = withExternalLogs(fileCollector({ clock, publish: () => undefined }), {
    clock,
    logs: [{ workerId: 'app', stream: 'stdout', path, begin: 'end' }],
    positions: join(at, 'positions.json'),
    trouble: (reason) => void troubles.push(reason),
  });
  onTestFinished(() => collector.close());
  const hear = (hearing: { wants: Hearing } = { wants: 'wait' }) => {
    const heard = { text: '' };
    const stop = collector.subscribe({
      wants: () => hearing.wants,
      open: (id, run) => ({
        chunk: (stream, bytes) =>
          void (heard.text += `${id}.${run}.${stream}: ${Buffer.from(bytes).toString()}`),
        end: () => undefined,
      }),
    });
    return { heard, stop };
  };
  return { at, path, collector, troubles, hear, clock };
}

/** Gives the tail time to find where the file ends. */
const settled = (clock: ReturnType<typeof hurriedClock>) =>
  new Promise<void>((resolve) => void clock.after(500, resolve));

test('what is written from now on is heard as output of its worker, over rotation', async () => {
  const { path, collector, hear, clock } = place();
  writeFileSync(path, 'before\n');
  const { heard } = hear();
  await settled(clock);
  appendFileSync(path, 'one\ntwo\n');
  await expect.poll(() => heard.text, patience).toBe('app.1.stdout: one\ntwo\n');
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, 'late\n');
  writeFileSync(path, 'three\n');
  await expect.poll(() => heard.text, patience).toContain('three\n');
  expect(heard.text.replaceAll('app.1.stdout: ', '')).toBe('one\ntwo\nlate\nthree\n');
  expect(collector.lastLines('app', 2, 'stdout')).toEqual(['late', 'three']);
});

test('nothing is read while nobody wants it, and who wants it later does not hear what came before', async () => {
  const { path, hear, clock } = place();
  writeFileSync(path, '');
  const first = hear();
  await settled(clock);
  first.stop();
  await settled(clock);
  appendFileSync(path, 'unheard\n');
  const second = hear();
  await settled(clock);
  appendFileSync(path, 'heard\n');
  await expect.poll(() => second.heard.text, patience).toBe('app.1.stdout: heard\n');
  expect(first.heard.text).toBe('');
});

test('the next master goes on where the one before had ended', async () => {
  const one = place();
  writeFileSync(one.path, '');
  const first = one.hear();
  await settled(one.clock);
  appendFileSync(one.path, 'first\n');
  await expect.poll(() => first.heard.text, patience).toBe('app.1.stdout: first\n');
  await one.collector.close();
  appendFileSync(one.path, 'between\n');
  const two = place(one.at);
  const second = two.hear();
  await expect.poll(() => second.heard.text, patience).toBe('app.1.stdout: between\n');
});

test('its lines go through the pipeline like any', async () => {
  const { path, collector, clock } = place();
  writeFileSync(path, '');
  const spec = workerSpec('app');
  const stream = new LogStream({
    clock,
    hostname: 'here',
    masterId: 'm',
    workers: [spec],
    rules: [],
    alert: () => undefined,
    publish: () => undefined,
  });
  stream.attach(collector, []);
  const records: LogRecord[] = [];
  stream.subscribe(new Set(['app']), (record) => void records.push(record));
  await settled(clock);
  appendFileSync(path, `${'x'.repeat(100_000)}\nend\n`);
  await expect.poll(() => records.at(-1)?.text, patience).toBe('end');
  expect(records.map(({ piece, text }) => [piece, text.length])).toEqual([
    ['head', 65_536],
    ['tail', 34_464],
    ['whole', 3],
  ]);
  await stream.close(1000);
});
