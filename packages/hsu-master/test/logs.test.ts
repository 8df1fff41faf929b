import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { eventually, it, type Stage } from './drive.ts';

const kills = process.env.CI_FULL ? 30 : 4;

/** All of a worker’s files, the oldest first. */
function text(stage: Stage, id: string): string {
  const folder = stage.path('logs', 'workers');
  const number = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  const names = () => readdirSync(folder).filter((name) => name.startsWith(`${id}-stdout.log`));
  for (;;) {
    const before = names();
    try {
      const oldestFirst = before.toSorted((a, b) => number(b) - number(a));
      const texts = oldestFirst.map((name) => readFileSync(join(folder, name), 'utf8'));
      if (names().length === before.length) return texts.join('');
    } catch {
      // Rotated in between.
    }
  }
}

/** How many bytes a worker’s files have. */
function size(stage: Stage, id: string): number {
  const sizes = readdirSync(stage.path('logs', 'workers'))
    .filter((name) => name.startsWith(`${id}-stdout.log`))
    // One that is rotated in between is counted the next time.
    .map((name) => statSync(stage.path('logs', 'workers', name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((one, other) => one + other, 0);
}

describe.concurrent('the output of workers', () => {
  it('H1: is whole and in order, however often its master is killed, and the worker lives on', async ({
    stage,
  }) => {
    writeFileSync(stage.path('count.sh'), 'i=0; while :; do echo $i; i=$((i+1)); done');
    const command = ['sh', stage.path('count.sh')];
    const log = { max_size: '200KiB', max_files: 500 };
    const workers = [{ id: 'counter', command, log, stop_timeout: '2s' }];
    for (let life = 0; life <= kills; life += 1) {
      const master = stage.run(workers, ['--log-dir', stage.path('logs')], { without: /^counter +\|/ });
      await master.line(life === 0 ? /^counter: started/ : /^counter: runs on/);
      const before = life === 0 ? 0 : size(stage, 'counter');
      await eventually(() => size(stage, 'counter') > before + 50_000);
      if (life < kills) await master.stop('SIGKILL');
      else expect((await master.stop()).code).toBe(0);
    }
    const numbers = text(stage, 'counter').split('\n').slice(0, -1);
    const wrong = numbers.findIndex((line, index) => line !== String(index));
    expect(numbers.slice(wrong, wrong === -1 ? 0 : wrong + 2)).toEqual([]);
  });

  it('can be reopened as /dev/stdout by a worker that became another user', async ({ stage }) => {
    if (process.getuid?.() !== 0) return;
    const command = ['sh', '-c', 'id -un > /dev/stdout; echo trouble > /dev/stderr'];
    const master = stage.run(
      [{ id: 'job', command, user: 'nobody', cwd: '/', restart: 'never' }],
      ['--log-dir', stage.path('logs')],
    );
    expect((await master.end()).code).toBe(0);
    expect(text(stage, 'job')).toBe('nobody\n');
    expect(readFileSync(stage.path('logs', 'workers', 'job-stderr.log'), 'utf8')).toBe('trouble\n');
  });

  it('H1: with channel: file is whole also of a worker that ends while no master runs, and is heard again by the next', async ({
    stage,
  }) => {
    const numbers = Array.from({ length: 20_000 }, (_unused, index) => `${index}\n`).join('');
    const wait = (name: string) => `while [ ! -e ${stage.path(name)} ]; do sleep 0.05; done`;
    const say = (script: string) => ['sh', '-c', `echo begun; ${wait('killed')}; ${script}`];
    const all = { path: stage.path('all.log'), format: 'plain' };
    const log = { channel: 'file', max_size: 0, forwarding: [all] };
    const workers = [
      { id: 'brief', command: say('seq 0 19999'), log, restart: 'never' },
      { id: 'long', command: say(`seq 0 19999; ${wait('there')}; echo again; exec sleep 1000`), log },
    ];
    const master = stage.run(workers, ['--log-dir', stage.path('logs')]);
    for (const id of ['brief', 'long']) await eventually(() => text(stage, id) === 'begun\n');
    await master.stop('SIGKILL');
    writeFileSync(stage.path('killed'), '');
    for (const id of ['brief', 'long'])
      await eventually(() => text(stage, id).length === numbers.length + 'begun\n'.length);
    const next = stage.run(workers, ['--log-dir', stage.path('logs')]);
    await next.line(/^long: runs on/);
    writeFileSync(stage.path('there'), '');
    await next.line(/^long +\| again/);
    expect((await next.stop()).code).toBe(0);
    expect(text(stage, 'brief')).toBe(`begun\n${numbers}`);
    expect(text(stage, 'long')).toBe(`begun\n${numbers}again\n`);
    expect(readFileSync(stage.path('all.log'), 'utf8')).toMatch(/again\n$/);
  });

  it('with channel: file belongs to the worker’s user, who can open it anew', async ({ stage }) => {
    if (process.getuid?.() !== 0) return;
    const command = ['sh', '-c', 'echo first; id -un >> /dev/stdout; echo trouble >> /dev/stderr'];
    const worker = {
      id: 'job',
      command,
      user: 'nobody',
      cwd: '/',
      restart: 'never',
      log: { channel: 'file' },
    };
    chmodSync(stage.folder, 0o755);
    const master = stage.run([worker], ['--log-dir', stage.path('logs')]);
    expect((await master.end()).code).toBe(0);
    expect(text(stage, 'job')).toBe('first\nnobody\n');
  });

  it('leaves no FIFO behind when master and workers have ended in order', async ({ stage }) => {
    const master = stage.run([{ id: 'job', command: 'echo done', restart: 'never' }]);
    expect((await master.end()).code).toBe(0);
    const left = execFileSync('find', [stage.folder, '-type', 'p', '-o', '-name', 'channels'], {
      encoding: 'utf8',
    });
    expect(left).toBe('');
    rmSync(stage.path('logs'), { recursive: true, force: true });
  });
});
