/** What can be asked for with --only. */
export const METRICS = [
  'start',
  'restart',
  'stop',
  'memory',
  'idle',
  'orphans',
  'sampling',
  'spawn',
  'adopt',
  'table',
  'logs',
  'control',
] as const;
export type Metric = (typeof METRICS)[number];

/** What ours shall reach, against the floor of the same run or by itself; compared by medians. */
export type Target =
  | { readonly kind: 'times-floor'; readonly most: number }
  | { readonly kind: 'above-floor'; readonly most: number }
  | { readonly kind: 'most'; readonly most: number };

export interface Figure {
  readonly metric: Metric;
  /** `N` stands for the number of workers asked for. */
  readonly title: string;
  readonly unit: 'ms' | 'µs' | 'ns' | 'MiB' | '% of a core' | 'processes' | 'per second' | 'lines';
  readonly target?: Target;
}

/** Every figure, in the order of the report; README.md says how each is taken. */
export const figures = {
  start1: { metric: 'start', title: 'start of 1: command line to worker runs', unit: 'ms' },
  start100: { metric: 'start', title: 'start of 100: command line to last worker runs', unit: 'ms' },
  startFirstToLast: {
    metric: 'start',
    title: 'start of N: first worker runs to last worker runs',
    unit: 'ms',
    target: { kind: 'times-floor', most: 1.5 },
  },
  startFromCommand: {
    metric: 'start',
    title: 'start of N: command line to last worker runs',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2 },
  },
  restart: {
    metric: 'restart',
    title: 'restart: SIGKILL to successor runs',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2.5 },
  },
  stop: {
    metric: 'stop',
    title: 'stop of 100: request to nothing left',
    unit: 'ms',
    target: { kind: 'above-floor', most: 50 },
  },
  uss1: { metric: 'memory', title: 'USS with 1 worker', unit: 'MiB', target: { kind: 'most', most: 25 } },
  pss1: { metric: 'memory', title: 'PSS with 1 worker', unit: 'MiB' },
  ussN: { metric: 'memory', title: 'USS with N workers', unit: 'MiB', target: { kind: 'most', most: 40 } },
  pssN: { metric: 'memory', title: 'PSS with N workers', unit: 'MiB' },
  processesN: { metric: 'memory', title: "supervisor's processes with N workers", unit: 'processes' },
  idle: {
    metric: 'idle',
    title: 'idle CPU with N workers',
    unit: '% of a core',
    target: { kind: 'most', most: 0.2 },
  },
  orphans: {
    metric: 'orphans',
    title: 'alive 5 s after the stop, of 40 awkward processes',
    unit: 'processes',
    target: { kind: 'most', most: 0 },
  },
  sampling: {
    metric: 'sampling',
    title: 'CPU for a sample of N processes each second',
    unit: '% of a core',
  },
  samplingRate: { metric: 'sampling', title: 'samples of N processes that it took', unit: 'per second' },
  samplingTrees: {
    metric: 'sampling',
    title: 'CPU for a sample of 100 trees of 5 processes each second',
    unit: '% of a core',
  },
  spawn: { metric: 'spawn', title: 'spawn of a program that ends at once, to its end', unit: 'µs' },
  adopt1: { metric: 'adopt', title: 're-attach of 1, in the process of the master', unit: 'ms' },
  adopt100: {
    metric: 'adopt',
    title: 're-attach of 100, in the process of the master',
    unit: 'ms',
    target: { kind: 'most', most: 500 },
  },
  adopt100Command: {
    metric: 'adopt',
    title: 're-attach of 100: command line to all told',
    unit: 'ms',
    target: { kind: 'most', most: 500 },
  },
  adoptN: { metric: 'adopt', title: 're-attach of N, in the process of the master', unit: 'ms' },
  table: { metric: 'table', title: 'table of N processes and all others: who is there', unit: 'ms' },
  tableTold: {
    metric: 'table',
    title: '… with arguments, program, directory and user',
    unit: 'ms',
  },
  tablePorts: { metric: 'table', title: '… with who listens where', unit: 'ms' },
  logs1: {
    metric: 'logs',
    title: '1 × 1 000 000 lines: order to all in the file',
    unit: 'ms',
    target: { kind: 'times-floor', most: 1.25 },
  },
  logs1Cpu: {
    metric: 'logs',
    title: '1 × 1 000 000 lines: CPU beside the worker’s',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2 },
  },
  logs1Growth: {
    metric: 'logs',
    title: '1 × 1 000 000 lines: growth of memory',
    unit: 'MiB',
    target: { kind: 'most', most: 16 },
  },
  logs1Lost: {
    metric: 'logs',
    title: '1 × 1 000 000 lines: lost',
    unit: 'lines',
    target: { kind: 'most', most: 0 },
  },
  logs1Stamped: {
    metric: 'logs',
    title: '1 × 1 000 000 lines, stamped (the floor does not stamp): order to all in the file',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2 },
  },
  logs1StampedCpu: {
    metric: 'logs',
    title: '1 × 1 000 000 lines, stamped: CPU beside the worker’s',
    unit: 'ms',
  },
  logs1StampedLost: {
    metric: 'logs',
    title: '1 × 1 000 000 lines, stamped: lost',
    unit: 'lines',
    target: { kind: 'most', most: 0 },
  },
  logs100: {
    metric: 'logs',
    title: '100 × 10 000 lines: order to all in the files',
    unit: 'ms',
    target: { kind: 'times-floor', most: 1.25 },
  },
  logs100Cpu: {
    metric: 'logs',
    title: '100 × 10 000 lines: CPU beside the workers’',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2 },
  },
  logs100Growth: {
    metric: 'logs',
    title: '100 × 10 000 lines: growth of memory',
    unit: 'MiB',
    target: { kind: 'most', most: 16 },
  },
  logs100Lost: {
    metric: 'logs',
    title: '100 × 10 000 lines: lost',
    unit: 'lines',
    target: { kind: 'most', most: 0 },
  },
  logs100Stamped: {
    metric: 'logs',
    title: '100 × 10 000 lines, stamped (the floor does not stamp): order to all in the files',
    unit: 'ms',
    target: { kind: 'times-floor', most: 2 },
  },
  logs100StampedCpu: {
    metric: 'logs',
    title: '100 × 10 000 lines, stamped: CPU beside the workers’',
    unit: 'ms',
  },
  logs100StampedLost: {
    metric: 'logs',
    title: '100 × 10 000 lines, stamped: lost',
    unit: 'lines',
    target: { kind: 'most', most: 0 },
  },
  lastWords: {
    metric: 'logs',
    title: 'last words: lost of 20 × 5000 lines of workers that end at once',
    unit: 'lines',
    target: { kind: 'most', most: 0 },
  },
  ls100: {
    metric: 'control',
    title: 'ls of 100, command line to its end',
    unit: 'ms',
    target: { kind: 'most', most: 80 },
  },
  lsN: {
    metric: 'control',
    title: 'ls of N, command line to its end',
    unit: 'ms',
    target: { kind: 'most', most: 150 },
  },
  status100: {
    metric: 'control',
    title: 'status of 100 over a connection that is kept, p50',
    unit: 'ms',
    target: { kind: 'most', most: 0.5 },
  },
  status100P99: {
    metric: 'control',
    title: 'status of 100 over a connection that is kept, p99',
    unit: 'ms',
  },
  ussUnasked: { metric: 'control', title: 'USS with 100 workers, never asked', unit: 'MiB' },
  ussAsked: { metric: 'control', title: 'USS with 100 workers, after the first request', unit: 'MiB' },
  eventsTold: {
    metric: 'control',
    title: 'past events told to each of 10 subscribers',
    unit: 'per second',
  },
  eventsLive: {
    metric: 'control',
    title: 'events told to each of 10 subscribers while 100 workers are killed and begin again',
    unit: 'per second',
  },
  read100: { metric: 'control', title: 'read of one of 100 in the process of the master', unit: 'ns' },
} as const satisfies Record<string, Figure>;

/** Whether a busy machine makes the figure larger by an amount that says nothing of who is measured. */
export const isTime = ({ unit }: Figure): boolean => unit === 'ms' || unit === 'µs' || unit === 'ns';

export type FigureName = keyof typeof figures;

export interface Sample {
  readonly figure: FigureName;
  readonly value: number;
}
