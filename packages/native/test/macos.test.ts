// What of the macOS addon can run here: hsu-launch, which every child begins as, the parsers, and, where time is no matter, the pump
// without splice, tee and epoll.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { macosCapabilities } from '../src/macos.ts';
import { isRoot, timeFactor } from './harness.ts';

const macos = fileURLToPath(new URL('../../../native/macos', import.meta.url));
const shared = fileURLToPath(new URL('../../../native/shared', import.meta.url));
const linux = fileURLToPath(new URL('../../../native/linux/src', import.meta.url));
const place = realpathSync(mkdtempSync(join(tmpdir(), 'hsu-macos-')));
const launcher = join(place, 'hsu-launch');
const portable = join(place, 'portable');

function build(output: string, ...sources: string[]): void {
  const options = ['-std=c++20', '-O0', '-Wall', '-Wextra', '-Werror'];
  const places = [join(macos, 'src'), shared, linux].map((folder) => `-I${folder}`);
  const files = sources.map((name) => join(macos, name));
  execFileSync('cc', [...options, ...places, '-o', output, ...files, '-lstdc++']);
}

beforeAll(() => {
  build(launcher, 'src/launch/main.cc', 'src/launch/plan.cc');
  build(portable, 'test/portable.cc', 'src/launch/plan.cc', 'src/process_args.cc');
}, 120_000 * timeFactor);
afterAll(() => rmSync(place, { recursive: true, force: true }));

type Item = readonly [letter: string, value: string | number];

interface Launched {
  readonly child: ChildProcess;
  readonly gate: Duplex;
  readonly said: Promise<Buffer>;
  readonly output: Promise<string>;
  readonly ended: Promise<unknown[]>;
}

/** `opened`: null leaves the gate as it is. */
function launch(items: readonly Item[], opened: boolean | null): Launched {
  const child = spawn(launcher, ['3'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env: {} });
  const gate = child.stdio[3] as Duplex;
  const parts: Buffer[] = [];
  gate.on('data', (part: Buffer) => parts.push(part));
  // Who ends without having read all resets it.
  gate.on('error', () => {});
  const said = new Promise<Buffer>((resolve) => gate.once('close', () => resolve(Buffer.concat(parts))));
  const plan = Buffer.from(items.map(([letter, value]) => `${letter}${value}\0`).join(''));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(plan.length);
  gate.write(Buffer.concat([length, plan, Buffer.from(opened ? 'g' : '')]));
  if (opened === false) gate.end();
  const output = text(child.stdout as NodeJS.ReadableStream & AsyncIterable<Buffer>);
  return { child, gate, said, output, ended: once(child, 'exit') };
}

const shell = (script: string, ...more: Item[]): Item[] => [
  ['F', '/bin/sh'],
  ['A', 'sh'],
  ['A', '-c'],
  ['A', script],
  ['E', 'PATH=/usr/bin:/bin'],
  ...more,
];

async function failureOf(items: readonly Item[]): Promise<readonly number[]> {
  const { said, ended } = launch(items, true);
  expect((await ended)[0]).toBe(127);
  const bytes = await said;
  return [bytes.readInt32LE(0), bytes.readInt32LE(4)];
}

describe('hsu-launch', () => {
  it('becomes the program with its arguments, environment, folder, umask and limits; its gate is closed then', async () => {
    const script = 'echo "$0 $# $A"; pwd; umask; ulimit -Sn; ulimit -Hn; nice; env | sort | tr "\\n" " "';
    const more: Item[] = [
      ['A', ''],
      ['A', 'two words'],
      ['E', 'A=1'],
      ['D', place],
      ['M', 0o27],
      ['L', '7 64 128'],
      ['N', 5],
    ];
    const { output, said, ended } = launch(shell(script, ...more), true);
    expect(await ended).toEqual([0, null]);
    const lines = (await output).split('\n');
    expect(lines.slice(0, 6)).toEqual([' 1 1', place, '0027', '64', '128', '5']);
    expect(lines[6]).toContain('A=1');
    expect(await said).toEqual(Buffer.alloc(0));
  });

  it('leaves without having run the program when its gate is closed: the master died, or gave up', async () => {
    const { output, ended } = launch(shell('echo run'), false);
    expect((await ended)[0]).toBe(127);
    expect(await output).toBe('');
  });

  it('waits at its gate until that is opened', async () => {
    const { gate, output, child } = launch(shell('echo run'), null);
    await expect
      .poll(() => readlinkSync(`/proc/${child.pid}/exe`), { timeout: 5000 * timeFactor })
      .toBe(launcher);
    expect(child.exitCode).toBeNull();
    gate.write('g');
    expect(await output).toBe('run\n');
  });

  it('tells which step failed, and why', async () => {
    expect(
      await failureOf([
        ['F', '/nowhere'],
        ['A', 'x'],
      ]),
    ).toEqual([12, 2]);
    expect(await failureOf(shell('true', ['D', '/nowhere']))).toEqual([5, 2]);
    expect(await failureOf(shell('true', ['L', '13 0 0']))).toEqual([32 + 13, 95]);
    expect(await failureOf([['?', '']])).toEqual([13, 22]);
  });

  it('runs a text without a shebang line by the shell where that is asked for, and says so', async () => {
    const file = join(place, 'text');
    writeFileSync(file, 'echo "text $1"\n', { mode: 0o755 });
    const items: Item[] = [
      ['F', file],
      ['A', file],
      ['A', 'word'],
      ['H', ''],
    ];
    const { output, said } = launch(items, true);
    expect(await output).toBe('text word\n');
    expect((await said).readInt32LE(0)).toBe(-1);
    expect(await failureOf(items.slice(0, -1))).toEqual([12, 8]);
  });

  it.runIf(isRoot)('becomes another user before it enters the folder (needs root)', async () => {
    const more: Item[] = [
      ['U', 65_534],
      ['G', 65_534],
      ['S', ''],
      ['g', 65_534],
    ];
    const { output } = launch(shell('id -u; id -g; id -G', ...more), true);
    expect(await output).toBe('65534\n65534\n65534\n');
    expect(await failureOf(shell('true', ...more, ['D', '/root']))).toEqual([5, 13]);
  });

  it('adds LISTEN_PID where sockets are passed', async () => {
    const { child, output } = launch(shell('echo $LISTEN_PID', ['P', '']), true);
    expect(await output).toBe(`${child.pid}\n`);
  });
});

it('what sysctl tells of a process is parsed, and plans arrive as they were written', () => {
  expect(execFileSync(portable, { encoding: 'utf8' })).toBe('OK\n');
});

it('a launcher that cannot be run is said', () => {
  const probe = {
    pidfd: 1,
    clone3: 2,
    cloneIntoCgroup: 1,
    closeRange: 0,
    subreaper: 1,
    childrenList: 1,
    exitStatus: 0,
  };
  const gate = (clone3: number) =>
    macosCapabilities({ ...probe, clone3 }).find(({ feature }) => feature === 'spawn-gate')?.status;
  expect([gate(0), gate(2)]).toEqual(['enforced', 'impossible']);
});
