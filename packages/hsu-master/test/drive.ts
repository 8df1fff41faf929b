import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test, vi } from 'vitest';
import { removeGroupsBelow } from './cgroups.ts';
import { type Found, processesOf } from './proc.ts';
import { interrupt, onWindows } from './windows.ts';

/** Bounds of time are multiplied by this on slow machines. */
export const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);
/** For tests that bound a span of real time: a machine that does much else may fail one, not each of three. */
export const TIMED = { retry: 2 };
/** How often a probe asks, in milliseconds, and how long it waits: a busy machine needs time to answer at all. */
export function rhythm(interval: number): { readonly interval: string; readonly timeout: string } {
  return { interval: `${interval * factor}ms`, timeout: `${interval * factor * 0.9}ms` };
}

/** How long anything is awaited before a test gives up, in milliseconds. */
export const PATIENCE = 20_000 * factor;
export const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const BIN = join(import.meta.dirname, '..', 'bin', 'hsu-master.js');

/** What programs cannot do without: on Windows not even sockets, and what stands in for the programs of a shell. */
const SYSTEM: Readonly<Record<string, string>> & { readonly PATH: string } = onWindows
  ? {
      ...(process.env as Record<string, string>),
      PATH: [process.env.HSU_ZOO, process.env.PATH].join(delimiter),
    }
  : { PATH: process.env.PATH ?? '/usr/bin:/bin' };

/** Rows of the lifecycle. On Windows, whose programs start slowly under Wine, those alone are run of the tests that all systems share. */
const ROW = /\b(?:[ABCDH]\d+|I10|M6)\b/;
const ELSEWHERE = 'no row of its own: run elsewhere';

/** A test with a folder of its own: whatever it started is dead, and the folder gone, when it is over. */
export const it = test.extend<{ stage: Stage }>({
  stage: async ({ task, skip }, use) => {
    skip(onWindows && !ROW.test(task.name), ELSEWHERE);
    const stage = new Stage(task.name);
    try {
      await use(stage);
    } finally {
      await stage.clear();
    }
  },
});

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Command line that runs the one given. */
  readonly through?: readonly string[];
  /** Lines that are not kept: those of a flood. */
  readonly without?: RegExp;
  /** What is written over at a terminal counts as a line, too. */
  readonly redrawn?: true;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A folder, and all processes that know it. */
export class Stage {
  readonly folder: string;
  readonly home: string;
  readonly bin = BIN;
  readonly #launched: Launched[] = [];

  constructor(name: string) {
    const stem = name.replace(/\W+/g, '-').slice(0, 20);
    this.folder = mkdtempSync(join(realpathSync(tmpdir()), `hsu-${stem}-`));
    this.home = this.path('home');
    mkdirSync(this.home);
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, content: string | Uint8Array, mode = 0o644): string {
    const path = this.path(name);
    writeFileSync(path, content, { mode });
    return path;
  }

  /** Writes a configuration: YAML, a whole document, or the workers only. */
  config(content: string | readonly object[] | object, name = 'config.yaml'): string {
    const document = Array.isArray(content) ? { workers: content } : content;
    return this.write(name, typeof document === 'string' ? document : JSON.stringify(document, null, 1));
  }

  /** The environment of everything that is started here. */
  environment(extra: LaunchOptions['env'] = {}): Record<string, string> {
    const env = {
      ...SYSTEM,
      PATH: [dirname(process.execPath), SYSTEM.PATH].join(delimiter),
      HOME: this.home,
      HSU_HOME: this.home,
      ...extra,
    };
    return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
  }

