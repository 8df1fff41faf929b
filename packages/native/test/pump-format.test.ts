import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NativeFormat } from '../src/index.ts';
import { lines, openPumpBench } from './pump-bench.ts';

const STAMP = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d`;

async function formatted(format: NativeFormat, text: string | Buffer, prefix = ''): Promise<string> {
  const bench = openPumpBench();
  const channel = bench.open({ format, labels: { worker: 'api', run: 7, stream: 'stderr', prefix } });
  const source = join(bench.place, 'source');
  writeFileSync(source, text);
  await bench.run(`cat ${source}`);
  const { counts } = await bench.ended(channel);
  expect(counts.bytes).toBe(Buffer.byteLength(text));
  return bench.text();
}

function records(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('lines', () => {
  it('are prefixed, an unfinished last one too', async () => {
    expect(await formatted('prefixed', 'one\n\ntwo', 'api: ')).toBe('api: one\napi: \napi: two\n');
  });

  it('say when they were read, of whom, and from where', async () => {
    const text = await formatted('enhanced_plain', 'one\ntwo\n');
    expect(text).toMatch(new RegExp(`^(\\[${STAMP}\\]\\[api\\]\\[stderr\\] (one|two)\\n){2}$`));
    const [time = ''] = new RegExp(STAMP).exec(text) ?? [];
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
  });

  it('are JSON whatever is in them', async () => {
    const text = Buffer.concat([
      Buffer.from('quote " back \\ tab \t bell \u0007 née 日本 \u{1f600}\r\n'),
      Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0x0a]),
    ]);
    const [first, second] = records(await formatted('json', text));
    expect(first).toMatchObject({ worker: 'api', stream: 'stderr' });
    expect(first?.['message']).toBe('quote " back \\ tab \t bell \u0007 née 日本 \u{1f600}\r');
    expect(second?.['message']).toBe(`a\ufffd\ufffd(${'\ufffd'.repeat(7)}`);
  });

  it('that are JSON objects themselves stay so; others are messages', async () => {
    const given = [
      '{"level":"info","n":[1,2.5e3,-0,true,null,{"deep":"\\u00e9"}]}',
      ' { } ',
      '{"open": ',
      '{"a":1}{"b":2}',
      '{"a":01}',
      '{"a":"\u0001"}',
      '[1]',
      'plain',
    ];
    const found = records(await formatted('structured_json', `${given.join('\n')}\n`));
    expect(found.map(({ run, seq }) => [run, seq])).toEqual(given.map((_, index) => [7, index + 1]));
    expect(found.slice(0, 2).map(({ data }) => data)).toEqual([
      { level: 'info', n: [1, 2500, -0, true, null, { deep: 'é' }] },
      {},
    ]);
    expect(found.slice(2).map(({ message }) => message)).toEqual(given.slice(2));
  });

  it('longer than 64 KiB come in pieces that say so', async () => {
    const long = 'é'.repeat(50_000);
    const found = records(await formatted('json', `${long}\nshort\n`));
    expect(found.map(({ cut }) => cut)).toEqual([true, undefined, undefined]);
    expect(`${String(found[0]?.['message'])}${String(found[1]?.['message'])}`).toBe(long);
    const plain = await formatted('prefixed', `${'x'.repeat(150_000)}\n`);
    expect(plain.split('\n').map(({ length }) => length)).toEqual([65_537, 65_537, 150_000 - 131_072, 0]);
  });

  it('of a flood are all there, and rotated between lines', async () => {
    const bench = openPumpBench();
    const channel = bench.open({ format: 'json', maxSize: 2_000_000, maxFiles: 1000 });
    await bench.run(`exec ${lines()} write 0 200000 100 0`);
    const { counts } = await bench.ended(channel);
    expect(counts).toMatchObject({ lines: 200_000, droppedLines: 0 });
    const numbers = records(bench.text()).map(({ message }) => Number(String(message).slice(0, 10)));
    expect(numbers).toEqual(Array.from({ length: 200_000 }, (_, index) => index));
    expect(bench.files().length).toBeGreaterThan(10);
  });
});
