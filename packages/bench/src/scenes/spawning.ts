import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Arena } from '../arena.ts';
import { bareEnvironment } from '../peers/environment.ts';
import { places } from '../places.ts';
import type { Contender, Contest } from '../scene.ts';
import type { Setting } from '../trial.ts';
import { within } from '../wait.ts';

const SPAWNS = 500;
const LIMIT_MS = 120_000;

/** A program that spawns so many and prints the mean of µs. */
function spawner(name: string, peer: string, argv: (setting: Setting) => readonly string[]): Contender {
  return {
    name,
    peer,
    async play(_extent, setting) {
      setting.signal.throwIfAborted();
      const dir = await mkdtemp(join(setting.dir, 'spawn-'));
      const log = join(dir, 'output');
      const { arena, nothing } = setting.programs;
      const words = [...argv(setting), String(SPAWNS), nothing];
      const running = new Arena(arena, log, { argv: words, env: bareEnvironment(dir), cwd: dir });
      try {
        const ended = await within(LIMIT_MS, setting.signal, running.exited);
        const text = await readFile(log, 'utf8');
        const value = Number(text.trim().split('\n').at(-1));
        if (ended?.status !== 0 || !(value > 0)) throw new Error(`${words.join(' ')}\n${text.slice(-2000)}`);
        return [{ figure: 'spawn', value }];
      } finally {
        setting.used(await running.end());
      }
    },
  };
}

const inC = (name: string, how: string) => spawner(name, 'floor', ({ programs }) => [programs.spawns, how]);
const byOurs = (name: string, how: string) =>
  spawner(name, 'ours', () => [process.execPath, places.spawner, how]);

/** What it costs to start a program and to hear of its end, one after the other. */
export const spawning: Contest = {
  name: 'spawn cost',
  metric: 'spawn',
  contenders: [
    inC('floor', 'fork'),
    inC('C, vfork + exec', 'vfork'),
    inC('C, posix_spawn', 'posix_spawn'),
    byOurs('ours, no containment', 'plain'),
    byOurs('ours, rlimits', 'rlimits'),
    byOurs('ours, own cgroup', 'group'),
    byOurs('ours, cgroup with three limits', 'limits'),
  ],
  rounds: ({ rounds }) => rounds,
};