  /** Starts any program. */
  launch(argv: readonly string[], options: LaunchOptions = {}): Launched {
    const launched = new Launched([...(options.through ?? []), ...argv], {
      cwd: options.cwd ?? this.folder,
      env: this.environment(options.env),
      without: options.without ?? null,
      end: options.redrawn ? /[\r\n]/ : /\n/,
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid ?? options.uid }),
    });
    this.#launched.push(launched);
    return launched;
  }

  /** Starts the command with these arguments. */
  hsu(args: readonly string[], options: LaunchOptions = {}): Launched {
    return this.launch([process.execPath, BIN, ...args], options);
  }

  /** `hsu-master run` with a configuration. */
  run(
    content: Parameters<Stage['config']>[0],
    flags: readonly string[] = [],
    options: LaunchOptions = {},
  ): Launched {
    return this.hsu(['run', this.config(content), ...flags], options);
  }

  /** Living processes whose environment, command line, working directory or open files name this folder. */
  processes(): readonly Found[] {
    return processesOf(this.folder);
  }

  /** Living processes other than those that this test started itself. */
  leftOvers(): readonly Found[] {
    const own = new Set(this.#launched.map(({ pid }) => pid));
    return this.processes().filter(({ pid }) => !own.has(pid));
  }

  async clear(): Promise<void> {
    for (const launched of this.#launched) launched.kill();
    await eventually(() => {
      const left = this.processes();
      for (const { pid } of left) killQuietly(pid);
      return left.length === 0;
    });
    const endings = await Promise.all(this.#launched.map((launched) => launched.ended));
    if (!onWindows && endings.some(({ signal }) => signal === 'SIGKILL'))
      await removeGroupsBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Resolves when `holds` does: for what tells nobody when it changes. */
export function eventually(holds: () => boolean, patience: number = PATIENCE): Promise<void> {
  const look = () => {
    if (!holds()) throw new Error(`in vain: ${holds.toString()}`);
  };
  return vi.waitFor(look, { timeout: patience, interval: 20 });
}

/** Ports below those that the system gives to whoever asks for any: a thousand for each file that runs at the same time. */
let lastPort = 10_000 + 1000 * (Number(process.env.VITEST_POOL_ID ?? 0) % 20) + (process.pid % 500);

/** A port that is free, and stays so until the test uses it. */
export async function freePort(): Promise<number> {
  for (;;) {
    lastPort += 1;
    const port = lastPort;
    const server = createServer().listen(port, '127.0.0.1');
    const listens = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!listens) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** A started program and all that it says. */
export class Launched {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #text = { stdout: '', stderr: '' };
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #without: RegExp | null;
  readonly #end: RegExp;
  #seen = 0;
  #over = false;

  constructor(
    [file = '', ...args]: readonly string[],
    {
      without,
      end,
      ...options
    }: { cwd: string; env: Record<string, string>; without: RegExp | null; end: RegExp },
  ) {
    this.#without = without;
    this.#end = end;
    const child = spawn(file, args, { ...options, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#lines.push(error.message);
        resolve({ code: null, signal: null });
      });
      child.once('close', (code, signal) => {
        this.#over = true;
        resolve({ code, signal });
        this.#tell();
      });
    });
    for (const name of ['stdout', 'stderr'] as const) this.#collect(name);
    child.stdin?.on('error', () => {});
  }

  /** What it has said in whole lines; all of it when it has ended. */
  get stdout(): string {
    return this.#text.stdout;
  }

  get stderr(): string {
    return this.#text.stderr;
  }

  /** All lines of both streams, in the order in which they came. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Lines that match. */
  matching(pattern: RegExp): readonly string[] {
    return this.#lines.filter((line) => pattern.test(line));
  }

  /** The first line that matches, from the beginning on. */
  line(pattern: RegExp): Promise<string> {
    return this.#find(pattern, 0);
  }

  /** The first line that matches behind the one that `next` found before. */
  next(pattern: RegExp): Promise<string> {
    return this.#find(pattern, this.#seen);
  }

  /** Resolves with the pid as soon as a worker was started for the `n`-th time. */
  async started(worker: string, n = 1): Promise<number> {
    const pattern = new RegExp(`^${worker}: started \\(pid (\\d+)\\)`);
    await this.until(`"${worker}" started ${n} times`, () => this.matching(pattern).length >= n);
    return Number(pattern.exec(this.matching(pattern)[n - 1] ?? '')?.[1]);
  }

  /** Resolves when `holds` does; looks whenever something was said. */
  until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (finish: () => void) => {
        clearTimeout(patience);
        this.#watchers.delete(look);
        finish();
      };
      const look = () => {
        if (holds()) done(resolve);
        else if (this.#over) done(() => reject(new Error(`it ended before ${what} came:\n${this.#story()}`)));
      };
      const patience = setTimeout(
        () => done(() => reject(new Error(`in vain: ${what}\n${this.#story()}`))),
        PATIENCE,
      );
      this.#watchers.add(look);
      look();
    });
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Reads no more of standard output, as a pager that was left. */
  stopReading(): void {
    this.#child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    if (onWindows && signal !== 'SIGKILL') void interrupt(this.pid);
    else this.#child.kill(signal);
  }

  kill(): void {
    if (!this.#over) this.#child.kill('SIGKILL');
  }

  /** How it ended, as soon as it has. */
  async end(): Promise<Ending> {
    let patience: NodeJS.Timeout | undefined;
    const given = new Promise<never>((_resolve, reject) => {
      patience = setTimeout(() => reject(new Error(`it does not end\n${this.#story()}`)), PATIENCE);
    });
    try {
      return await Promise.race([this.ended, given]);
    } finally {
      clearTimeout(patience);
    }
  }

  /** Sends a signal and tells how it ended. */
  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ending> {
    this.signal(signal);
    return this.end();
  }

  async #find(pattern: RegExp, from: number): Promise<string> {
    let at = from;
    await this.until(String(pattern), () => {
      while (at < this.#lines.length) {
        if (pattern.test(this.#lines[at] ?? '')) return true;
        at += 1;
      }
      return false;
    });
    this.#seen = Math.max(this.#seen, at + 1);
    return this.#lines[at] ?? '';
  }

  #collect(name: 'stdout' | 'stderr'): void {
    const stream = this.#child[name];
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      const parts = (rest + chunk).split(this.#end);
      rest = parts.pop() ?? '';
      for (const part of parts) this.#keep(name, part, '\n');
      this.#tell();
    });
    stream?.on('end', () => {
      if (rest !== '') this.#keep(name, rest, '');
    });
    stream?.on('error', () => {});
  }

  #keep(name: 'stdout' | 'stderr', line: string, end: string): void {
    if (this.#without?.test(line)) return;
    this.#text[name] += line + end;
    this.#lines.push(line);
  }

  #tell(): void {
    for (const look of this.#watchers) look();
  }

  #story(): string {
    return this.#lines.slice(-60).join('\n');
  }
}
