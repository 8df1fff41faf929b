// What of the macOS addon can run here: hsu-launch, which every child begins as, the parsers, and, where time is no matter, the pump
// without splice, tee and epoll.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
  const sanitized = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const options = ['-std=c++20', '-O0', '-Wall', '-Wextra', '-Werror', ...sanitized];
  const places = [join(macos, 'src'), shared, linux].map((folder) => `-I${folder}`);
  const files = sources.map((name) => join(macos, name));
  execFileSync('g++', [...options, ...places, '-o', output, ...files]);
}

beforeAll(() => {
  chmodSync(place, 0o755);
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
function launch(items: readonly Item[], opened: boolean | null, user: { uid?: number } = {}): Launched {
  const plan = Buffer.from(items.map(([letter, value]) => `${letter}${value}\0`).join(''));
  return launchPlan(plan, plan.length, opened, user);
}

function launchPlan(
  plan: Buffer,
  said: number,
  opened: boolean | null,
  user: { uid?: number } = {},
): Launched {
  const child = spawn(launcher, ['3'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env: {}, ...user });
  const gate = child.stdio[3] as Duplex;
  const parts: Buffer[] = [];
  gate.on('data', (part: Buffer) => parts.push(part));
  // Who ends without having read all resets it.
  gate.on('error', () => {});
  const news = new Promise<Buffer>((resolve) => gate.once('close', () => resolve(Buffer.concat(parts))));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(said);
  gate.write(Buffer.concat([length, plan, Buffer.from(opened ? 'g' : '')]));
  if (opened === false) gate.end();
  const output = text(child.stdout as NodeJS.ReadableStream & AsyncIterable<Buffer>);
  return { child, gate, said: news, output, ended: once(child, 'exit') };
}

const shell = (script: string, ...more: Item[]): Item[] => [
  ['F', '/bin/sh'],
  ['A', 'sh'],
  ['A', '-c'],
  ['A', script],
  ['E', 'PATH=/usr/bin:/bin'],
  ...more,
];

const failureOf = (items: readonly Item[], user: { uid?: number } = {}) => failure(launch(items, true, user));

async function failure({ said, ended }: Launched): Promise<readonly number[]> {
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

  it('makes what it inherits blocking again: libuv makes it non-blocking for the master', async () => {
    execFileSync('mkfifo', [join(place, 'fifo')]);
    const fifo = openSync(join(place, 'fifo'), constants.O_RDWR | constants.O_NONBLOCK);
    const child = spawn(launcher, ['3'], { stdio: ['ignore', fifo, 'inherit', 'pipe'], env: {} });
    const plan = Buffer.from('F/bin/true\0Atrue\0');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(plan.length);
    (child.stdio[3] as Duplex).write(Buffer.concat([length, plan, Buffer.from('g')]));
    expect(await once(child, 'exit')).toEqual([0, null]);
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fifo}`, 'utf8'))?.[1] ?? '';
    expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0);
    closeSync(fifo);
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

type Hazard =
  | 'torn down'
  | 'after close'
  | 'wrong type'
  | 'huge text'
  | 'NUL'
  | 'process gone'
  | 'pid reused'
  | 'no permission'
  | 'loaded twice'
  | 'collected'
  | 'threads';
/** A test, or why it cannot occur. */
type Row = Readonly<Record<Hazard, string | (() => Promise<void>)>>;

const GATE = 13;
const [EPERM, E2BIG, EACCES, EINVAL] = [1, 7, 13, 22];
const noAddon = 'a function of bytes: it holds nothing, and no object of JavaScript leads to it';
const pure: Row = {
  'torn down': noAddon,
  'after close': noAddon,
  'wrong type': 'any bytes, in test/portable.cc',
  'huge text': 'a megabyte of each, in test/portable.cc',
  NUL: 'NUL is what it divides by: bytes cut at each place, in test/portable.cc',
  'process gone': 'it is given what was read of a process, not the process',
  'pid reused': 'it is given what was read of a process, not the process',
  'no permission': 'it asks the system for nothing',
  'loaded twice': noAddon,
  collected: noAddon,
  threads: noAddon,
};
const nobody = { uid: 65_534 };
const begun = (...more: Item[]): Item[] => shell('true', ...more);

const table: Readonly<Record<string, Row>> = {
  'the parser of process arguments': pure,
  'the plan of a launch': pure,
  'numbers of limits': { ...pure, 'huge text': 'it takes no text', NUL: 'it takes no text' },
  'hsu-launch': {
    'torn down': async () => expect((await launch(begun(), false).ended)[0]).toBe(127),
    'after close': async () => {
      const { gate, ended } = launch(begun(), false);
      // Nobody reads this any more.
      gate.write('g', () => {});
      expect((await ended)[0]).toBe(127);
    },
    'wrong type': async () => {
      const plan = Buffer.from([0xff, 0xfe, 0, 1, 2, 0]);
      expect(await failure(launchPlan(plan, plan.length, true))).toEqual([GATE, EINVAL]);
    },
    'huge text': async () => {
      expect(await failure(launchPlan(Buffer.alloc(0), 0xffff_ffff, true))).toEqual([GATE, E2BIG]);
      expect(await failureOf(begun(['E', `A=${'x'.repeat(1 << 20)}`]))).toEqual([12, E2BIG]);
    },
    NUL: async () => {
      const plan = Buffer.from('F/bin/true\0Atrue');
      expect(await failure(launchPlan(plan, plan.length, true))).toEqual([GATE, EINVAL]);
    },
    'process gone': 'the one that it waits for is the master: torn down',
    'pid reused': 'it knows the master by the socket, not by its number',
    'no permission': async () => {
      if (!isRoot) return;
      expect(await failureOf(begun(['U', 0]), nobody)).toEqual([8, EPERM]);
      expect(await failureOf(begun(['N', -5]), nobody)).toEqual([18, EACCES]);
      expect(await failureOf(begun(['L', `7 ${2 ** 40} ${2 ** 40}`]), nobody)).toEqual([32 + 7, EPERM]);
    },
    'loaded twice': async () => {
      const both = [launch(shell('echo 1'), true), launch(shell('echo 2'), true)];
      expect(await Promise.all(both.map(({ output }) => output))).toEqual(['1\n', '2\n']);
    },
    collected: 'a process of its own: nothing of JavaScript is in it',
    threads: 'a process of its own, of one thread',
  },
};

describe.each(Object.entries(table))('hazards of %s', (_, row) => {
  const tests = Object.entries(row).filter(([, cell]) => typeof cell === 'function');
  it.each(tests)('%s', (__, cell) => (cell as () => Promise<void>)());
  it('are all answered for', () => expect(Object.values(row)).not.toContain(''));
});
