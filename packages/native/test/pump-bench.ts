import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { NativeChannel, NativeChannelOptions, NativePump, NativePumpEvent } from '../src/index.ts';
import { native } from './harness.ts';

const source = fileURLToPath(new URL('../../../native/linux/test/lines.c', import.meta.url));
let program: string | null = null;

/** The writer and checker of numbered lines. */
export function lines(): string {
  program ??= join(tmpdir(), `hsu-lines-${process.pid}`);
  if (!existsSync(program)) execFileSync('cc', ['-O2', '-o', program, source]);
  return program;
}

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hsu-pump-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export type EventOf<T extends NativePumpEvent['type']> = Extract<NativePumpEvent, { type: T }>;

/** A pump in a folder of its own, whose events are kept and can be waited for. */
export interface PumpBench {
  readonly pump: NativePump;
  readonly events: NativePumpEvent[];
  readonly place: string;
  /** Acknowledge what is tapped as it comes; on at first. */
  consuming: boolean;
  open(options?: Partial<NativeChannelOptions>): NativeChannel;
  /** A shell command whose stdout is the channel of that FIFO, held as a worker holds it. Resolves with its exit code. */
  run(command: string, fifo?: string): Promise<number>;
  next<T extends NativePumpEvent['type']>(
    type: T,
    matches?: (event: EventOf<T>) => boolean,
  ): Promise<EventOf<T>>;
  ended(channel: NativeChannel): Promise<EventOf<'channel-end'>>;
  /** The current file after all rotated ones, oldest first. */
  files(name?: string): string[];
  text(name?: string): string;
}

export function openPumpBench(place = folder(), maxTappedBytes = 1 << 20): PumpBench {
  const events: NativePumpEvent[] = [];
  const waiting = new Set<() => void>();
  const pump = native.openPump({
    maxTappedBytes,
    onEvents(batch) {
      for (const event of batch) {
        events.push(event);
        if (event.type === 'tapped' && bench.consuming) pump.acknowledge(event.data.length);
      }
      for (const look of waiting) look();
    },
  });
  onTestFinished(() => pump.close());
  const fifo = join(place, 'fifo');
  const bench: PumpBench = {
    pump,
    events,
    place,
    consuming: true,
    open: (options = {}) =>
      pump.open({
        fifo,
        file: join(place, 'log'),
        maxSize: 0,
        maxFiles: 0,
        rotateEvery: 0,
        overflow: 'block',
        format: 'plain',
        labels: { worker: 'api', run: 1, stream: 'stdout', prefix: '' },
        ...options,
      }),
    run(command, at = fifo) {
      // Open for both, as a worker has it: without a reader the shell would wait.
      const fd = openSync(at, 'r+');
      const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', fd, 'inherit'] });
      closeSync(fd);
      onTestFinished(() => void child.kill('SIGKILL'));
      return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? -1)));
    },
    next<T extends NativePumpEvent['type']>(
      type: T,
      matches: (event: EventOf<T>) => boolean = () => true,
    ): Promise<EventOf<T>> {
      return new Promise((resolve) => {
        const look = (): void => {
          const found = events.find((event) => event.type === type && matches(event as EventOf<T>));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found as EventOf<T>);
        };
        waiting.add(look);
        look();
      });
    },
    ended: (channel) => bench.next('channel-end', (event) => event.channel === channel),
    files(name = 'log') {
      const number = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
      return readdirSync(place)
        .filter((file) => file === name || file.startsWith(`${name}.`))
        .sort((a, b) => number(b) - number(a))
        .map((file) => join(place, file));
    },
    text: (name) =>
      bench
        .files(name)
        .map((file) => readFileSync(file, 'utf8'))
        .join(''),
  };
  return bench;
}

/** `OK` and the number that would be next, or what is broken. */
export function checkLines(files: readonly string[], first = 0, through = 'cat'): string {
  return execFileSync(
    '/bin/sh',
    ['-c', `cat "$@" | ${through} | ${lines()} check ${first}; true`, 'sh', ...files],
    { encoding: 'utf8' },
  ).trim();
}

/** The numbers of the lines in a file of that format; NaN for a line that is not whole. */
export function numbersIn(file: string, format: 'plain' | 'json'): number[] {
  const found = readFileSync(file, 'latin1').split('\n').slice(0, -1);
  return found.map((line) => {
    const message = format === 'plain' ? line : (JSON.parse(line) as { message: string }).message;
    return /^\d{10} [a-z]+$/.test(message) ? Number(message.slice(0, 10)) : Number.NaN;
  });
}
