import { existsSync, readFileSync } from 'node:fs';
import { ASKING_COMMANDS } from '@hsu-master/cli';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { clientOf, command, socketOf } from './background.ts';
import { eventually, it, type Stage } from './drive.ts';

const FLEET = [
  { id: 'db', command: 'sleep 1000', namespace: 'shop' },
  { id: 'api', command: 'sleep 1000', namespace: 'shop', depends_on: ['db'] },
  { id: 'report', command: 'sleep 1000', namespace: 'office', enabled: false },
];
const CRASHER = {
  id: 'mailer',
  shell: true,
  command: 'echo refused >&2; exit 3',
  // Who asks finds it down, however late.
  restart: { delay: '10ms', max_retries: 2, cool_down: '1h' },
};

async function upWith(stage: Stage, workers: readonly object[]): Promise<void> {
  const up = await command(stage, ['up', '-f', stage.config(workers)]);
  expect(up.code, up.stderr).toBe(0);
}

describe('up and down', () => {
  it('up returns when the workers are ready, down when nothing is left', async ({ stage }) => {
    const up = await command(stage, ['up', '-f', stage.config(FLEET)]);
    expect(up.stdout).toMatch(/^master \d+ is up: 2 workers are ready\n$/);
    expect(up.code).toBe(0);
    const ls = await command(stage, ['ls', '-o', 'json']);
    const { workers } = JSON.parse(ls.stdout) as { workers: { id: string; phase: string }[] };
    expect(workers.map(({ id, phase }) => [id, phase])).toEqual([
      ['db', 'running'],
      ['api', 'running'],
      ['report', 'stopped'],
    ]);
    const down = await command(stage, ['down']);
    expect(down.code).toBe(0);
    expect(down.stderr).toMatch(/^stopping db, api and the master\n/);
    expect(down.stdout).toMatch(/^master \d+ is down\n$/);
    expect(stage.processes()).toEqual([]);
  });

  it('up says why not, and leaves the master to be asked', async ({ stage }) => {
    const up = await command(stage, ['up', '-f', stage.config([...FLEET, CRASHER]), '--wait=30s']);
    expect(up.code).toBe(1);
    expect(up.stderr).toMatch(
      /is up, but not all workers are ready:\n {2}mailer: .*exit 3.*; hsu-master why mailer\n$/,
    );
    const why = await command(stage, ['why', 'mailer']);
    expect(why.stdout).toMatch(/^mailer is not running/);
    // Nobody can read a time of a dozen decimals.
    const exits = (await command(stage, ['events', '--type', 'worker.exited', '-o', 'json'])).stdout;
    expect(exits).toMatch(/"uptime": \d+,?\n/);
    expect(exits).not.toMatch(/"uptime": \d+\./);
    expect((await command(stage, ['down', '--yes'])).code).toBe(0);
  });

  it('up with a wrong configuration says where, exit 2; a second up exits 7', async ({ stage }) => {
    const wrong = await command(stage, ['up', '-f', stage.config('workers:\n  - {id: a}\n')]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/config\.yaml:2:\d+: error/);
    await upWith(stage, FLEET);
    const second = await command(stage, ['up', '-f', stage.path('config.yaml')]);
    expect(second.code).toBe(7);
    expect(second.stderr).toMatch(/another master \(pid \d+\).*\n.*hsu-master reload\. .*hsu-master down\n$/);
    await command(stage, ['down']);
  });

  it('H9: SIGHUP leaves a master in the background alone', async ({ stage }) => {
    await upWith(stage, FLEET);
    const client = clientOf(stage);
    const { pid } = await client.version();
    process.kill(pid, 'SIGHUP');
    await client.order('api', 'restart', '20s');
    expect(await client.health()).toMatchObject({ status: 'ok', workers: { ready: 2 } });
    client.close();
    await command(stage, ['down']);
  });
});

