import { readdirSync, readFileSync } from 'node:fs';
import { formatSize } from '@hsu-master/core';

/** MAX_ARG_STRLEN of Linux: one argument or variable, its end included. */
const LONGEST_STRING = 32 * 4096;
/** The kernel gives arguments and environment a quarter of the stack limit, but no more than 6 MiB and no less than 128 KiB. */
const LARGEST_TOTAL = 6 * 2 ** 20;
const SMALLEST_TOTAL = 128 * 2 ** 10;

const ROWS = { files: 'Max open files', processes: 'Max processes', stack: 'Max stack size' } as const;

/** A soft limit of this process as `ulimit` shows it. */
export function describeLimits(which: keyof typeof ROWS): string {
  const limit = softLimit(which);
  if (limit === null) return 'unknown';
  return limit === Number.POSITIVE_INFINITY ? 'unlimited' : String(limit);
}

/** A soft limit of this process; null where the system does not tell. */
export function softLimit(which: keyof typeof ROWS): number | null {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    const value = new RegExp(`^${ROWS[which]}\\s+(\\S+)`, 'm').exec(text)?.[1];
    if (value === undefined) return null;
    return value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  } catch {
    return null;
  }
}

/** How many descriptors this process has open, in words. */
export function descriptorsInUse(): string {
  try {
    return String(readdirSync('/proc/self/fd').length);
  } catch {
    return 'all';
  }
}

/** Why arguments and environment were too big for exec. */
export function exhaustedSizes(argv: readonly string[], env: Readonly<Record<string, string>>): string {
  const variables = Object.entries(env).map(([name, value]) => ({
    name,
    size: byteLength(`${name}=${value}`),
  }));
  const words = argv.map((word, index) => ({ name: `argument ${index}`, size: byteLength(word) }));
  const total = (parts: readonly { size: number }[]) => parts.reduce((sum, part) => sum + part.size + 1, 0);
  const largest = [...variables, ...words].reduce((a, b) => (b.size > a.size ? b : a));
  const stack = softLimit('stack') ?? Number.POSITIVE_INFINITY;
  const limit = Math.max(Math.min(stack / 4, LARGEST_TOTAL), SMALLEST_TOTAL);
  const sizes = `arguments ${formatSize(total(words))}, environment ${formatSize(total(variables))}`;
  const biggest = `the largest is ${largest.name} with ${formatSize(largest.size)}`;
  return `${sizes}; ${biggest}; the system takes ${formatSize(limit)} together and ${formatSize(LONGEST_STRING)} each`;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
