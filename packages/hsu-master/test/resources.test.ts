import { readdirSync, readFileSync, statSync } from 'node:fs';
import { creature, zoo } from '@hsu-master/testkit';
import { describe, expect } from 'vitest';
import { eventually, factor, freePort, it, type Stage, TIMED } from './drive.ts';

function logOf(stage: Stage, id: string, stream = 'stdout'): string {
  return readFileSync(stage.path('logs', 'workers', `${id}-${stream}.log`), 'utf8');
}

describe.concurrent('scarcity and floods', () => {
  it('G1: with 256 descriptors and 200 workers, starts are refused with the reason, and what runs is supervised', async ({
    stage,
  }) => {
    const workers = Array.from({ length: 200 }, (_unused, index) => ({
      id: `w${index}`,
      command: creature('print', 'up', 'sleep'),
      restart: { delay: index === 0 ? '50ms' : '1h' },
    }));
    const master = stage.run(workers, ['--log-dir', stage.path('logs')], {
      through: ['sh', '-c', 'ulimit -n 256; exec "$@"', 'sh'],
    });
    await master.until('200 answers', () => master.matching(/^w\d+: (started|cannot start)/).length >= 200);
    const refused = master.matching(
      /^w\d+: cannot start .*no descriptor is free: ulimit -n 256, in use \d+ \(EMFILE\)/,
    );
    const running = master.matching(/^w\d+: started/);
    expect(refused.length + running.length).toBe(200);
    expect(running.length).toBeGreaterThan(20);
    process.kill(await master.started('w0'), 'SIGKILL');
    await master.started('w0', 2);
    for (const line of running) {
      const [id = ''] = line.split(':');
      await eventually(() => logOf(stage, id).startsWith('up\n'));
    }
    expect(master.matching(/internal error|log trouble|of its output were lost/)).toEqual([]);
    expect((await master.stop()).code).toBe(1);
    expect(stage.processes()).toEqual([]);
  });

  it(
    'a flood beside it neither delays a restart nor the end (tried again: it bounds real time)',
    TIMED,
    async ({ stage }) => {
      const flood = { command: 'yes a line that comes without end', log: { max_size: '1MiB', max_files: 1 } };
      const port = await freePort();
      const command = zoo.httpServer(process.execPath, port);
      const web = {
        id: 'web',
        command,
        ready: `tcp://127.0.0.1:${port}`,
        restart: { delay: '0', max_retries: 0 },
      };
      const master = stage.run([{ id: 'flood', ...flood }, web], [], { without: /^flood +\|/ });
      for (let n = 1; n <= 3; n += 1) {
        await master.until(`${n} times ready`, () => master.matching(/^web: ready/).length === n);
        process.kill(await master.started('web', n), 'SIGKILL');
      }
      await master.started('web', 4);
      const asked = performance.now();
      expect((await master.stop()).code).toBe(0);
      expect(performance.now() - asked).toBeLessThan(1000 * factor);
      expect(stage.processes()).toEqual([]);
    },
  );

  it('a flood into a terminal that nobody reads ends in order all the same', async ({ stage }) => {
    const flood = { command: 'yes', log: { max_size: '1MiB', max_files: 1 } };
    const config = stage.config([{ id: 'flood', ...flood }]);
    const script = '"$@" | { read -r line; echo "$line"; exec sleep 1000; }';
    const words = [process.execPath, stage.bin, 'run', config, '--run-duration', '4'];
    const reader = stage.launch(['sh', '-c', script, 'sh', ...words]);
    await reader.line(/^logs are in/);
    const runs = (name: string) => stage.processes().some(({ command }) => command.startsWith(name));
    await eventually(() => runs('yes'));
    await eventually(() => !runs('yes') && !runs(process.execPath));
  });

  it('output files are rotated by size, and nothing between the oldest and the newest line is lost', async ({
    stage,
  }) => {
    const command = [
      'sh',
      '-c',
      'i=0; while [ $i -lt 3000 ]; do echo "line number $i of many"; i=$((i+1)); done',
    ];
    const log = { max_size: '16KiB', max_files: 2 };
    const master = stage.run([{ id: 'talker', command, log }], ['--log-dir', stage.path('logs')]);
    expect((await master.end()).code).toBe(0);
    const folder = stage.path('logs', 'workers');
    const names = readdirSync(folder).filter((name) => name.startsWith('talker-stdout'));
    expect(names.length).toBe(3);
    for (const name of names) expect(statSync(`${folder}/${name}`).size).toBeLessThanOrEqual(16 * 1024);
    const oldestFirst = names.sort().reverse();
    const numbers = oldestFirst
      .flatMap((name) => readFileSync(`${folder}/${name}`, 'utf8').trimEnd().split('\n'))
      .map((line) => Number(/number (\d+)/.exec(line)?.[1]));
    expect(numbers.at(-1)).toBe(2999);
    expect(numbers).toEqual(numbers.map((_unused, index) => (numbers[0] ?? 0) + index));
  });

  it('F3: what workers say last is kept and shown, however soon the master ends', async ({ stage }) => {
    const command = zoo.lastWords('farewell').argv;
    const config = stage.config([{ id: 'w', command, restart: 'never' }]);
    for (let round = 0; round < 2; round += 1) {
      const states = Array.from({ length: 6 }, (_unused, index) => stage.path(`state-${round}-${index}`));
      const masters = states.map((state) => stage.hsu(['run', config, '--state-dir', state]));
      await Promise.all(masters.map((master) => master.end()));
      for (const [index, state] of states.entries()) {
        expect(readFileSync(`${state}/logs/workers/w-stdout.log`, 'utf8')).toBe('farewell');
        expect(masters[index]?.stdout).toContain('w | farewell\n');
      }
    }
  });

  it('standard output and standard error have files of their own, byte for byte', async ({ stage }) => {
    const command = ['sh', '-c', "printf 'one\\n\\001\\377\\rno newline'; echo two >&2"];
    const master = stage.run([{ id: 'talker', command }], ['--log-dir', stage.path('logs')]);
    expect((await master.end()).code).toBe(0);
    const file = stage.path('logs', 'workers', 'talker-stdout.log');
    expect(readFileSync(file, 'latin1')).toBe('one\n\x01\xff\rno newline');
    expect(logOf(stage, 'talker', 'stderr')).toBe('two\n');
  });
});