describe('commands that ask', () => {
  it('M4: without a master they exit 3 and say how to start one', async ({ stage }) => {
    for (const args of [['ls'], ['logs', '-f'], ['stop', 'web'], ['down']]) {
      const { code, stdout, stderr } = await command(stage, args);
      expect({ args, code, stdout }).toEqual({ args, code: 3, stdout: '' });
      expect(stderr).toBe('hsu-master: no master runs here\nStart one: hsu-master up -f config.yaml\n');
    }
  });

  it('give the same facts as REST, in every form', async ({ stage }) => {
    await upWith(stage, FLEET);
    const client = clientOf(stage);
    const rest = await client.workers();
    const bare = ({ workers }: typeof rest): unknown => workers.map((worker) => ({ ...worker, usage: null }));
    const read = async (...args: readonly string[]): Promise<string> => (await command(stage, args)).stdout;
    expect(bare(JSON.parse(await read('ls', '-o', 'json')) as typeof rest)).toEqual(bare(rest));
    expect(bare(parse(await read('ls', '-o', 'yaml')) as typeof rest)).toEqual(bare(rest));
    const lines = (await read('ls', '-o', 'jsonl')).trim().split('\n');
    expect(
      bare({ ...rest, workers: lines.map((line) => JSON.parse(line) as (typeof rest.workers)[0]) }),
    ).toEqual(bare(rest));
    const without = (worker: object): object => ({ ...worker, usage: null });
    expect(without(JSON.parse(await read('describe', 'api', '-o', 'json')) as object)).toEqual(
      without(await client.worker('api')),
    );
    const { headline, ...why } = await client.why('report');
    expect(JSON.parse(await read('why', 'report', '-o', 'json'))).toEqual({ headline, ...why });
    const told = await client.events();
    const page = JSON.parse(await read('events', '-o', 'json')) as typeof told;
    expect(page.events.slice(0, told.events.length)).toEqual(told.events);
    expect(JSON.parse(await read('version', '-o', 'json'))).toMatchObject({ master: await client.version() });
    client.close();
    await command(stage, ['down']);
  });

  it('choose by globs and namespaces, and name what may have been meant', async ({ stage }) => {
    await upWith(stage, FLEET);
    const names = async (...args: readonly string[]): Promise<string> =>
      (await command(stage, ['ls', '-q', ...args])).stdout;
    expect(await names('*p*')).toBe('api\nreport\n');
    expect(await names('shop/*')).toBe('db\napi\n');
    expect(await names('-n', 'off*')).toBe('report\n');
    const unknown = await command(stage, ['why', 'reprot']);
    expect(unknown).toMatchObject({ code: 4, stdout: '' });
    expect(unknown.stderr).toContain('there is no worker "reprot"; did you mean "report"?');
    await command(stage, ['down']);
  });

  it('give orders and say what became of them, with an exit code for each end', async ({ stage }) => {
    await upWith(stage, [...FLEET, { ...CRASHER, enabled: false }]);
    const say = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await command(stage, args);
      return { code, said: stdout + stderr };
    };
    expect(await say('stop', 'api')).toEqual({ code: 0, said: 'api: stopped\n' });
    expect(await say('stop', 'api')).toEqual({ code: 0, said: 'api: already stopped\n' });
    expect(await say('start', 'api', '--wait')).toEqual({ code: 0, said: 'api: started, ready\n' });
    expect(await say('start', 'api')).toEqual({ code: 0, said: 'api: already running\n' });
    expect(await say('restart', '-n', 'shop')).toEqual({ code: 0, said: 'db: restarted\napi: restarted\n' });
    expect(await say('signal', 'cont', 'db')).toEqual({ code: 0, said: 'db: SIGCONT sent\n' });
    expect(await say('kill', 'db')).toEqual({ code: 0, said: 'db: killed\n' });
    expect(await say('stop')).toMatchObject({
      code: 2,
      said: expect.stringContaining("hsu-master stop 'api-*'"),
    });
    expect(await say('wait', 'report', '--timeout', '5s')).toMatchObject({
      code: 1,
      said: expect.stringContaining('report: not ready'),
    });
    expect(await say('ls', '--bogus')).toMatchObject({ code: 2 });
    expect(await say('events', '--type', 'nothing')).toMatchObject({
      code: 2,
      said: expect.stringMatching(/^hsu-master: --type: .*\nSee hsu-master events --help\.\n$/),
    });
    expect(await say('ls', '-o', 'xml')).toMatchObject({ code: 2 });
    await command(stage, ['down']);
  });

  it('B11: start --wait exits 5 when it does not become ready in time, and the worker goes on', async ({
    stage,
  }) => {
    const slow = {
      id: 'slow',
      command: 'sleep 1000',
      enabled: false,
      probes: { readiness: 'tcp://127.0.0.1:1' },
    };
    await upWith(stage, [{ id: 'keeper', command: 'sleep 1000' }, slow]);
    const { code, stderr } = await command(stage, ['start', 'slow', '--wait=1s']);
    expect({ code, stderr }).toEqual({ code: 5, stderr: 'slow: not ready in time; hsu-master why slow\n' });
    await command(stage, ['down']);
  });

  it('M3: Ctrl-C ends only the viewer', async ({ stage }) => {
    await upWith(stage, [{ id: 'talker', shell: true, command: 'while :; do echo line; sleep 0.1; done' }]);
    const viewer = stage.hsu(['logs', '-f', 'talker']);
    await viewer.line(/talker \| line/);
    expect(await viewer.stop('SIGINT')).toEqual({ code: 0, signal: null });
    const events = stage.hsu(['events', '-f', '--since', '0']);
    await events.line(/worker\.started/);
    expect(await events.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect((await command(stage, ['ls', '-q'])).stdout).toBe('talker\n');
    await command(stage, ['down']);
  });

  it('M1: a reader that goes away leaves no trace of a stack', async ({ stage }) => {
    await upWith(stage, [{ id: 'talker', shell: true, command: 'while :; do echo line; sleep 0.05; done' }]);
    const viewer = stage.hsu(['logs', '-f', 'talker']);
    await viewer.line(/line/);
    viewer.stopReading();
    expect(await viewer.end()).toEqual({ code: 0, signal: null });
    expect(viewer.stderr).toBe('');
    await command(stage, ['down']);
  });

  it.runIf(existsSync('/dev/full'))('what cannot be written is no success', async ({ stage }) => {
    await upWith(stage, [{ id: 'keeper', command: 'sleep 1000' }]);
    const short = [
      'run',
      stage.config([{ id: 'short', command: 'sleep 0.2', restart: 'never' }], 'short.yaml'),
    ];
    for (const args of [['ls', '-o', 'json'], ['--help'], short]) {
      const words = ['sh', '-c', 'exec "$@" >/dev/full', 'sh', process.execPath, stage.bin, ...args];
      const asked = stage.launch(words);
      expect((await asked.end()).code).toBe(1);
      expect(asked.stderr).toMatch(/^hsu-master: the output could not be written: ENOSPC.*\n$/m);
    }
    await command(stage, ['down']);
  });

  it('up says so where the master ends without a word', async ({ stage }) => {
    const config = stage.config([{ id: 'keeper', command: 'sleep 1000' }]);
    const words = [
      'sh',
      '-c',
      'ulimit -f 0; exec "$@"',
      'sh',
      process.execPath,
      stage.bin,
      'up',
      '-f',
      config,
    ];
    const asked = stage.launch(words);
    expect((await asked.end()).code).toBe(1);
    expect(asked.stderr).toMatch(
      /the master ended \(.+\) and wrote nothing to .*master\.log\nSee what it says: /,
    );
  });

  it('of several masters the one that is meant is named', async ({ stage }) => {
    const one = stage.config(FLEET, 'one.yaml');
    const two = stage.config([{ id: 'other', command: 'sleep 1000' }], 'two.yaml');
    await command(stage, ['up', '-f', one]);
    await command(stage, ['up', '-f', two]);
    const which = await command(stage, ['ls']);
    expect(which.code).toBe(3);
    expect(which.stderr).toContain(`hsu-master --socket ${socketOf(stage, two)}`);
    expect((await command(stage, ['ls', '-q', '-f', two])).stdout).toBe('other\n');
    expect((await command(stage, ['--socket', socketOf(stage, two), 'ls', '-q'])).stdout).toBe('other\n');
    expect((await command(stage, ['ls', '-q'], { HSU_SOCKET: socketOf(stage, two) })).stdout).toBe('other\n');
    await command(stage, ['down', '-f', one]);
    expect((await command(stage, ['ls', '-q'])).stdout).toBe('other\n');
    await command(stage, ['down', '-f', two]);
  });

  it('are those that the launcher hands on', () => {
    const main = readFileSync(new URL('../src/main.ts', import.meta.url), 'utf8');
    const list = /ASKING: ReadonlySet<string> = new Set\(\[([^\]]*)\]/.exec(main)?.[1] ?? '';
    expect(list.match(/'[a-z]+'/g)?.map((name) => name.slice(1, -1))).toEqual([...ASKING_COMMANDS]);
  });

  it('foreground and background masters answer alike', async ({ stage }) => {
    const run = stage.run(FLEET);
    await run.started('api');
    expect((await command(stage, ['stop', 'api', 'db'])).code).toBe(0);
    // What an operator stopped may be started again: the master stays.
    expect((await command(stage, ['start', 'api', 'db', '--wait'])).code).toBe(0);
    expect((await command(stage, ['down'])).code).toBe(0);
    expect(await run.end()).toEqual({ code: 0, signal: null });
    await eventually(() => stage.leftOvers().length === 0);
  });
});
