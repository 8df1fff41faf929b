import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { type Awaited, tellProgress } from '../output/progress.ts';

/** In milliseconds. */
export const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

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

/** Does what may take long, and tells how far it is meanwhile; not where names alone are asked for. */
export async function withProgress<T>(
  { to, format }: Asking,
  begin: Awaited,
  look: () => Awaited | Promise<Awaited>,
  work: () => Promise<T>,
): Promise<T> {
  if (format === 'name') return work();
  const end = tellProgress(to.err, to.now, begin, look);
  try {
    return await work();
  } finally {
    await end();
  }
}

/** As many as the client has connections, less some for what is asked meanwhile. */
const AT_ONCE = 12;

/** Workers as they were in the beginning, and what they were chosen by. */
export interface Chosen {
  readonly patterns: readonly string[];
  readonly workers: readonly Worker[];
}

/**
 * Waits for each of these workers, and tells meanwhile who is still missing, and how they are. Resolves with what each came to, in their
 * order. Of many only some are waited for at once: to keep a deadline that all of them have is up to `work`.
 */
export async function awaitEach<R>(
  asking: Asking,
  what: string,
  { patterns, workers }: Chosen,
  work: (id: string, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const { client, namespace } = asking;
  const left = new Set(workers.map(({ id }) => id));
  const awaited = (all: readonly Worker[]): Awaited => ({
    what,
    of: workers.length,
    left: all.filter(({ id }) => left.has(id)),
  });
  const results: R[] = [];
  const queue = workers.entries();
  const some = async (): Promise<void> => {
    for (const [index, { id }] of queue) {
      results[index] = await work(id, index);
      left.delete(id);
    }
  };
  const look = async (): Promise<Awaited> =>
    awaited((await client.workers({ select: patterns, namespace })).workers);
  await withProgress(asking, awaited(workers), look, () =>
    Promise.all(Array.from({ length: AT_ONCE }, some)),
  );
  return results;
}
