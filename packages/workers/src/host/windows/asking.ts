import type { Milliseconds } from '@hsu-master/core';

/** Where a process stands to the console of the master. */
export type Standing =
  /** On another console, or on none. */
  | 'apart'
  /** On the master’s, as the first of a process group of its own: it ignores Ctrl-C. */
  | 'group'
  /** On the master’s, where nothing reaches it that would not reach the master, too. */
  | 'beside';

/** `break-group` is Ctrl-Break to one process group, the other two events reach everybody on the console. */
export type Means = 'ctrl-c' | 'ctrl-break' | 'break-group' | 'close-windows';

/** What is done after which time, as long as the process lives. */
export interface Step {
  readonly after: Milliseconds;
  readonly means: Means;
}

/** How programs are asked to end, the gentlest first. */
type Rung = 'ctrl-c' | 'ctrl-break' | 'close-windows';

/** What of each rung reaches the process, and not the master. */
const MEANS: Readonly<Record<Standing, Readonly<Record<Rung, Means>>>> = {
  apart: { 'ctrl-c': 'ctrl-c', 'ctrl-break': 'ctrl-break', 'close-windows': 'close-windows' },
  group: { 'ctrl-c': 'break-group', 'ctrl-break': 'break-group', 'close-windows': 'close-windows' },
  beside: { 'ctrl-c': 'close-windows', 'ctrl-break': 'close-windows', 'close-windows': 'close-windows' },
};

/** Signals by their numbers on Windows, and SIGQUIT by that of signals.ts. */
const SIGTERM = 15;
const SINGLE: ReadonlyMap<number, Rung> = new Map([
  [1, 'close-windows'],
  [2, 'ctrl-c'],
  [3, 'ctrl-break'],
  [21, 'ctrl-break'],
]);

/** Of whom nobody says how long it may take. */
const USUAL_GRACE: Milliseconds = 20_000;

/**
 * How a process is asked by a signal; none: no program hears of it here. Ctrl-Break ends who does not handle it, so half of the grace is
 * for those who end by Ctrl-C; what is left after three quarters of it is asked by its windows, and after all of it killed. Nobody is
 * asked twice by the same means.
 */
export function stepsOf(signal: number, standing: Standing, grace: Milliseconds | null): readonly Step[] {
  const means = MEANS[standing];
  const single = SINGLE.get(signal);
  if (single !== undefined) return [{ after: 0, means: means[single] }];
  if (signal !== SIGTERM) return [];
  const whole = grace ?? USUAL_GRACE;
  const ladder = [
    { after: 0, means: means['ctrl-c'] },
    { after: whole / 2, means: means['ctrl-break'] },
    { after: (whole * 3) / 4, means: means['close-windows'] },
  ];
  return ladder.filter((step, at) => ladder.findIndex((one) => one.means === step.means) === at);
}
