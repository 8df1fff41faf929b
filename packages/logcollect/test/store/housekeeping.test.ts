import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { EventDraft } from '@hsu-master/core';
import { FakeClock } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type Housekeeping, type HousekeepingOptions, housekeeping } from '../../src/index.ts';
import { folder } from '../support/place.ts';

const HOUR = 3_600_000;

/** Files of so many bytes, last written so long ago, on a real disk; looked after by a clock that the test moves. */
class House {
  readonly clock = new FakeClock();
  readonly folder = folder();
  readonly events: EventDraft[] = [];
  readonly known = join(this.folder, 'state', 'logs.json');

  file(name: string, size: number, age = 0): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.alloc(size));
    const written = (this.clock.wallNow() - age) / 1000;
    utimesSync(path, written, written);
    return path;
  }

  keep(options: Partial<HousekeepingOptions> = {}): Housekeeping {
    const made = housekeeping({
      clock: this.clock,
      logs: () => [{ path: join(this.folder, 'web.log'), maxFiles: 5, maxAge: null }],
      goneAfter: null,
      maxTotal: null,
      known: this.known,
      publish: (event) => void this.events.push(event),
      ...options,
    });
    onTestFinished(() => made.close());
    return made;
  }

  names(): string[] {
    return readdirSync(this.folder)
      .filter((name) => name.includes('.log'))
      .sort();
  }
}

test('old files go at the start, and again as they grow old, without a rotation', async () => {
  const house = new House();
  house.file('web.log', 10, 9 * HOUR);
  house.file('web.log.1', 10, 9 * HOUR);
  house.file('web.log.2.zst', 10, 11 * HOUR);
  const path = join(house.folder, 'web.log');
  const keeping = house.keep({ logs: () => [{ path, maxFiles: null, maxAge: 10 * HOUR }] });
  house.clock.advance(0);
  await keeping.look();
  expect(house.names()).toEqual(['web.log', 'web.log.1']);
  house.clock.advance(HOUR / 2);
  await keeping.look();
  expect(house.names()).toEqual(['web.log', 'web.log.1']);
  for (let hours = 0; hours < 2; hours += 1) {
    house.clock.advance(HOUR);
    await expect.poll(() => house.clock.pending).toBe(1);
  }
  await keeping.look();
  expect(house.names()).toEqual(['web.log']);
  const removed = { type: 'log.removed', payload: { file: path, files: 1, bytes: 10, because: 'age' } };
  expect(house.events).toEqual([removed, removed]);
});

test('fewer files than before are kept at once when max_files was lowered', async () => {
  const house = new House();
  for (const name of ['web.log', 'web.log.1', 'web.log.2', 'web.log.3']) house.file(name, 10);
  const path = join(house.folder, 'web.log');
  const keeping = house.keep({ logs: () => [{ path, maxFiles: 1, maxAge: 10 * HOUR }] });
  await keeping.look();
  expect(house.names()).toEqual(['web.log', 'web.log.1']);
});

test('all logs together keep within the total; the oldest of any of them go first, never those that are written', async () => {
  const house = new House();
  house.file('web.log', 100);
  house.file('web.log.1', 100, 1 * HOUR);
  house.file('web.log.2', 100, 5 * HOUR);
  house.file('api.log', 100);
  house.file('api.log.1.gz', 100, 3 * HOUR);
  house.file('other.log', 1000, 9 * HOUR);
  const logs = ['web', 'api'].map((id) => ({
    path: join(house.folder, `${id}.log`),
    maxFiles: null,
    maxAge: null,
  }));
  let maxTotal = 300;
  const options = { logs: () => logs };
  await house.keep({ ...options, maxTotal }).look();
  expect(house.names()).toEqual(['api.log', 'other.log', 'web.log', 'web.log.1']);
  maxTotal = 150;
  const keeping = house.keep({ ...options, maxTotal });
  await keeping.look();
  await keeping.look();
  expect(house.names()).toEqual(['api.log', 'other.log', 'web.log']);
  const over = house.events.filter(({ type }) => type === 'log.over-budget');
  expect(over).toEqual([{ type: 'log.over-budget', payload: { bytes: 200, max: 150 } }]);
});

