import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floor } from '../src/peers/floor.ts';
import { compilePrograms } from '../src/programs.ts';
import { type Setting, sleepers, type Trial, withTrial } from '../src/trial.ts';
import { until, within } from '../src/wait.ts';

const LIMIT_MS = 20_000 * Number(process.env['HSU_TIME_FACTOR'] ?? 1);

let setting: Setting;

beforeAll(async () => {
  setting = {
    programs: await compilePrograms(),
    dir: await mkdtemp(join(tmpdir(), 'hsu-bench-test-')),
    loggers: false,
    containment: 'off',
    used: () => {},
    signal: AbortSignal.timeout(LIMIT_MS * 3),
  };
}, LIMIT_MS);

afterAll(async () => rm(setting.dir, { recursive: true, force: true }));

const alive = (trial: Trial, name: string) =>
  trial.arena.processes().filter(({ program }) => program === name).length;

describe('the floor in its arena', () => {
  it(
    'starts every worker once, restarts a killed one, and leaves nothing after SIGTERM',
    async () => {
      await withTrial(floor, sleepers(3, 'static'), setting, async (trial) => {
        const first = await trial.started();
        expect(first.map(({ worker }) => worker).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
        expect(first.every(({ at }) => at > trial.launchedAt)).toBe(true);
        const victim = first[1];
        if (!victim) throw new Error('no second worker');
        process.kill(victim.pid, 'SIGKILL');
        await until('a successor', LIMIT_MS, 5, setting.signal, () =>
          trial.stamps.all().find(({ worker, pid }) => worker === victim.worker && pid !== victim.pid),
        );
        expect(trial.supervisors().map(({ program }) => program)).toEqual(['floor']);
        const { at, returned } = trial.requestStop();
        await returned;
        const empty = await within(LIMIT_MS, setting.signal, trial.arena.empty);
        expect(empty?.at).toBeGreaterThan(at);
        expect(empty?.cpu).toBeGreaterThan(0n);
      });
    },
    LIMIT_MS,
  );

  it(
    'ends workers that ignore SIGTERM, change session or daemonize',
    async () => {
      await withTrial(
        floor,
        { program: 'awkward', count: 2, grace: 1000, sampled: false },
        setting,
        async (trial) => {
          await until('eight processes', LIMIT_MS, 5, setting.signal, () =>
            alive(trial, 'awkward') === 8 ? true : undefined,
          );
          await trial.requestStop().returned;
          expect(alive(trial, 'awkward')).toBe(0);
        },
      );
    },
    LIMIT_MS,
  );

  it(
    'leaves no process when a trial fails',
    async () => {
      let trialOf: Trial | undefined;
      const failing = withTrial(
        floor,
        { program: 'awkward', count: 2, grace: 1000, sampled: false },
        setting,
        async (trial) => {
          trialOf = trial;
          await until('eight processes', LIMIT_MS, 5, setting.signal, () =>
            alive(trial, 'awkward') === 8 ? true : undefined,
          );
          throw new Error('as planned');
        },
      );
      await expect(failing).rejects.toThrow('as planned');
      expect((await trialOf?.arena.empty)?.at).toBeGreaterThan(0n);
    },
    LIMIT_MS,
  );
});
