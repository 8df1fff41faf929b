import { constants } from 'node:os';
import { HsuError, type SignalName } from '@hsu-master/core';

/** First of Linux’s real-time signals that programs may use: the C library keeps 32 and 33 for itself. */
const FIRST_REAL_TIME = 34;
const LAST_REAL_TIME = 64;

/** Windows has no signals; its host takes these orders by the numbers that Linux has for them. */
const ORDERS = process.platform === 'win32' ? { SIGQUIT: 3, SIGCONT: 18, SIGSTOP: 19 } : {};

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({ ...constants.signals, ...ORDERS }),
);

/** The number of a signal on this system; `SIGRTMIN+n` for the real-time ones. Throws E_INTERNAL for a name that does not exist here. */
export function signalNumber(name: SignalName): number {
  const known = NUMBERS.get(name);
  if (known !== undefined) return known;
  const offset = /^SIGRTMIN(?:\+(\d+))?$/.exec(name);
  const number = offset === null ? Number.NaN : FIRST_REAL_TIME + Number(offset[1] ?? 0);
  if (number <= LAST_REAL_TIME) return number;
  throw new HsuError('E_INTERNAL', `this system knows no signal "${name}"`, { signal: name });
}
