import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Process } from './processes.ts';
import { descendants } from './processes.ts';

/** How a supervisor is started. */
export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/**
 * One supervisor and all that it starts, under floor/arena.c. Times are ns of CLOCK_MONOTONIC.
 * Whoever opens an arena ends it: `await arena.end()`.
 */
export class Arena {
  readonly #child: ChildProcess;
  readonly #launched: Promise<{ pid: number; at: bigint }>;
  /** The supervisor's first process has ended; `status` as of waitpid. Never settles if the arena was killed. */
  readonly exited: Promise<{ status: number; at: bigint }>;
  /** No process is left. */
  readonly empty: Promise<bigint>;

  constructor(program: string, log: string, launch: Launch) {
    // Detached: Ctrl-C at the terminal reaches the bench, which then ends its arenas.
    this.#child = spawn(program, [log, ...launch.argv], {
      cwd: launch.cwd,
      env: { ...launch.env },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    const launched = Promise.withResolvers<{ pid: number; at: bigint }>();
    const exited = Promise.withResolvers<{ status: number; at: bigint }>();
    const empty = Promise.withResolvers<bigint>();
    this.#child.on('error', launched.reject);
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => {
        const [word, ...values] = line.split(' ');
        const at = BigInt(values.at(-1) ?? '0');
        if (word === 'launched') launched.resolve({ pid: Number(values[0]), at });
        else if (word === 'exited') exited.resolve({ status: Number(values[1]), at });
        else if (word === 'empty') empty.resolve(at);
      });
    }
    this.#launched = launched.promise;
    this.exited = exited.promise;
    this.empty = empty.promise;
  }

  /** The supervisor's first process. Rejects if the arena itself could not be started. */
  launched(): Promise<{ pid: number; at: bigint }> {
    return this.#launched;
  }

  /** Every living process that was started in here. */
  processes(): readonly Process[] {
    return this.#child.pid === undefined ? [] : descendants(this.#child.pid);
  }

  /** Kills what is left and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await gone;
  }
}
