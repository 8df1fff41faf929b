import { join } from 'node:path';
import { zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, it, TIMED } from './drive.ts';

const TERMINAL = ['python3', join(import.meta.dirname, 'programs', 'terminal.py')];
const ESCAPE = '\x1b';
const chatter = {
  id: 'chatter-box',
  command: ['sh', '-c', 'printf "plain\\n\\033[31mred\\033[0m\\n"; exec sleep 1000'],
};

describe.concurrent('the terminal', () => {
  it('M1: a reader that goes away leaves no trace of a stack', async ({ stage }) => {
    const config = stage.config(
      Array.from({ length: 200 }, (_unused, index) => ({ id: `w${index}`, command: 'sleep 1' })),
    );
    for (const args of [['validate', config], ['--help'], ['version']]) {
      const script = '{ "$@"; echo "code $?" >&2; } | head -1';
      const command = stage.launch(['sh', '-c', script, 'sh', process.execPath, stage.bin, ...args]);
      expect((await command.end()).code).toBe(0);
      expect(command.stdout.trimEnd().split('\n')).toHaveLength(1);
      expect(command.stderr).toBe('code 0\n');
    }
  });

  it('M1: run goes on supervising when its reader has gone, and still ends in order', async ({ stage }) => {
    const config = stage.config([{ ...chatter, restart: { delay: '10ms' } }]);
    const script = 'echo "pid $$" >&2; exec "$@"';
    const words = [process.execPath, stage.bin, 'run', config];
    const command = stage.launch([
      'sh',
      '-c',
      `sh -c '${script}' sh "$@" | head -1; echo gone`,
      'sh',
      ...words,
    ]);
    const line = await command.line(/^pid \d+$/);
    const find = () => stage.processes().filter(({ command: text }) => text.startsWith('sleep'));
    await eventually(() => find().length === 1);
    const [first] = find();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await eventually(() => find().length === 1 && find()[0]?.pid !== first?.pid);
    process.kill(Number(line.slice(4)), 'SIGINT');
    expect((await command.end()).code).toBe(0);
    expect(command.stderr.replace(/^pid \d+\n/, '')).toBe('');
    expect(stage.processes()).toEqual([]);
  });

  it(
    'the end of a process and its last words are one line, however short its life was',
    TIMED,
    async ({ stage }) => {
      const command = ['sh', '-c', 'echo no luck >&2; exit 1'];
      const crash = { command, restart: { delay: '0', max_retries: 3, jitter: 0, give_up: true } };
      const workers = Array.from({ length: 40 }, (_unused, index) => ({ id: `w${index}`, ...crash }));
      const master = stage.run(workers);
      expect((await master.end()).code).toBe(1);
      expect(master.matching(/^w\d+: exit 1 after/)).toHaveLength(160);
      expect(master.matching(/^w\d+: exit 1 after [\d.]+m?s; last words: no luck$/)).toHaveLength(160);
      expect(master.lines.at(-1)).toBe('hsu-master: all workers are stopped');
    },
  );

  it('M2: without a terminal there is no escape sequence, not even a program’s own', async ({ stage }) => {
    const master = stage.run([chatter]);
    await master.line(/^chatter-box \| red$/);
    expect((await master.stop()).code).toBe(0);
    expect(master.stdout + master.stderr).not.toContain(ESCAPE);
  });

  it('M2: on a terminal names are coloured, and Ctrl-C typed there ends the run in order', async ({
    stage,
  }) => {
    const config = stage.config([chatter, { id: 'sleeper', command: zoo.endsSlowly(100).argv }]);
    const words = [...TERMINAL, '100', process.execPath, stage.bin, 'run', config];
    const master = stage.launch(words, { env: { TERM: 'xterm-256color' } });
    await master.line(/chatter-box.*red/);
    await master.line(/sleeper.*up/);
    expect(master.stdout).toContain(ESCAPE);
    master.type('\x03');
    expect((await master.end()).code).toBe(0);
    // Ctrl-C reaches the master only: a worker hears SIGTERM, in its turn.
    expect(master.stdout).toMatch(/chatter-box: ended \(SIGTERM\)/);
    expect(master.stdout).toMatch(/sleeper: exit 0/);
    expect(stage.processes()).toEqual([]);
  });

  it.for([
    ['NO_COLOR', { NO_COLOR: '1', TERM: 'xterm-256color' }],
    ['TERM=dumb', { TERM: 'dumb' }],
  ] as const)('M2: %s keeps a terminal plain', async ([_name, env], { stage }) => {
    const config = stage.config([chatter, { id: 'absent', command: './absent' }]);
    const master = stage.launch([...TERMINAL, '100', process.execPath, stage.bin, 'run', config], { env });
    await master.line(/^chatter-box \| red\r?$/);
    master.type('\x03');
    expect((await master.end()).code).toBe(1);
    expect(master.stdout).not.toContain(ESCAPE);
  });

  it('M2: FORCE_COLOR colours a pipe', async ({ stage }) => {
    const master = stage.run([chatter], [], { env: { FORCE_COLOR: '1' } });
    await master.line(/chatter-box.*red/);
    expect((await master.stop()).code).toBe(0);
    expect(master.stdout).toContain(ESCAPE);
  });

  it('M2: on 40 columns names take a quarter, and nothing is mangled', async ({ stage }) => {
    const id = 'a-worker-with-a-very-long-name';
    const config = stage.config([{ ...chatter, id }]);
    const words = [...TERMINAL, '40', process.execPath, stage.bin, 'run', config];
    const master = stage.launch(words, { env: { TERM: 'dumb' } });
    await master.line(/^a-worker-… \| red\r?$/);
    master.type('\x03');
    expect((await master.end()).code).toBe(0);
    expect(master.lines).toContain(`${id}: stopped\r`);
  });

  it('what takes longer than a second is told while it does, off standard output, and not with -q', async ({
    stage,
  }) => {
    const wait = 'while [ ! -e go ]; do sleep 0.05; done; exit 0';
    const slow = {
      shell: true,
      command: `trap '${wait}' TERM; while :; do sleep 0.05; done`,
      stop_timeout: '5m',
    };
    const config = stage.config([
      { id: 'slow', ...slow },
      { id: 'slower', ...slow },
    ]);
    expect((await stage.hsu(['up', '-f', config]).end()).code).toBe(0);
    const terminal = (...args: readonly string[]) => {
      const words = ['sh', '-c', 'exec "$@" >out', 'sh', process.execPath, stage.bin, ...args];
      return stage.launch([...TERMINAL, '60', ...words], { env: { TERM: 'xterm' }, redrawn: true });
    };
    const quiet = terminal('stop', 'slow', '-q', '--wait=5m');
    const stop = terminal('stop', 'slo*', '--wait=5m');
    await stop.line(/stopping, \d+s: 2 of 2 left: slow \(stopping\), slower \(stop/);
    stage.write('go', '');
    expect((await stop.end()).code).toBe(0);
    expect(stop.stdout.endsWith(`${ESCAPE}[2K`)).toBe(true);
    await quiet.end();
    expect(quiet.stdout).toBe('');
    const down = stage.hsu(['down']);
    expect((await down.end()).code).toBe(0);
    expect(down.stderr).toMatch(/^stopping the master; no worker runs\n/);
  });

  it('escape sequences of a program cannot touch the screen', async ({ stage }) => {
    const command = ['sh', '-c', 'printf "a\\033[2Jb\\033]0;title\\007c\\rd\\n"'];
    const config = stage.config([{ id: 'rude', command }]);
    const words = [...TERMINAL, '80', process.execPath, stage.bin, 'run', config];
    const master = stage.launch(words, { env: { TERM: 'xterm' } });
    expect((await master.end()).code).toBe(0);
    expect(master.stdout).not.toContain(`${ESCAPE}[2J`);
    expect(master.stdout).not.toContain(`${ESCAPE}]0;`);
  });
});
