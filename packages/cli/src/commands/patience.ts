import { CliError } from '../cli-error.ts';
import type { Surroundings } from '../surroundings.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The moment until which is waited. */
export function deadlineOf(span: string, now: number): number {
  const parts = [...span.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== span)
    throw new CliError('E_USAGE', `"${span}" is no duration: 500ms, 30s, 1h30m`, '');
  return parts.reduce((at, [, count, unit = '']) => at + Number(count) * (UNITS[unit] ?? 0), now);
}

/** What is left until then, as a request says it. */
export function leftOf(deadline: number, now: number): string {
  return `${Math.max(1, Math.round(deadline - now))}ms`;
}

/** Anything longer than this is told about. */
const UNTOLD = 1000;

/** Tells a person in front of a terminal what takes so long. */
export async function withProgress<T>(
  { err }: Surroundings,
  what: () => string,
  work: () => Promise<T>,
): Promise<T> {
  if (!err.cursor) return work();
  let shown = false;
  const timer = setTimeout(() => {
    shown = true;
    void err.write(`${what().slice(0, err.columns() - 2)} …`);
  }, UNTOLD);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (shown) await err.write('\r\x1b[2K');
  }
}
