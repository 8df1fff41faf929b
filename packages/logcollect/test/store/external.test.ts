import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, sep } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type ExternalOptions, type ExternalTail, externalTail } from '../../src/store/external.ts';
import { expand } from '../../src/store/glob.ts';
import { NumberedLog, quiet, until, upTo } from '../support/numbered-log.ts';
import { folder } from '../support/place.ts';

/** A life of a tail, from its start to its end in order or by a kill. */
class Life {
  readonly tail: ExternalTail;
  readonly texts: string[] = [];
  readonly troubles: string[] = [];
  lost = 0;
  #isKilled = false;

  constructor(options: Omit<ExternalOptions, 'trouble'>) {
    this.tail = externalTail({ ...options, trouble: (reason) => void this.troubles.push(reason) });
    onTestFinished(() => this.tail.close());
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const { records, lost } of this.tail) {
      if (this.#isKilled) return;
      this.texts.push(...records.map(({ text }) => text));
      this.lost += lost.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  }

  /** Nothing is taken from it any more. */
  kill(): void {
    this.#isKilled = true;
  }

  get numbers(): number[] {
    return this.texts.map((text) => Number(/(\d+)$/.exec(text)?.[1]));
  }
}

function place(path = 'app.log') {
  const root = folder();
  const clock = new FakeClock();
  const log = new NumberedLog(join(root, 'app.log'));
  const positions = join(root, 'state', 'positions.json');
  const live = (begin: 'beginning' | 'end' = 'beginning', over: Partial<ExternalOptions> = {}) =>
    new Life({
      clock,
      positions,
      logs: [{ workerId: 'app', stream: 'stdout', path: join(root, path), begin }],
      ...over,
    });
  return { root, clock, log, positions, live };
}

test('a file begins where it is told to, and a later life goes on where the first has stopped', async () => {
  const { clock, log, live } = place();
  log.write(10);
  const first = live('end');
  await quiet();
  log.write(5);
  await until(clock, () => first.texts.length === 5);
  expect(first.numbers).toEqual(upTo(15, 11));
  await first.tail.close();
  log.write(5);
  log.rotate();
  log.write(5);
  log.rotate();
  await log.compress('zstd');
  log.write(5);
  const second = live('end');
  await until(clock, () => second.texts.length === 15);
  expect(second.numbers).toEqual(upTo(30, 16));
});

test('F6: rotated with gzip or copied and emptied, also while nobody looks: every line once', async () => {
  const { root, clock, log, live } = place();
  const gzip = () => execFileSync('gzip', [`${log.path}.1`]);
  log.write(100);
  const first = live();
  await until(clock, () => first.texts.length === 100);
  for (const step of [() => log.rotate(), () => log.copyAndTruncate()]) {
    log.write(50);
    await until(clock, () => first.texts.length === log.written);
    step();
    log.write(50);
    gzip();
    await until(clock, () => first.texts.length === log.written);
  }
  await first.tail.close();
  log.write(50);
  log.rotate();
  gzip();
  log.write(50);
  const second = live();
  await until(clock, () => first.texts.length + second.texts.length === log.written);
  expect([...first.numbers, ...second.numbers]).toEqual(upTo(log.written));
  expect(first.lost + second.lost).toBe(0);
  expect(root).toBeDefined();
});

test('after a kill nothing is missing; what is given again was taken since the last save', async () => {
  const { clock, log, live } = place();
  log.write(100);
  const first = live();
  await until(clock, () => first.texts.length === 100);
  clock.advance(5000);
  await quiet();
  log.write(10);
  await until(clock, () => first.texts.length === 110);
  first.kill();
  log.write(10);
  const second = live();
  await until(clock, () => second.numbers.at(-1) === 120);
  expect(second.numbers).toEqual(upTo(120, second.numbers[0]));
  expect(second.numbers[0]).toBeGreaterThan(100);
  expect(second.numbers[0]).toBeLessThanOrEqual(111);
});

test('a line that has not ended when a life ends comes whole in the next one, also across a rotation', async () => {
  const { clock, log, live } = place();
  log.write(1);
  log.raw('half ');
  const first = live('beginning', { partialAfter: null });
  await until(clock, () => first.texts.length === 1);
  log.rotate();
  log.raw('a ');
  clock.advance(2000);
  await quiet();
  await first.tail.close();
  log.raw('line\n');
  const second = live();
  await until(clock, () => second.texts.length === 1);
  expect(second.texts).toEqual(['half a line']);
});

test('files that come to match are read from their beginning, one that is renamed is not read twice', async () => {
  const { root, clock, live } = place('*.log');
  const write = (name: string, text: string) => appendFileSync(join(root, name), `${text}\n`);
  write('a-1.log', 'one');
  const life = live('end');
  await quiet();
  write('a-2.log', 'two');
  await until(clock, () => life.texts.length === 1);
  renameSync(join(root, 'a-1.log'), join(root, 'a-3.log'));
  write('a-3.log', 'three');
  await until(clock, () => life.texts.length === 2);
  write('a-1.log', 'four');
  await until(clock, () => life.texts.length === 3);
  write('a-3.log', 'five');
  await until(clock, () => life.texts.length === 4);
  clock.advance(5000);
  await quiet();
  expect(life.texts).toEqual(['two', 'three', 'four', 'five']);
});

test('damaged positions are told and begun anew; a file that is not readable is told', async () => {
  const { root, clock, log, positions, live } = place();
  mkdirSync(join(root, 'state'));
  writeFileSync(positions, '{"version":1,"files":{"x":{"offset":-1}}}');
  log.write(3);
  const life = live();
  await until(clock, () => life.texts.length === 3);
  expect(life.troubles).toEqual([`${positions} is damaged`]);
  clock.advance(2000);
  await quiet();
  await life.tail.close();
  expect(JSON.parse(readFileSync(positions, 'utf8'))).toMatchObject({ version: 1 });
});

test('wildcards match names, not files that were rotated or compressed', async () => {
  const root = folder();
  for (const name of ['a.log', 'a.log.1', 'a.log.2.gz', 'b.log', 'b-1.log', '.h.log', 'c.txt', 'd[1].log'])
    writeFileSync(join(root, name), '');
  mkdirSync(join(root, 'x', 'y'), { recursive: true });
  writeFileSync(join(root, 'x', 'y', 'deep.log'), '');
  symlinkSync(root, join(root, 'x', 'loop'));
  const names = async (glob: string) =>
    (await expand(join(root, glob))).map((path) =>
      path
        .slice(root.length + 1)
        .split(sep)
        .join('/'),
    );
  expect(await names('*.log')).toEqual(['a.log', 'b-1.log', 'b.log', 'd[1].log']);
  expect(await names('*')).toEqual(['a.log', 'b-1.log', 'b.log', 'c.txt', 'd[1].log']);
  expect(await names('[ab].log')).toEqual(['a.log', 'b.log']);
  expect(await names('[!a].log')).toEqual(['b.log']);
  expect(await names('?.*')).toEqual(['a.log', 'b.log', 'c.txt']);
  expect(await names('x/**/*.log')).toEqual(['x/y/deep.log']);
  expect(await names('*/y/deep.log')).toEqual(['x/y/deep.log']);
  expect(await names('.*')).toEqual(['.h.log']);
  expect(await names('nowhere/*')).toEqual([]);
});

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ write: fc.integer({ min: 1, max: 200 }) }) },
    { weight: 3, arbitrary: fc.constant('rotate' as const) },
    { weight: 1, arbitrary: fc.constantFrom('gzip' as const, 'zstd' as const) },
    { weight: 2, arbitrary: fc.constantFrom('close' as const, 'catch up' as const, 'a while' as const) },
  ),
  { minLength: 1, maxLength: 20 },
);

test('whatever happens to a file while it is read and between lives: every line once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (script, copies) => {
      const { root, clock, log, live } = place();
      const numbers: number[] = [];
      let life = live();
      const caughtUp = () => until(clock, () => numbers.length + life.texts.length >= log.written);
      const end = async () => {
        await life.tail.close();
        numbers.push(...life.numbers);
      };
      log.write(50);
      await caughtUp();
      for (const step of script) {
        if (typeof step === 'object') log.write(step.write);
        else if (step === 'rotate' && copies) {
          // Of a file that is copied, emptied and filled again and again something has to be read between.
          await caughtUp();
          log.write(3);
          log.copyAndTruncate();
          log.write(2);
          await caughtUp();
        } else if (step === 'rotate') log.rotate();
        else if (step === 'gzip' || step === 'zstd') await log.compress(step);
        else if (step === 'catch up') await caughtUp();
        else if (step === 'a while') {
          clock.advance(100);
          await quiet();
        } else {
          await end();
          life = live();
        }
      }
      await caughtUp();
      await end();
      expect(numbers).toEqual(upTo(log.written));
      rmSync(root, { recursive: true });
    }),
    { numRuns: 30 },
  );
});
