const largestPid = 0x3f_ffff;
const largestSignal = 64;

export function integer(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, not ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string, not ${typeof value}`);
  if (value.includes('\0')) throw new TypeError(`${what} must not contain a NUL`);
  return value;
}

export function bytes(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array`);
  return value;
}

export function boolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be a boolean, not ${typeof value}`);
  return value;
}

export const pid = (value: unknown): number => integer(value, 'pid', 1, largestPid);
export const signal = (value: unknown): number => integer(value, 'signal', 0, largestSignal);
export const handle = (value: unknown): number => integer(value, 'handle', 0, Number.MAX_SAFE_INTEGER);

/** A start time as the number the addon compares. */
export function startTime(value: unknown): number {
  const given = text(value, 'startTime');
  if (!/^\d{1,15}$/.test(given)) throw new TypeError(`startTime must be decimal clock ticks, not "${given}"`);
  return Number(given);
}

export function oneOf<T extends string>(value: unknown, what: string, allowed: readonly T[]): number {
  const at = allowed.indexOf(value as T);
  if (at < 0) throw new TypeError(`${what} must be one of ${allowed.join(', ')}`);
  return at;
}

export const oneOrNull = (value: unknown, what: string, least: number, most: number): number | null =>
  value === null ? null : integer(value, what, least, most);

/** Strings one after the other, each ended by a NUL: one crossing instead of one for each. */
export function joined(values: unknown, what: string): string {
  if (!Array.isArray(values)) throw new TypeError(`${what} must be an array`);
  let result = '';
  for (let at = 0; at < values.length; at++) result += `${text(values[at], `${what}[${at}]`)}\0`;
  return result;
}
