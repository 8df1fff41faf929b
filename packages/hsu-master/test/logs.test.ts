import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Where the numbers begin again at 0; anything else that is not the next number is told as it is. */
function lives(lines: readonly string[]): readonly (readonly string[])[] {
  const found: string[][] = [];
  for (const line of lines) {
    if (line === '0') found.push([]);
    found.at(-1)?.push(line);
  }
  return found;
}

describe.concurrent('the output of workers', () => {
  it('of each of a worker’s lives is whole and in order, however often its master is killed', async ({
    stage,
  }) => {
    // Its writes are seldom at line ends; what it had written when it was ended may be a part of a line.
    writeFileSync(stage.path('count.sh'), 'i=0; while :; do echo $i; i=$((i+1)); done');
    const command = ['sh', stage.path('count.sh')];
    const log = { max_size: '200KiB', max_files: 500 };
    const workers = [{ id: 'counter', command, log, stop_timeout: '2s' }];
    for (let life = 0; life <= kills; life += 1) {
      const master = stage.run(workers, ['--log-dir', stage.path('logs')], { without: /^counter +\|/ });
      await master.started('counter');
      const before = existsSync(stage.path('logs', 'workers')) ? text(stage, 'counter').length : 0;
      await eventually(() => text(stage, 'counter').length > before + 50_000);
      if (life < kills) await master.stop('SIGKILL');
      else expect((await master.stop()).code).toBe(0);
    }
    const found = lives(text(stage, 'counter').split('\n').slice(0, -1));
    expect(found).toHaveLength(kills + 1);
    for (const numbers of found) {
      const wrong = numbers.findIndex((line, index) => line !== String(index));
      expect(numbers.slice(wrong, wrong === -1 ? 0 : wrong + 2)).toEqual([]);
    }
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

  it('with channel: file is whole though the worker ends while no master runs, and reaches targets while one does', async ({
    stage,
  }) => {
    const count =
      'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; echo sleeping >&2; exec sleep 1000';
    writeFileSync(stage.path('count.sh'), count);
    const log = {
      channel: 'file',
      max_size: 0,
      forwarding: [{ path: stage.path('all.log'), format: 'plain' }],
    };
    const workers = [{ id: 'counter', command: ['sh', stage.path('count.sh')], log }];
    const master = stage.run(workers, ['--log-dir', stage.path('logs')], { without: /^counter +\|/ });
    await master.started('counter');
    await eventually(() => text(stage, 'counter').length > 1000);
    await master.stop('SIGKILL');
    const numbers = Array.from({ length: 20_000 }, (_unused, index) => `${index}\n`).join('');
    await eventually(() => readFileSync(stage.path('logs', 'workers', 'counter-stderr.log'), 'utf8') !== '');
    expect(text(stage, 'counter')).toBe(numbers);
    const next = stage.run(workers, ['--log-dir', stage.path('logs')], { without: /^counter +\|/ });
    await next.started('counter');
    await eventually(() => existsSync(stage.path('all.log')));
    expect((await next.stop()).code).toBe(0);
    expect(readFileSync(stage.path('all.log'), 'utf8')).toMatch(/\d+\n/);
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