test('a rotation is followed by a look within a second; where nothing is bounded there is none', async () => {
  const house = new House();
  house.file('web.log', 10);
  const keeping = house.keep({ maxTotal: 15 });
  await keeping.look();
  house.file('web.log.1', 10, HOUR);
  house.clock.advance(0);
  await expect.poll(() => house.names()).toEqual(['web.log']);
  await expect.poll(() => house.clock.nextAt).toBeGreaterThan(house.clock.now());
  house.file('web.log.1', 10, HOUR);
  keeping.nudge();
  keeping.nudge();
  house.clock.advance(1000);
  await expect.poll(() => house.names()).toEqual(['web.log']);
});

test('what workers left that are gone goes by age and budget, and nothing that was never a log of ours', async () => {
  const house = new House();
  const web = house.file('web.log', 100);
  const gone = house.file('gone.log', 100, 2 * HOUR);
  house.file('gone.log.1', 100, 5 * HOUR);
  house.file('mail.log', 100, 99 * HOUR);
  house.file('mail.log.1', 100, 99 * HOUR);
  const both = [web, gone].map((path) => ({ path, maxFiles: 5, maxAge: null }));
  await house.keep({ logs: () => both }).look();
  expect(JSON.parse(readFileSync(house.known, 'utf8'))).toEqual({ version: 1, logs: [web, gone] });
  const keeping = house.keep({ logs: () => both.slice(0, 1), goneAfter: 3 * HOUR });
  await keeping.look();
  expect(house.names()).toEqual(['gone.log', 'mail.log', 'mail.log.1', 'web.log']);
  expect(statSync(gone).size).toBe(100);
  house.clock.advance(2 * HOUR);
  await keeping.look();
  expect(house.names()).toEqual(['mail.log', 'mail.log.1', 'web.log']);
  expect(JSON.parse(readFileSync(house.known, 'utf8'))).toEqual({ version: 1, logs: [web] });
});

test('the last file of a worker that is gone counts towards the total, and goes for it', async () => {
  const house = new House();
  const web = house.file('web.log', 100);
  const gone = house.file('gone.log', 100, HOUR);
  const both = [web, gone].map((path) => ({ path, maxFiles: 5, maxAge: null }));
  await house.keep({ logs: () => both, maxTotal: 150 }).look();
  expect(house.names()).toEqual(['gone.log', 'web.log']);
  await house.keep({ logs: () => both.slice(0, 1), maxTotal: 150 }).look();
  expect(house.names()).toEqual(['web.log']);
});

test('without any bound nothing is removed or read; a memory that is damaged removes nothing', async () => {
  const house = new House();
  const web = house.file('web.log.1', 100, 999 * HOUR);
  await house.keep().look();
  expect(existsSync(web)).toBe(true);
  writeFileSync(house.known, '{"version":1,"logs":["/etc');
  await house.keep({ goneAfter: 1 }).look();
  expect(house.names()).toEqual(['web.log.1']);
  expect(house.events).toEqual([]);
});

test('a disk that takes nothing is told of once', async () => {
  const house = new House();
  house.file('web.log', 10);
  house.file('state', 1);
  const keeping = house.keep();
  for (let looks = 0; looks < 3; looks += 1) {
    house.clock.advance(300_000);
    await expect.poll(() => house.events.length).toBe(1);
  }
  expect(house.events[0]).toMatchObject({
    type: 'log.dropped',
    payload: { bytes: 0, reason: expect.stringContaining('old log files are not looked after: E') },
  });
  await keeping.close();
});

test('a master that ends before its first look has noted its logs, so that the next one knows them', async () => {
  const house = new House();
  const first = house.keep();
  await first.close();
  house.file('web.log', 10, 9 * HOUR);
  const next = house.keep({ logs: () => [], goneAfter: HOUR });
  house.clock.advance(0);
  await next.look();
  expect(house.names()).toEqual([]);
});
