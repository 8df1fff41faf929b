import { join } from 'node:path';
import { ApiError, Client } from '@hsu-master/api/client';
import { describe, expect } from 'vitest';
import { readAnswer, writeRequest } from '../src/upgrade-files.ts';
import { counter, expectWhole, livesIn, Premises } from './adoption.ts';
import { eventually, factor, it, type LaunchOptions, PATIENCE, type Stage, TIMED } from './drive.ts';
import { childrenOf, defunctChildrenOf, descriptorsOf, isAlive } from './proc.ts';

const NAMES = ['logging', 'quiet', 'early', 'late'];

async function upgradable(stage: Stage, options: LaunchOptions = {}) {
  const counts = counter(stage);
  const premises = new Premises(stage);
  const once = { policy: 'never' };
  const config = stage.config([
    { id: 'logging', command: counts('logging', 5) },
    { id: 'quiet', command: counts('quiet', 0) },
    { id: 'early', command: counts('early', 0), restart: once },
    { id: 'late', command: counts('late', 0), restart: once },
  ]);
  const master = stage.hsu(['run', config, ...premises.flags], options);
  const pids = new Map<string, number>();
  for (const name of NAMES) pids.set(name, await master.started(name));
  await eventually(() => NAMES.every((name) => premises.linesOf(name) > 0));
  return { premises, config, master, pids };
}

/** A client that asks again at once, whether it was answered or there was nobody. */
function askOnAndOn(socket: string) {
  const client = new Client({ socket });
  let workers: Awaited<ReturnType<Client['workers']>>['workers'] = [];
  let answers = 0;
  const over = new AbortController();
  let latest = performance.now();
  let gap = 0;
  const asking = (async () => {
    while (!over.signal.aborted) {
      try {
        workers = (await client.workers()).workers;
        answers += 1;
        gap = Math.max(gap, performance.now() - latest);
        latest = performance.now();
      } catch (error) {
        if (!(error instanceof ApiError && error.code === 'E_NO_MASTER')) throw error;
      }
      await new Promise<void>((resolve) => void setTimeout(resolve, 10));
    }
  })();
  return {
    /** Resolves with the next answer. */
    async answered(): Promise<void> {
      const before = answers;
      await eventually(() => answers > before);
    },
    /** The longest time between two answers, in milliseconds, and the last answer. */
    async end() {
      over.abort();
      await asking;
      client.close();
      return { gap, workers };
    },
  };
}

/** A launcher of another version, or a bad one. */
function other(stage: Stage, script: string): string {
  return stage.write('other.mjs', script);
}

