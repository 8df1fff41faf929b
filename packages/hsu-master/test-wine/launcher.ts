import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadNative } from '@hsu-master/native';
import { expect, onTestFinished } from 'vitest';

const require = createRequire(import.meta.url);
/** As it is packed: a start loads few files, which Wine is slow at. */
export const PROGRAM = join(dirname(require.resolve('hsu-master/package.json')), 'bundle', 'main.js');

const loaded = loadNative();
if (!loaded.ok || loaded.windows === null) throw new Error('no addon for Windows');
export const { native, windows } = loaded;

export interface Ended {
  readonly code: number | null;
  readonly out: string;
}

export interface Running {
  readonly child: ChildProcess;
  said(): string;
  /** Resolves once that was said. */
  says(text: string | RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** A folder with a home of its own, from which the launcher is run. */
export class Place {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'hsu-e2e-'));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 }));
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes a configuration; answers its path. */
  config(text: string): string {
    const file = this.path('config.yaml');
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  start(args: readonly string[]): Running {
    const env = { ...process.env, HSU_HOME: this.path('home') };
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.folder,
      env,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code) => resolve({ code, out: text }));
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return {
      child,
      said: () => text,
      async says(wanted) {
        await expect.poll(() => text).toMatch(wanted);
      },
      ended,
    };
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }
}

/** Living processes by what is in their command lines. */
export function living(mark: string): readonly number[] {
  return native
    .lookAtProcesses({ argv: true })
    .processes.filter(({ state }) => state !== 'Z' && state !== 'X')
    .filter(({ argv }) => argv?.some((word) => word.includes(mark)))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid);
}
