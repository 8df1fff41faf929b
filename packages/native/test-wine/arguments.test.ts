import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { batchCommandLine, commandLine, type WindowsSpawn } from '../src/index.ts';
import { creature, Ears, environmentWith, spawnOf } from './engine.ts';
import { samples, words } from './words.ts';

const ears = new Ears();
const { engine } = ears;
const folder = mkdtempSync(join(tmpdir(), 'hsu-arguments-'));
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

/** At the same time, because most of each is waiting. */
const LANES = 8;

async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = [...all];
  const lane = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function outputOf(options: Partial<WindowsSpawn>): Promise<string> {
  // Without a console, which takes a process of its own.
  const made = engine.spawn(spawnOf([], { console: 'none', stderr: 'stdout', ...options }));
  if (!made.ok) throw new Error(`${made.failure.call}: ${made.failure.code}`);
  engine.release(made.value.handle, true);
  await ears.hear('output-end', (event) => event.handle === made.value.handle);
  return ears.text(made.value.handle);
}

/** As the creature writes them: the numbers of the UTF-16 units. */
function decoded(output: string): string[] {
  return output
    .split(/\r?\n/)
    .slice(0, -1)
    .map((line) =>
      String.fromCharCode(...(line.match(/.{4}/g) ?? []).map((unit) => Number.parseInt(unit, 16))),
    );
}

function lineOf(argv: readonly [string, ...string[]]): string {
  const line = commandLine(argv);
  if (!line.ok) throw new Error(line.reason);
  return line.line;
}

test('500 lists of arguments arrive byte for byte in a program of the C runtime', async () => {
  const lists = samples(words(), 500);
  // Ten to a program, with a word between them that none of them has: starting one takes long here.
  const batches = Array.from({ length: 50 }, (_unused, at) => lists.slice(10 * at, 10 * at + 10));
  await inLanes(batches, async (batch) => {
    const all = batch.flatMap((list) => [...list, 'NEXT']);
    const output = await outputOf({ commandLine: lineOf([creature, 'args', ...all]) });
    expect(decoded(output)).toEqual(all);
  });
});

test('500 arguments arrive in node.exe', async () => {
  const all = samples(words(), 200).flat().slice(0, 500);
  const node = process.execPath;
  for (let at = 0; at < all.length; at += 100) {
    const list = all.slice(at, at + 100);
    const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const output = await outputOf({
      application: node,
      commandLine: lineOf([node, '-e', script, '--', ...list]),
    });
    expect(JSON.parse(output)).toEqual(list);
  }
});

test('arguments of a batch file arrive in the program that it calls with them', async () => {
  const file = join(folder, 'a batch file.cmd');
  writeFileSync(file, `@"${creature}" args %*\r\n`);
  const shell = join(process.env['SystemRoot'] ?? 'C:\\windows', 'system32', 'cmd.exe');
  await inLanes(samples(words(/[\r\n]/), 20), async (list) => {
    const line = batchCommandLine(shell, file, list);
    if (!line.ok) return expect.unreachable(line.reason);
    const environment = environmentWith({ PATH: 'C:\\windows\\system32' });
    // Without a console Wine’s cmd.exe gives its children no streams.
    const output = await outputOf({
      application: shell,
      commandLine: line.line,
      environment,
      console: 'own',
    });
    expect(decoded(output)).toEqual(list);
  });
});
