import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { timeFactor } from './harness.ts';
import { checkLines, folder, lines, openPumpBench } from './pump-bench.ts';

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

it.each([
  ['line by line', 0],
  ['1000 bytes at once', 1000],
  ['64 KiB at once', 65_536],
])(
  `a pump that is killed ${kills} times in mid-flood, rotating, neither loses nor doubles a line; written %s`,
  async (_, atOnce) => {
    const place = folder();
    const fifo = join(place, 'fifo');
    const file = join(place, 'log');
    let pump = await start(fifo, file, '1000000', '1000');
    const fd = openSync(fifo, 'r+');
    // It stops by itself only where the test failed.
    const writer = spawn(lines(), ['write', '0', '1000000000', '100', String(atOnce), '1'], {
      stdio: ['ignore', fd, 'inherit'],
    });
    onTestFinished(() => void writer.kill('SIGKILL'));
    for (let kill = 0; kill < kills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40));
      pump.kill('SIGKILL');
      await exitCode(pump);
      pump = await start(fifo, file, '1000000', '1000');
    }
    writer.kill('SIGKILL');
    await exitCode(writer);
    closeSync(fd);
    expect(await exitCode(pump)).toBe(0);
    const bench = openPumpBench(place);
    const checked = checkLines(bench.files());
    // The writer was killed between two writes, which need not be a line end.
    expect(checked).toMatch(
      atOnce === 0 ? /^OK \d+$/ : /^OK \d+$|^BROKEN at line (\d+): (\d+) expected, (0*\2)?[ a-z\d]{0,40}$/,
    );
    expect(bench.text().length).toBeGreaterThan(100_000);
  },
  (kills * 3000 + 20_000) * timeFactor,
);
