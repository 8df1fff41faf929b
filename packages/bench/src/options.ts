import { parseArgs } from 'node:util';
import { METRICS } from './figures.ts';
import type { Extent } from './scene.ts';

export interface Options extends Extent {
  readonly peers: readonly string[];
  readonly loggers: boolean;
  /** How ours holds its workers, as its own `--containment` says it. */
  readonly containment: 'auto' | 'off';
  /** Longest wait before a trial for the machine to be idle, seconds; 0 waits for nothing. */
  readonly calmSeconds: number;
  /** As given, relative to where the command was called. */
  readonly json: string | undefined;
}

export const USAGE = `Measures HSU Master beside a floor in C and beside its peers, in one run.

  pnpm bench                                       everything, 5 rounds
  pnpm bench --only start,stop --rounds 3          two metrics
  pnpm bench --peers floor,ours --n 100            two supervisors, small

  --only LIST          of start, restart, stop, memory, idle, orphans, sampling, spawn, adopt, table, logs, control
  --peers LIST         of floor, ours, pm2, supervisord, runit, s6, pidusage, ps-list, systeminformation
  --n COUNT            workers of the large trials (1000)
  --rounds COUNT       5
  --kills COUNT        kills per supervisor for restart, over all rounds (50)
  --idle-seconds S     how long idleness is watched (60)
  --idle-rounds COUNT  in how many of the rounds (1)
  --sample-seconds S   how long sampling is watched (30)
  --sample-rounds N    in how many of the rounds (1)
  --loggers            give each worker under runit and s6 a logger of its own
  --no-containment     ours without cgroups, which no other of these has either
  --calm S             wait up to S seconds before each trial for an idle machine (10)
  --static             workers without a shared libc, which \`sleep\` has: less of the time is theirs
  --json FILE          write all values too
`;

/** Throws with a sentence for people on a mistake. Undefined: help was asked for. */
export function readOptions(args: readonly string[], peers: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      only: { type: 'string', default: METRICS.join(',') },
      peers: { type: 'string', default: peers.join(',') },
      n: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '5' },
      kills: { type: 'string', default: '50' },
      'idle-seconds': { type: 'string', default: '60' },
      'idle-rounds': { type: 'string', default: '1' },
      'sample-seconds': { type: 'string', default: '30' },
      'sample-rounds': { type: 'string', default: '1' },
      loggers: { type: 'boolean', default: false },
      'no-containment': { type: 'boolean', default: false },
      calm: { type: 'string', default: '10' },
      static: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    metrics: new Set(listed('--only', values.only, METRICS)),
    peers: listed('--peers', values.peers, peers),
    n: counted('--n', values.n),
    rounds: counted('--rounds', values.rounds),
    kills: counted('--kills', values.kills),
    idleSeconds: counted('--idle-seconds', values['idle-seconds']),
    idleRounds: counted('--idle-rounds', values['idle-rounds']),
    sampleSeconds: counted('--sample-seconds', values['sample-seconds']),
    sampleRounds: counted('--sample-rounds', values['sample-rounds']),
    loggers: values.loggers,
    containment: values['no-containment'] ? 'off' : 'auto',
    calmSeconds: counted('--calm', values.calm, 0),
    linkage: values.static ? 'static' : 'dynamic',
    json: values.json,
  };
}

function listed<T extends string>(flag: string, text: string, known: readonly T[]): readonly T[] {
  const words = text.split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !known.some((each) => each === word));
  if (unknown !== undefined) throw new Error(`${flag}: "${unknown}" is none of ${known.join(', ')}`);
  return known.filter((each) => words.includes(each));
}

function counted(flag: string, text: string, least = 1): number {
  const count = Number(text);
  if (text === '' || !Number.isInteger(count) || count < least) {
    throw new Error(`${flag}: "${text}" is no whole number from ${least} on`);
  }
  return count;
}
