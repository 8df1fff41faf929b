import { describeStrategy } from '../discovery/finder.ts';
import type { UnmanagedSpec } from '../discovery/spec.ts';
import type { Waiting } from '../graph/waiting.ts';
import type { WorkerId } from './spec.ts';
import type { Turn } from './turn.ts';

/** What a unit waits for whose process somebody else starts. `why` says what the last look found, or what is looked for. */
export function waitingForProcess(id: WorkerId, why: string): Waiting {
  return { id, condition: 'process', reason: `its process: ${why}` };
}

/** Nothing is begun for such a unit: it waits until its process is there, and before that for its dependencies. */
export function awaitProcess(turn: Turn, { discovery }: UnmanagedSpec): void {
  const { waiting, id } = turn.worker;
  const isTold = waiting.some(({ condition }) => condition === 'process');
  const all = isTold ? waiting : [...waiting, waitingForProcess(id, describeStrategy(discovery.strategy))];
  turn.set({ waiting: all });
  turn.become({ name: 'blocked' });
  turn.publish('worker.blocked', { waiting: all });
}
