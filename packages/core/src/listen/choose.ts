import type { PortRange } from './spec.ts';

/** What the choice of a port depends on. */
export interface PortQuestion {
  readonly range: PortRange | null;
  /** The port it had last; it gets it again where that is free. */
  readonly last: number | null;
  /** Tells workers apart, so that those of one range begin to look at different places, and each at the same place each time. */
  readonly salt: number;
  /** Those of other workers. */
  readonly held: ReadonlySet<number>;
  /** Asked for in vain this time. */
  readonly refused: ReadonlySet<number>;
}

/** The port to ask the system for next, 0: any; null: there is none to ask for. */
export function choosePort({ range, last, salt, held, refused }: PortQuestion): number | null {
  const isFree = (port: number) => !held.has(port) && !refused.has(port);
  if (last !== null && isFree(last) && isWithin(last, range)) return last;
  if (range === null) return refused.has(0) ? null : 0;
  const size = range.last - range.first + 1;
  for (let step = 0; step < size; step += 1) {
    const port = range.first + ((salt + step) % size);
    if (isFree(port)) return port;
  }
  return null;
}

function isWithin(port: number, range: PortRange | null): boolean {
  return range === null || (port >= range.first && port <= range.last);
}
