import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { timeFactor } from './harness.ts';
import { folder, lines, numbersIn, openPumpBench } from './pump-bench.ts';

const program = fileURLToPath(new URL('programs/pump.ts', import.meta.url));
const kills = process.env['CI_FULL'] || process.env['HSU_LONG'] ? 300 : 15;
/** The second of two writers counts from here on. */
const OTHER = 1_000_000_000;

async function start(...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Writes until it is killed; by itself it stops only where the test failed. */
function write(fifo: string, first: number, atOnce: number): () => Promise<void> {
  const fd = openSync(fifo, 'r+');
  const writer = spawn(lines(), ['write', String(first), String(OTHER), '100', String(atOnce), '1'], {
    stdio: ['ignore', fd, 'inherit'],
  });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return async () => {
    writer.kill('SIGKILL');
    await exitCode(writer);
    closeSync(fd);
  };
}

it.each([
  ['line by line', 0, 'plain', 1],
  ['1000 bytes at once', 1000, 'plain', 1],
  ['64 KiB at once', 65_536, 'plain', 1],
  ['1000 bytes at once, as JSON', 1000, 'json', 1],
  ['line by line, two streams in one file', 0, 'plain', 2],
  ['1000 bytes at once, two streams in one file, as JSON', 1000, 'json', 2],
] as const)(
  `a pump that is killed ${kills} times in mid-flood, rotating, neither loses nor doubles a line; written %s`,
  async (_, atOnce, format, streams) => {
    const place = folder();
    const fifos = ['fifo', 'other'].slice(0, streams).map((name) => join(place, name));
    const given = [fifos.join(','), join(place, 'log'), '1000000', '1000', format] as const;
    let pump = await start(...given);
    const endings = fifos.map((fifo, index) => write(fifo, index * OTHER, atOnce));
    for (let kill = 0; kill < kills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40));
      pump.kill('SIGKILL');
      await exitCode(pump);
      pump = await start(...given);
    }
    for (const end of endings) await end();
    expect(await exitCode(pump)).toBe(0);
    const found = openPumpBench(place)
      .files()
      .flatMap((file) => numbersIn(file, format));
    // Each writer was killed between two writes, which need not be a line end.
    expect(found.filter(Number.isNaN).length).toBeLessThanOrEqual(format === 'plain' ? 0 : streams);
    const whole = found.filter((number) => !Number.isNaN(number));
    for (const index of fifos.keys()) {
      const first = index * OTHER;
      const numbers = whole.filter((number) => number >= first && number < first + OTHER);
      expect(numbers.findIndex((number, at) => number !== first + at)).toBe(-1);
      expect(numbers.length).toBeGreaterThan(1000);
    }
  },
  (kills * 3000 + 20_000) * timeFactor,
);
