import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually, it } from './drive.ts';

const DAY = 86_400;

function age(path: string, seconds: number): void {
  const at = Date.now() / 1000 - seconds;
  utimesSync(path, at, at);
}

describe.concurrent('what is kept of output', () => {
  it('old files are removed at the start, also those of a worker that was taken out of the configuration', async ({
    stage,
  }) => {
    const flags = ['--state-dir', stage.path('state'), '--log-dir', stage.path('logs')];
    const log_collection = { default_worker: { retention_policy: { max_age: '7d' } } };
    const web = { id: 'web', command: 'echo web', restart: 'never' };
    const gone = { id: 'gone', command: 'echo gone', restart: 'never' };
    const first = stage.run({ log_collection, workers: [web, gone] }, flags);
    expect((await first.end()).code).toBe(0);
    const at = (name: string) => stage.path('logs', 'workers', name);
    for (const name of ['web-stdout.log.1', 'gone-stdout.log.1', 'foreign.log.1', 'foreign.log'])
      writeFileSync(at(name), 'old\n');
    for (const name of readdirSync(stage.path('logs', 'workers'))) age(at(name), 8 * DAY);
    const sleeps = { id: 'web', command: 'sleep 1000' };
    const second = stage.run({ log_collection, workers: [sleeps] }, flags);
    await second.started('web');
    const left = ['foreign.log', 'foreign.log.1', 'web-stdout.log'];
    await eventually(() => readdirSync(stage.path('logs', 'workers')).length === left.length);
    expect(readdirSync(stage.path('logs', 'workers')).sort()).toEqual(left);
    expect((await second.stop()).code).toBe(0);
  });

  it('all files together stay within max_total_size while a worker floods', async ({ stage }) => {
    const flags = ['--state-dir', stage.path('state'), '--log-dir', stage.path('logs')];
    const flood = {
      id: 'flood',
      command: ['sh', '-c', 'while :; do seq 100000; sleep 5; done'],
      log: { max_size: '50KB', max_files: 1000 },
    };
    const master = stage.run({ log_collection: { max_total_size: '200KB' }, workers: [flood] }, flags, {
      without: /^flood +\|/,
    });
    await master.started('flood');
    const folder = stage.path('logs', 'workers');
    const files = () => (existsSync(folder) ? readdirSync(folder) : []);
    const total = () =>
      files().reduce(
        (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      );
    // It grows beyond, and is brought back.
    await eventually(() => files().some((name) => Number(name.split('.').at(-1)) > 4));
    await eventually(() => total() <= 2e5 && files().length > 1);
    await master.stop();
  });

  it('lines that wait for a target that was taken out of the configuration are told of at every start', async ({
    stage,
  }) => {
    const spill = stage.path('state', 'spill', 'syslog.3aold');
    mkdirSync(spill, { recursive: true });
    writeFileSync(join(spill, '0000000001.spill'), 'x'.repeat(2048));
    const master = stage.run([{ id: 'web', command: 'sleep 1000' }], ['--state-dir', stage.path('state')]);
    const line = await master.line(/wait in/);
    expect(line).toContain(
      `2KiB of lines wait in ${spill} for the log target syslog:old, which is not configured any more`,
    );
    await master.stop();
    expect(existsSync(join(spill, '0000000001.spill'))).toBe(true);
  });
});
