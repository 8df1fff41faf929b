import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventDraft, LogSpec, OutputStream, RunOutput, WorkerSpec } from '@hsu-master/core';
import { FakeClock, workerSpec } from '@hsu-master/testkit';
import { onTestFinished } from 'vitest';
import { type Disk, type FileCollector, fileCollector } from '../../src/index.ts';

/** A folder of its own that is removed after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hsu-log-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A collector that writes into a folder of its own, on a clock that the test moves. */
export class Place {
  readonly clock = new FakeClock();
  readonly events: EventDraft[] = [];
  readonly folder: string;
  readonly file: string;
  readonly collector: FileCollector;
  /** How often `done` was called. */
  done = 0;
  #written = 0;
  readonly #pending = new Set<Promise<void>>();

  constructor(options: { disk?: Disk; folder?: string } = {}) {
    this.folder = options.folder ?? folder();
    this.file = join(this.folder, 'web.log');
    this.collector = fileCollector({
      clock: this.clock,
      publish: (event) => void this.events.push(event),
      ...(options.disk === undefined ? {} : { disk: options.disk }),
    });
  }

  spec(log: Partial<LogSpec> = {}, id = 'web'): WorkerSpec {
    const base = workerSpec(id);
    const files = { stdoutFile: this.file, stderrFile: this.file };
    return { ...base, log: { ...base.log, ...files, ...log } };
  }

  open(log: Partial<LogSpec> = {}, run = 1): RunOutput {
    return this.collector.open(this.spec(log), run);
  }

  /** Resolves when the bytes are written or given up. */
  write(output: RunOutput, data: string | Uint8Array, stream: OutputStream = 'stdout'): Promise<void> {
    this.#written += 1;
    const settled = new Promise<void>((resolve) => {
      output.write(stream, typeof data === 'string' ? Buffer.from(data) : data, () => {
        this.done += 1;
        resolve();
      });
    });
    this.#pending.add(settled);
    void settled.then(() => this.#pending.delete(settled));
    return settled;
  }

  /** Resolves when everything is written or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Lets the file see that nothing more waits. */
  async quiet(): Promise<void> {
    await this.settled();
    await new Promise((resolve) => setImmediate(resolve));
  }

  get written(): number {
    return this.#written;
  }

  text(name = 'web.log'): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** The files of the folder, the current one first and then by number. */
  names(): readonly string[] {
    const number = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
    return readdirSync(this.folder).sort((a, b) => number(a) - number(b));
  }

  /** Descriptors of this process that are open in the folder. */
  descriptors(): number {
    return readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(this.folder);
      } catch {
        return false;
      }
    }).length;
  }
}
