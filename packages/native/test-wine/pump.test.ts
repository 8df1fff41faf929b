import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bench } from './channel-bench.ts';

const lines = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean);

describe('the log pump', () => {
  test('what a worker writes is in the file when its channel has ended, and counted', async () => {
    const { pump, folder, open, run, seen } = bench();
    const channel = open();
    run('for (let i = 0; i < 1000; i++) console.log("line " + i)');
    const { counts } = await seen('channel-end');
    expect(counts).toMatchObject({ lines: 1000, droppedBytes: 0 });
    const text = lines(join(folder, 'out.log'));
    expect(text).toHaveLength(1000);
    expect(text.at(-1)).toBe('line 999');
    expect(pump.tail(channel).toString()).toMatch(/line 999\n$/);
    expect(existsSync(join(folder, 'channel'))).toBe(false);
  });

  test('a channel that nobody was given ends when it is discarded', async () => {
    const { pump, folder, open, seen } = bench();
    pump.discard(open());
    expect((await seen('channel-end')).counts.bytes).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file is rotated before it would grow past its bound, at line ends', async () => {
    const { folder, open, run, seen } = bench();
    open({ maxSize: 10_000, maxFiles: 30 });
    run('for (let i = 0; i < 5000; i++) console.log("line " + i)');
    await seen('channel-end');
    const names = readdirSync(folder).filter((name) => name.startsWith('out.log'));
    expect(names.length).toBeGreaterThan(3);
    let all = 0;
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text.length).toBeLessThanOrEqual(10_000);
      expect(text.endsWith('\n')).toBe(true);
      all += lines(join(folder, name)).length;
    }
    expect(all).toBe(5000);
  });

  test('lines are formatted', async () => {
    const { folder, open, run, seen } = bench();
    open({ format: 'structured_json', labels: { worker: 'api', run: 7, stream: 'stdout', prefix: '' } });
    run('console.log("one"); console.log(JSON.stringify({two: 2}))');
    await seen('channel-end');
    const [one, two] = lines(join(folder, 'out.log')).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    expect(one).toMatchObject({ worker: 'api', run: 7, stream: 'stdout', seq: 1, message: 'one' });
    expect(two).toMatchObject({ seq: 2, data: { two: 2 } });
    expect(one?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/);
  });

  test('who listens gets what is written from then on', async () => {
    const { pump, events, open, run, seen } = bench();
    pump.tap(open({ file: null }), 'lose');
    run('console.log("heard")');
    await seen('channel-end');
    const heard = events
      .flatMap((event) => (event.type === 'tapped' ? [event.data.toString()] : []))
      .join('');
    expect(heard).toBe('heard\n');
  });

  test('an outage: what is lost is counted and said in the file', async () => {
    const { folder, open, run, seen } = bench();
    const { mkdirSync, rmdirSync } = await import('node:fs');
    // A folder by the name of the file cannot be written to.
    mkdirSync(join(folder, 'out.log'));
    open();
    const { kill } = run(
      'let i = 0; console.log("lost"); process.stdin; setInterval(() => console.log("line " + i++), 50)',
    );
    expect(await seen('outage')).toMatchObject({ call: 'open', file: join(folder, 'out.log') });
    rmdirSync(join(folder, 'out.log'));
    const resumed = await seen('resumed');
    expect(resumed.lines).toBeGreaterThan(0);
    kill();
    await seen('channel-end');
    expect(readFileSync(join(folder, 'out.log'), 'utf8')).toMatch(
      /\d+ bytes with \d+ line ends are missing here \(Permission denied\)/,
    );
  });

  test('the read end is kept by the worker: the next pump carries on, and no line is lost or doubled', async () => {
    const first = bench();
    first.open();
    const { folder } = first;
    const { kill } = first.run(
      'let i = 0; setInterval(() => { for (let k = 0; k < 10; k++) console.log("line " + i++) }, 5)',
    );
    await expect
      .poll(() => existsSync(join(folder, 'out.log')) && lines(join(folder, 'out.log')).length)
      .toBeGreaterThan(50);
    first.pump.stop();
    await first.seen('pump-closed');
    expect(existsSync(join(folder, 'channel'))).toBe(true);
    const second = bench(folder);
    second.open();
    second.pump.carryOn();
    const before = lines(join(folder, 'out.log')).length;
    await expect.poll(() => lines(join(folder, 'out.log')).length).toBeGreaterThan(before + 100);
    kill();
    await second.seen('channel-end');
    const all = lines(join(folder, 'out.log'));
    expect(all).toEqual(all.map((_, index) => `line ${index}`));
  });

  test('a channel whose worker is gone ends at once', async () => {
    const first = bench();
    first.open();
    const { kill } = first.run('setInterval(() => {}, 1000)');
    first.pump.stop();
    await first.seen('pump-closed');
    kill();
    const second = bench(first.folder);
    second.open();
    second.pump.carryOn();
    await second.seen('channel-end');
    expect(existsSync(join(first.folder, 'channel'))).toBe(false);
  });

  test('many channels at once', async () => {
    const { folder, events, open, run } = bench();
    for (let at = 0; at < 70; at += 1)
      open({
        fifo: join(folder, `c${at}`),
        file: join(folder, `${at % 7}.log`),
        labels: { worker: `w${at}`, run: 1, stream: 'stdout', prefix: '' },
      });
    const code = (at: number) => `for (let i = 0; i < 200; i++) console.log("${at}:" + i)`;
    for (let at = 0; at < 7; at += 1)
      for (let more = 0; more < 2; more += 1) run(code(at + 7 * more), `c${at + 7 * more}`);
    await expect.poll(() => events.filter(({ type }) => type === 'channel-end').length).toBe(14);
    for (let at = 0; at < 7; at += 1) {
      const all = lines(join(folder, `${at}.log`));
      expect(all).toHaveLength(400);
      for (const who of [at, at + 7])
        expect(all.filter((line) => line.startsWith(`${who}:`))).toEqual(
          Array.from({ length: 200 }, (_, i) => `${who}:${i}`),
        );
    }
  });
});
