import type { FigureName, Sample } from '../figures.ts';
import { type Flooded, type FloodLoad, flood } from '../flood.ts';
import { loggers } from '../loggers/index.ts';
import type { Logger } from '../loggers/logger.ts';
import type { Contender, Contest } from '../scene.ts';

type Taken = readonly (readonly [FigureName, keyof Flooded])[];

function contender(logger: Logger, load: FloodLoad, taken: Taken): Contender {
  const { missing, makeReady, version } = logger;
  let isReady: Promise<void> | undefined;
  return {
    name: logger.name,
    peer: logger.peer,
    ...(missing === undefined ? {} : { missing }),
    ...(version === undefined ? {} : { version }),
    async play(_extent, setting) {
      isReady ??= makeReady?.();
      await isReady;
      const flooded = await flood(logger, load, setting);
      return taken.map(([figure, key]): Sample => ({ figure, value: flooded[key] }));
    },
  };
}

function contest(name: string, load: FloodLoad, taken: Taken): Contest {
  const isIn = ({ stamps, peer }: Logger) =>
    // The loop without stamps is what stamped lines are compared with, too.
    load.stamped ? stamps !== 'never' : stamps !== 'always' || peer !== 'floor';
  return {
    name,
    metric: 'logs',
    contenders: loggers.filter(isIn).map((logger) => contender(logger, load, taken)),
    rounds: ({ rounds }) => rounds,
  };
}

const one = { workers: 1, lines: 1_000_000, ends: false };
const hundred = { workers: 100, lines: 10_000, ends: false };

/** What it costs to write down what workers say, and how much of it is there. */
export const logging: readonly Contest[] = [
  contest('logs of 1', { ...one, stamped: false }, [
    ['logs1', 'time'],
    ['logs1Cpu', 'cpu'],
    ['logs1Growth', 'growth'],
    ['logs1Lost', 'lost'],
  ]),
  contest('logs of 1, stamped', { ...one, stamped: true }, [
    ['logs1Stamped', 'time'],
    ['logs1StampedCpu', 'cpu'],
    ['logs1StampedLost', 'lost'],
  ]),
  contest('logs of 100', { ...hundred, stamped: false }, [
    ['logs100', 'time'],
    ['logs100Cpu', 'cpu'],
    ['logs100Growth', 'growth'],
    ['logs100Lost', 'lost'],
  ]),
  contest('logs of 100, stamped', { ...hundred, stamped: true }, [
    ['logs100Stamped', 'time'],
    ['logs100StampedCpu', 'cpu'],
    ['logs100StampedLost', 'lost'],
  ]),
  contest('last words', { workers: 20, lines: 5000, ends: true, stamped: false }, [['lastWords', 'lost']]),
];
