import type { Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import { covers, type Needs, type ProcessSource, type ProcessTable } from './process.ts';

/** How old a look may be that answers another question: units that look at the same time share one. */
const FRESH: Milliseconds = 100;

interface Kept {
  readonly at: MonotonicTime;
  readonly needs: Needs;
  readonly table: ProcessTable;
}

/** A source whose looks at all processes are kept for a moment. Looks at a few are always new. */
export function cachedSource(source: ProcessSource, clock: Clock, fresh = FRESH): ProcessSource {
  let kept: Kept[] = [];
  return {
    look(needs, pids) {
      if (pids !== null) return source.look(needs, pids);
      const now = clock.now();
      kept = kept.filter(({ at }) => now - at < fresh);
      const known = kept.find((one) => covers(one.needs, needs));
      if (known !== undefined) return known.table;
      const table = source.look(needs, null);
      kept.push({ at: now, needs, table });
      return table;
    },
  };
}
