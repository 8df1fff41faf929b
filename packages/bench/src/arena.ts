import { type ChildProcess, spawn } from 'node:child_process';
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
  /** The arena has ended and all that it printed was read. */
  readonly #closed: Promise<unknown>;
  readonly #launched: Promise<{ pid: number; at: bigint }>;
  /** The supervisor's first process has ended; `status` as of waitpid. Never settles if the arena was killed. */
  readonly exited: Promise<{ status: number; at: bigint }>;
  /** No process is left; `cpu` is the time in ns that all of them used. */
  readonly empty: Promise<{ at: bigint; cpu: bigint }>;

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
    const empty = Promise.withResolvers<{ at: bigint; cpu: bigint }>();
    this.#child.on('error', launched.reject);
    this.#closed = new Promise((resolve) => {
      this.#child.on('close', resolve);
    });
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => {
        const [word, ...values] = line.split(' ');
        const [first = 0n, second = 0n, third = 0n] = values.map(BigInt);
        if (word === 'launched') launched.resolve({ pid: Number(first), at: second });
        else if (word === 'exited') exited.resolve({ status: Number(second), at: third });
        else if (word === 'empty') empty.resolve({ at: first, cpu: second });
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

  /** Kills what is left and waits until it is gone; the CPU time in ns that everything in here used. */
  async end(): Promise<bigint> {
    if (this.#child.pid === undefined) return 0n;
    this.#child.stdin?.end();
    await this.#closed;
    return (await Promise.race([this.empty, Promise.resolve({ cpu: 0n })])).cpu;
  }
}
