import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNative } from '@hsu-master/native';
import { onTestFinished } from 'vitest';
import type { Tools } from '../src/discovery/matcher.ts';
import { finderTools } from '../src/host/finder-tools.ts';

const PATIENCE = 10_000 * Number(process.env['HSU_TIME_FACTOR'] ?? 1);

/** A folder that goes with the test. */
export function temporary(): string {
  const made = mkdtempSync(join(realpathSync(tmpdir()), 'hsu-foreign-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export interface Foreign {
  readonly pid: number;
  kill(signal?: NodeJS.Signals): void;
}

export interface ForeignOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whose it is; only root may say. */
  readonly uid?: number;
}

/** Starts a shell’s line that is no child of ours: in a session of its own, its parent gone. It is killed when the test ends. */
export function startForeign(line: string, options: ForeignOptions = {}): Foreign {
  const folder = temporary();
  chmodSync(folder, 0o777);
  const file = join(folder, 'pid');
  const script = `setsid sh -c 'echo $$ > "$PID_FILE.new" && mv "$PID_FILE.new" "$PID_FILE" && exec "$@"' sh sh -c "$LINE" < /dev/null > /dev/null 2>&1 &`;
  const env = { PATH: process.env['PATH'], ...options.env, PID_FILE: file, LINE: line };
  spawnSync('sh', ['-c', script], {
    env,
    cwd: options.cwd ?? '/',
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  const until = Date.now() + PATIENCE;
  let pid = 0;
  while (pid === 0) {
    if (Date.now() > until) throw new Error(`it does not start: ${line}`);
    try {
      pid = Number(readFileSync(file, 'utf8'));
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): void => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  onTestFinished(() => kill());
  return { pid, kill };
}

/** Waits until it is so. */
export async function eventually(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = Date.now() + PATIENCE;
  while (!(await isSo())) {
    if (Date.now() > until) throw new Error(`not within ${PATIENCE} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function loadedNative() {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  return loaded.native;
}

/** Tools as they are, but for what programs print: `run` answers with it. */
export function tools(differs: Partial<Tools> = {}): Tools {
  const native = loadedNative();
  const exec = () => {
    throw new Error('nothing is run');
  };
  const userId = (name: string) => native.lookupUser(name)?.uid ?? null;
  return { ...finderTools({ host: { exec }, userId, mark: 'test' }), ...differs };
}

export function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