describe.concurrent('hsu-master upgrade', () => {
  it(
    'the new version goes on in the same process: pids, lines, exit codes; nothing grows',
    async ({ stage }) => {
      const { premises, config, master, pids } = await upgradable(stage);
      let descriptors = 0;
      for (const round of [1, 2, 3]) {
        const asked = stage.hsu(['upgrade', config, ...premises.flags]);
        expect((await asked.end()).code).toBe(0);
        expect(asked.stdout).toMatch(/^version \S+ is the master now \(pid \d+\); 4 workers run$/m);
        expect(asked.stdout).toContain(`(pid ${master.pid})`);
        expect(new Set(childrenOf(master.pid))).toEqual(new Set(pids.values()));
        if (round > 1) expect(descriptorsOf(master.pid).size).toBeLessThanOrEqual(descriptors + 2);
        descriptors = descriptorsOf(master.pid).size;
      }
      await expect(stage.hsu(['run', config, ...premises.flags]).end()).resolves.toMatchObject({ code: 7 });
      process.kill(pids.get('late') ?? 0, 'SIGUSR1');
      await master.line(/^late: exit 7 /);
      process.kill(pids.get('early') ?? 0, 'SIGTERM');
      await master.line(/^early: completed/);
      process.kill(pids.get('quiet') ?? 0, 'SIGKILL');
      await master.until('quiet again', () => master.matching(/^quiet: started/).length === 2);
      expect(defunctChildrenOf(master.pid)).toEqual([]);
      expect(master.matching(/^(logging|early|late): started/)).toHaveLength(3);
      await eventually(() => livesIn(premises.log('quiet')).length === 2);
      // One has failed for good.
      await master.stop();
      premises.expectClean();
      for (const name of NAMES) expectWhole(livesIn(premises.log(name)));
      expect(livesIn(premises.log('logging'))).toMatchObject([{ end: expect.any(Number) }]);
    },
    PATIENCE * 3,
  );

  it('H7: while one program follows the other the API is away for less than a second, and nobody else notices', {
    ...TIMED,
    timeout: PATIENCE * 3,
  }, async ({ stage }) => {
    // Before all others of a machine that does much else.
    const { premises, config, master, pids } = await upgradable(stage, { through: ['nice', '-n', '-20'] });
    const asking = askOnAndOn(join(premises.state, 'run', 'control.sock'));
    await asking.answered();
    const before = premises.linesOf('logging');
    const asked = stage.hsu(['upgrade', config, ...premises.flags]);
    expect((await asked.end()).code).toBe(0);
    await asking.answered();
    const { gap, workers } = await asking.end();
    expect(gap).toBeLessThan(1000 * factor);
    expect(new Map(workers.map(({ id, process }) => [id, process?.pid]))).toEqual(pids);
    expect(workers.map(({ run, restarts }) => [run, restarts])).toEqual(NAMES.map(() => [1, 0]));
    await eventually(() => premises.linesOf('logging') > before + 20);
    await master.stop();
    premises.expectClean();
    for (const name of NAMES) expectWhole(livesIn(premises.log(name)));
  });

  it('who ends while one program follows the other is known with its exit code', async ({ stage }) => {
    const { premises, master, pids } = await upgradable(stage);
    const early = pids.get('early') ?? 0;
    const script = other(
      stage,
      `import { readFileSync } from 'node:fs';
       if (process.argv[2] === 'run') {
         process.kill(${early}, 'SIGUSR1');
         while (!readFileSync('/proc/${early}/stat', 'utf8').includes(') Z ')) continue;
       }
       await import(${JSON.stringify(stage.bin)});`,
    );
    writeRequest(join(premises.state, 'run'), { id: 'test', node: process.execPath, script });
    master.signal('SIGUSR2');
    await master.line(/goes on with what version/);
    await master.line(/^early: exit 7 /);
    process.kill(pids.get('late') ?? 0, 'SIGUSR1');
    await master.line(/^late: exit 7 /);
    expect(defunctChildrenOf(master.pid)).toEqual([]);
    await master.stop();
    premises.expectClean();
  });

  const unfit: readonly (readonly [what: string, make: (stage: Stage) => string, why: RegExp])[] = [
    ['is not there', () => '/no/such/hsu-master.js', /does not start/],
    [
      'does not start',
      (stage: Stage) => other(stage, 'throw new Error("no luck")'),
      /does not start: .*no luck/s,
    ],
    [
      'says no version',
      (stage: Stage) => other(stage, 'console.log("hello")'),
      /does not say its version but "hello"/,
    ],
    [
      'refuses the configuration',
      (stage: Stage) =>
        other(
          stage,
          `if (process.argv.includes('--version')) console.log('{"version":"9.9.9"}');
           else { console.error('workers: there are none in this version'); process.exitCode = 2; }`,
        ),
      /version 9\.9\.9 does not accept .*: workers: there are none in this version/,
    ],
  ];

  for (const [what, make, why] of unfit) {
    it(
      `a program that ${what} is not run: the old one goes on and says why`,
      async ({ stage }) => {
        const { premises, master, pids } = await upgradable(stage);
        const script = make(stage);
        writeRequest(join(premises.state, 'run'), { id: 'test', node: process.execPath, script });
        master.signal('SIGUSR2');
        await master.line(/upgrade refused, version \S+ goes on/);
        await eventually(() => readAnswer(join(premises.state, 'run'), 'test') !== null);
        const answer = readAnswer(join(premises.state, 'run'), 'test');
        expect(answer).toMatchObject({ ok: false, reason: expect.stringMatching(why) });
        expect([...pids.values()].every(isAlive)).toBe(true);
        const before = premises.linesOf('logging');
        await eventually(() => premises.linesOf('logging') > before + 20);
        process.kill(pids.get('late') ?? 0, 'SIGUSR1');
        await master.line(/^late: exit 7 /);
        await master.stop();
        premises.expectClean();
      },
      PATIENCE * 2,
    );
  }

  it('without a master it says so', async ({ stage }) => {
    const config = stage.config([{ id: 'a', command: 'true' }]);
    const asked = stage.hsu(['upgrade', config, ...new Premises(stage).flags]);
    expect((await asked.end()).code).toBe(3);
    expect(asked.stderr).toMatch(/^hsu-master: no master runs with the state directory /);
  });
});
