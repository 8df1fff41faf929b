import { integer, text } from '../check.ts';

/** Not a start time that any process has. */
const NOBODY = 0;

export const checkedPid = (value: unknown): number => integer(value, 'pid', 1, 0xffff_ffff);

/** The start time as the addon compares it. What no process can have is nobody’s. Throws for what is no number. */
export function checkedStartTime(value: unknown): number {
  const given = text(value, 'startTime');
  if (!/^\d{1,20}$/.test(given))
    throw new TypeError(`startTime must be decimal microseconds, not "${given}"`);
  const number = Number(given);
  return number > Number.MAX_SAFE_INTEGER ? NOBODY : number;
}

/** No text that names something is longer for Windows: it counts their bytes in 16 bits. */
const MOST_UNITS = 32_766;

export function windowsText(value: unknown, what: string): string {
  const given = text(value, what);
  if (given.length > MOST_UNITS) throw new RangeError(`${what} must be at most ${MOST_UNITS} characters`);
  return given;
}
