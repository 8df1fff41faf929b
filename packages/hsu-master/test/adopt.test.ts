import { describe, expect } from 'vitest';
import { counter, expectWhole, livesIn, Premises, runsOn } from './adoption.ts';
import { eventually, it, type LaunchOptions, PATIENCE, type Stage } from './drive.ts';
import { ordinary } from './ordinary.ts';
import { isAlive, processesOf } from './proc.ts';

const NAMES = Array.from({ length: 10 }, (_, index) => `w${index}`);
const LOGGING = NAMES.slice(0, 5);

/** Ten workers, five of them with a hundred lines a second. */
async function goesOn(stage: Stage, options: LaunchOptions): Promise<void> {
  const counts = counter(stage);
  const premises = new Premises(stage);
  const config = stage.config(
    NAMES.map((id) => ({
      id,
      command: counts(id, LOGGING.includes(id) ? 10 : 0),
      restart: { delay: '10ms' },
    })),
  );
  const first = stage.hsu(['run', config, ...premises.flags], options);
  const pids = new Map<string, number>();
  for (const name of NAMES) pids.set(name, await first.started(name));
  await eventually(() => LOGGING.every((name) => premises.linesOf(name) > 50));
  await first.stop('SIGKILL');
  expect(NAMES.every((name) => isAlive(pids.get(name) ?? 0))).toBe(true);

  const second = stage.hsu(['run', config, ...premises.flags], options);
  for (const name of NAMES) expect(await runsOn(second, name)).toBe(pids.get(name));
  const before = new Map(LOGGING.map((name) => [name, premises.linesOf(name)]));
  await eventually(() => LOGGING.every((name) => premises.linesOf(name) > (before.get(name) ?? 0) + 100));
  expect(second.matching(/: started|restart|next try|TWIN/)).toEqual([]);
  expect(processesOf(stage.path('counts')).filter(({ command }) => command.includes('.lock'))).toHaveLength(
    10,
  );

  process.kill(pids.get('w8') ?? 0, 'SIGUSR1');
  await second.line(/^w8: exit 7 /);
  process.kill(pids.get('w9') ?? 0, 'SIGKILL');
  await second.line(/^w9: .*SIGKILL/);
  expect(await second.started('w8')).not.toBe(pids.get('w8'));
  await second.started('w9');
  await eventually(() => ['w8', 'w9'].every((name) => livesIn(premises.log(name)).length === 2));
  expect((await second.stop()).code).toBe(0);
  premises.expectClean();
  for (const name of NAMES) {
    const lives = livesIn(premises.log(name));
    expectWhole(lives);
    expect(lives.map(({ run }) => run)).toEqual(name === 'w8' || name === 'w9' ? [1, 2] : [1]);
    expect(lives.at(-1)?.end).toEqual(expect.any(Number));
    expect(premises.log(name, 'stderr')).toBe('');
  }
}

describe('H1: ten workers whose master is killed', () => {
  it(
    'go on under the next one: same pids, no restart, no line missing or double',
    async ({ stage }) => {
      await goesOn(stage, {});
    },
    PATIENCE * 2,
  );

  it(
    'go on so as an ordinary user, too',
    async ({ stage, skip }) => {
      await goesOn(stage, ordinary(stage, skip));
    },
    PATIENCE * 2,
  );
});
