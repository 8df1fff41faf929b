import { spawn as spawnChild } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import {
  loadNative,
  type Native,
  type NativeEngine,
  type NativeEvent,
  type NativeFailure,
  type NativeSpawn,
  type NativeSpawned,
} from '../src/index.ts';

export const timeFactor = Number(process.env['HSU_TIME_FACTOR'] ?? 1);
export const isRoot = process.getuid?.() === 0;
/** Run by scripts/sanitize.mjs: memory is that of AddressSanitizer, which keeps more of it and has no heap of glibc. */
export const isSanitized = process.env['ASAN_OPTIONS'] !== undefined;

function load(): Native {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  return loaded.native;
}
export const native = load();

type EventOf<T extends NativeEvent['type']> = Extract<NativeEvent, { type: T }>;
type Exited = EventOf<'exited'>;

/** An engine whose events are kept and can be waited for. */
export interface Bench {
  readonly engine: NativeEngine;
  readonly events: NativeEvent[];
  /** Acknowledge output as it comes; on at first. */
  consuming: boolean;
  start(options: Partial<NativeSpawn> & { file: string }): NativeSpawned;
  run(options: Partial<NativeSpawn> & { file: string }): NativeSpawned;
  next<T extends NativeEvent>(matches: (event: NativeEvent) => event is T): Promise<T>;
  exit(handle: number): Promise<Exited>;
  failure(handle: number): Promise<NativeFailure>;
  execed(handle: number): Promise<EventOf<'execed'>>;
  ended(handle: number, stream?: 'stdout' | 'stderr'): Promise<unknown>;
  output(handle: number, stream?: 'stdout' | 'stderr'): string;
}

export function spawnOptions(options: Partial<NativeSpawn> & { file: string }): NativeSpawn {
  return {
    argv: [options.file],
    env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
    cwd: null,
    umask: null,
    uid: null,
    gid: null,
    groups: null,
    stdout: 'null',
    stderr: 'null',
    listens: [],
    shellFallback: false,
    nofile: null,
    dieWithMaster: false,
    limits: null,
    ...options,
  };
}

/** `sh -c script`, its output captured. */
export function shell(script: string, ...args: string[]): Partial<NativeSpawn> & { file: string } {
  return { file: '/bin/sh', argv: ['sh', '-c', script, 'sh', ...args], stdout: 'capture', stderr: 'capture' };
}

/** At the end of the test everything in it is killed. */
export function openBench(maxUnacknowledgedBytes = 1 << 20): Bench {
  const events: NativeEvent[] = [];
  const waiting = new Set<() => void>();
  const alive = new Set<number>();
  const engine = native.openEngine({
    subreaper: false,
    maxUnacknowledgedBytes,
    onEvents(batch) {
      for (const event of batch) {
        events.push(event);
        if (event.type === 'output' && bench.consuming) engine.acknowledge(event.data.length);
        if (event.type === 'exited' || event.type === 'exec-failed') alive.delete(event.handle);
      }
      for (const look of waiting) look();
    },
  });
  const bench: Bench = {
    engine,
    events,
    consuming: true,
    start(options) {
      const result = engine.spawn(spawnOptions(options));
      if (!result.ok) throw new Error(`spawn: ${JSON.stringify(result.failure)}`);
      alive.add(result.value.handle);
      return result.value;
    },
    run(options) {
      const spawned = bench.start(options);
      engine.release(spawned.handle, true);
      return spawned;
    },
    next(matches) {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = events.find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    exit: (handle) =>
      bench.next((event): event is Exited => event.type === 'exited' && event.handle === handle),
    failure: async (handle) =>
      (
        await bench.next(
          (event): event is EventOf<'exec-failed'> => event.type === 'exec-failed' && event.handle === handle,
        )
      ).failure,
    execed: (handle) =>
      bench.next((event): event is EventOf<'execed'> => event.type === 'execed' && event.handle === handle),
    ended: (handle, stream = 'stdout') =>
      bench.next(
        (event): event is EventOf<'output-end'> =>
          event.type === 'output-end' && event.handle === handle && event.stream === stream,
      ),
    output: (handle, stream = 'stdout') =>
      Buffer.concat(
        events.flatMap((event) =>
          event.type === 'output' && event.handle === handle && event.stream === stream ? [event.data] : [],
        ),
      ).toString(),
  };
  onTestFinished(async () => {
    for (const handle of alive) {
      try {
        engine.signalGroup(handle, 9);
      } catch {
        return;
      }
    }
    await Promise.all([...alive].map((handle) => Promise.race([bench.exit(handle), bench.failure(handle)])));
    engine.close();
  });
  return bench;
}

/** Runs a program to its end and returns what it wrote. */
export async function outputOf(
  bench: Bench,
  options: Partial<NativeSpawn> & { file: string },
): Promise<string> {
  const { handle } = bench.run({ stdout: 'capture', ...options });
  await bench.exit(handle);
  await bench.ended(handle);
  return bench.output(handle);
}

/** A folder of its own for one test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hsu-native-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export function fileWith(content: string | Uint8Array, mode: number, name = 'program'): string {
  const file = join(folder(), name);
  writeFileSync(file, content, { mode });
  return file;
}

export interface ScriptResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of ./programs in a Node of its own. */
export function runProgram(name: string, args: string[] = [], options: { uid?: number; gid?: number } = {}) {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const child = spawnChild(process.execPath, ['--expose-gc', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let stdout = '';
  let stderr = '';
  const looking = new Set<() => void>();
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    for (const look of looking) look();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const closed = new Promise<ScriptResult>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    child,
    closed,
    /** Resolves with the first match in what it wrote. */
    said: (pattern: RegExp) =>
      new Promise<RegExpExecArray>((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(stdout);
          if (!found) return;
          looking.delete(look);
          resolve(found);
        };
        looking.add(look);
        void closed.then((result) => reject(new Error(`ended early: ${JSON.stringify(result)}`)));
        look();
      }),
  };
}

export function isAlive(pid: number): boolean {
  const row = native.identify(pid);
  return row !== null && row.state !== 'Z' && row.state !== 'X';
}

/** Looks again until it holds: for what the system changes without telling anybody. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000 * timeFactor;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
