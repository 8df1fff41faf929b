import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { timeFactor } from './harness.ts';
import { folder, lines, openPumpBench } from './pump-bench.ts';

const program = fileURLToPath(new URL('programs/pump.ts', import.meta.url));
const kills = process.env['CI_FULL'] ? 300 : 20;

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

/** The numbers of the lines in a file of that format, and the number of the first line that is not what it should be. */
function numbersOf(text: string, format: string): number[] {
  const found = text.split('\n').slice(0, -1);
  return found.map((line) => {
    const message = format === 'plain' ? line : (JSON.parse(line) as { message: string }).message;
    return Number(message.slice(0, 10));
  });
}

it.each([
  ['line by line', 0, 'plain'],
  ['1000 bytes at once', 1000, 'plain'],
  ['64 KiB at once', 65_536, 'plain'],
  ['1000 bytes at once, as JSON', 1000, 'json'],
])(
  `a pump that is killed ${kills} times in mid-flood, rotating, neither loses nor doubles a line; written %s`,
  async (_, atOnce, format) => {
    const place = folder();
    const given = [join(place, 'fifo'), join(place, 'log'), '1000000', '1000', format] as const;
    let pump = await start(...given);
    const fd = openSync(given[0], 'r+');
    // It stops by itself only where the test failed.
    const writer = spawn(lines(), ['write', '0', '1000000000', '100', String(atOnce), '1'], {
      stdio: ['ignore', fd, 'inherit'],
    });
    onTestFinished(() => void writer.kill('SIGKILL'));
    for (let kill = 0; kill < kills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40));
      pump.kill('SIGKILL');
      await exitCode(pump);
      pump = await start(...given);
    }
    writer.kill('SIGKILL');
    await exitCode(writer);
    closeSync(fd);
    expect(await exitCode(pump)).toBe(0);
    const numbers = numbersOf(openPumpBench(place).text(), format);
    // The writer was killed between two writes, which need not be a line end: the last line may be a part of one.
    if (format !== 'plain') numbers.pop();
    expect(numbers).toEqual(numbers.map((_number, index) => index));
    expect(numbers.length).toBeGreaterThan(1000);
  },
  (kills * 3000 + 20_000) * timeFactor,
);
