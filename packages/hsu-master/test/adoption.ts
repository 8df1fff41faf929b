import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { instanceOf } from '../src/places.ts';
import { allGroups } from './cgroups.ts';
import type { Launched, Stage } from './drive.ts';
import { descriptorsOf } from './proc.ts';
import { onWindows } from './windows.ts';

/** Compiles `programs/counts.c`; gives the command of one that writes a line every so many milliseconds. */
export function counter(stage: Stage) {
  const programs = join(import.meta.dirname, 'programs');
  const file = stage.path('counts');
  if (!onWindows) execFileSync('cc', ['-O1', '-o', file, join(programs, 'counts.c')]);
  const program = onWindows ? [process.execPath, join(programs, 'counts.mjs')] : [file];
  return (id: string, every: number, ...end: readonly (number | string)[]): readonly string[] => [
    ...program,
    join(stage.home, `${id}.lock`),
    String(every),
    ...end.map(String),
  ];
}

/** One run as its log tells it. */
export interface Life {
  readonly run: number;
  /** Numbers of its lines. */
  readonly lines: readonly number[];
  /** It said so itself. */
  readonly end: number | null;
}

/** What a counter has written, over all its runs. Any other line is an error. */
export function livesIn(text: string): readonly Life[] {
  const lives: { run: number; lines: number[]; end: number | null }[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [, run] = /^life \S+\.(\d+)$/.exec(line) ?? [];
    const [, end] = /^end (\d+)$/.exec(line) ?? [];
    const life = lives.at(-1);
    if (run !== undefined) lives.push({ run: Number(run), lines: [], end: null });
    else if (life === undefined || life.end !== null) throw new Error(`after the end: ${line}`);
    else if (end !== undefined) life.end = Number(end);
    else if (/^\d+$/.test(line)) life.lines.push(Number(line));
    else throw new Error(`no line of a counter: ${JSON.stringify(line)}`);
  }
  return lives;
}

/**
 * No line is doubled or out of order, runs are counted upwards, and none is missing but `lost`: where pipes are not spliced, a killed
 * master takes with it what it has read and not written.
 */
export function expectWhole(lives: readonly Life[], lost = 0): void {
  let run = 0;
  let missing = 0;
  for (const life of lives) {
    expect(life.run).toBeGreaterThan(run);
    run = life.run;
    const broken = life.lines.findIndex((line, index) => line <= (life.lines[index - 1] ?? 0));
    expect(broken < 0 ? 'in order' : life.lines.slice(Math.max(0, broken - 2), broken + 3)).toBe('in order');
    missing += (life.end ?? life.lines.at(-1) ?? 0) - life.lines.length;
  }
  expect(missing).toBeGreaterThanOrEqual(0);
  expect(missing).toBeLessThanOrEqual(lost);
}

/** The files of masters on a stage that were given `flags`. */
export class Premises {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Where an ordinary user may write, too. */
  get state(): string {
    return join(this.#stage.home, 'state');
  }

  get flags(): readonly string[] {
    return ['--state-dir', this.state];
  }

  log(worker: string, stream = 'stdout'): string {
    const file = join(this.state, 'logs', 'workers', `${worker}-${stream}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** How many lines a worker has written that are in its file. */
  linesOf(worker: string): number {
    return this.log(worker).split('\n').length - 1;
  }

  /** FIFOs of living or left runs. */
  fifos(): readonly string[] {
    const folder = join(this.state, 'run', 'channels');
    return existsSync(folder)
      ? readdirSync(realpathSync(folder)).filter((name) => !name.startsWith('.'))
      : [];
  }

  /** Groups of these masters, in whatever hierarchy. */
  groups(): readonly string[] {
    const name = `hsu-master.${instanceOf(this.state)}`;
    return allGroups().filter((group) => group.includes(name));
  }

  /** How many of each there are: what grows from one master to the next is left behind. */
  inventory(master: Launched): {
    readonly fifos: number;
    readonly groups: number;
    readonly descriptors: number;
  } {
    return {
      fifos: this.fifos().length,
      groups: this.groups().length,
      descriptors: descriptorsOf(master.pid).size,
    };
  }

  /** Nothing is left of masters that ended in order, but logs and what they know. */
  expectClean(): void {
    expect(this.#stage.leftOvers()).toEqual([]);
    expect(this.groups()).toEqual([]);
    expect(existsSync(join(this.state, 'run', 'channels'))).toBe(false);
    const others = readdirSync(join(this.state, 'run')).filter(
      (name) => !/^(runs\.log|upgrade-.*|control\.sock)$/.test(name),
    );
    expect(others).toEqual([]);
  }
}

/** The pid of a worker that a master has started or taken charge of. */
export async function runs(master: Launched, worker: string): Promise<number> {
  const line = await master.line(new RegExp(`^${worker}: (started|runs on) \\(pid \\d+`));
  return Number(/pid (\d+)/.exec(line)?.[1]);
}

/** The pid of a worker whose run goes on under a new master. */
export async function runsOn(master: Launched, worker: string): Promise<number> {
  const line = await master.line(new RegExp(`^${worker}: runs on \\(pid \\d+`));
  return Number(/pid (\d+)/.exec(line)?.[1]);
}
