import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { runsOn } from './adoption.ts';
import { eventually, it, PATIENCE, ROOT, type Stage } from './drive.ts';

const kills = Number(process.env.HSU_KILLS ?? (process.env.HSU_LONG ? 300 : 4));
/** The second of two writers counts from here on. */
const OTHER = 1_000_000_000;
const LINE = /(?:^|[^\d])(\d{10}) [a-z]{88}(?:"|$)/;

/** A worker’s rotated files and the present one, oldest first. */
function filesOf(stage: Stage, stem: string): readonly string[] {
  const number = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  const folder = stage.path('logs', 'workers');
  const names = readdirSync(folder).filter((name) => name.startsWith(`${stem}.log`));
  return names.toSorted((a, b) => number(b) - number(a)).map((name) => join(folder, name));
}

/** NaN for a line that is not whole. What has no end is no line. */
function numbersOf(stage: Stage, stem: string): readonly number[] {
  return filesOf(stage, stem).flatMap((file) =>
    readFileSync(file, 'latin1')
      .split('\n')
      .slice(0, -1)
      .map((line) => Number(LINE.exec(line)?.[1] ?? Number.NaN)),
  );
}

function sizeOf(stage: Stage): number {
  const folder = stage.path('logs', 'workers');
  return readdirSync(folder)
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

describe('logs of workers that live on', () => {
  it(`hold every line once and in order after ${kills} kills of their master in mid-flood: plain, enhanced, JSON, two streams in one file`, {
    timeout: (kills + 5) * PATIENCE,
  }, async ({ stage }) => {
    const lines = stage.path('lines');
    execFileSync('cc', ['-O1', '-o', lines, join(ROOT, 'native', 'linux', 'test', 'lines.c')]);
    const write = (first: number, atOnce: number) => `${lines} write ${first} 1000000000 100 ${atOnce} 2000`;
    const log = { max_size: '1MB', max_files: 5000 };
    const workers = [
      { id: 'plain', command: write(0, 1000), log },
      { id: 'enhanced', command: write(0, 1000), log: { ...log, format: 'enhanced_plain' } },
      { id: 'json', command: write(0, 1000), log: { ...log, format: 'json' } },
      {
        id: 'joined',
        command: ['sh', '-c', `${write(0, 0)} & exec ${write(OTHER, 0)} >&2`],
        log: { ...log, stdout: 'joined.log', stderr: 'joined.log' },
      },
    ];
    const config = stage.config(workers);
    const flags = ['--log-dir', stage.path('logs'), '--state-dir', stage.path('state')];
    const begin = () => stage.hsu(['run', config, ...flags], { without: /^\w+ +\|/ });
    for (let kill = 0; kill < kills; kill += 1) {
      const master = begin();
      await master.line(/^logs are in/);
      await eventually(() => readdirSync(stage.path('logs', 'workers')).length >= workers.length);
      const before = sizeOf(stage);
      await eventually(() => sizeOf(stage) > before + 20_000);
      await setTimeout((kill * 7) % 40);
      await master.stop('SIGKILL');
    }
    const last = begin();
    for (const { id } of workers) await runsOn(last, id);
    expect((await last.stop()).code).toBe(0);
    for (const stem of ['plain-stdout', 'enhanced-stdout', 'json-stdout', 'joined']) {
      const found = numbersOf(stage, stem);
      // It was ended between two writes, which need not be a line end.
      expect(found.slice(0, -2).filter(Number.isNaN)).toEqual([]);
      const whole = found.filter((number) => !Number.isNaN(number));
      for (const first of stem === 'joined' ? [0, OTHER] : [0]) {
        const numbers = whole.filter((number) => number >= first && number < first + OTHER);
        const wrong = numbers.findIndex((number, at) => number !== first + at);
        expect({ stem, wrong: wrong < 0 ? [] : numbers.slice(Math.max(0, wrong - 2), wrong + 3) }).toEqual({
          stem,
          wrong: [],
        });
        expect(numbers.length).toBeGreaterThan(100);
      }
    }
  });
});
