import type { HsuEvent } from '../events/catalogue.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { Control } from './control.ts';
import { isChosen, REGROUPED } from './states-from.ts';
import type { WorkerView } from './view.ts';

/** Which events somebody wants. */
export interface WantedEvents {
  /** Of workers; empty: of all, and those of the master itself. */
  readonly patterns: readonly string[];
  /** Empty: all. */
  readonly types: readonly string[];
}

/**
 * Which events may be told to whom they are wanted by; to be asked for each event, in their order, since workers come and go.
 * @param may whether the events of a worker may be told; null: those of the master
 */
export function eventFilter(
  control: Pick<Control, 'workers'>,
  { patterns, types }: WantedEvents,
  may: (worker: WorkerView | null) => boolean,
): (event: HsuEvent) => boolean {
  const all = (): readonly WorkerView[] => control.workers({ patterns: [], namespace: null }, false);
  const isMeant = (worker: WorkerView): boolean =>
    isChosen(worker, { patterns, namespace: null }) && may(worker);
  const mayAll = patterns.length === 0 && may(null);
  const wanted = new Set(types);
  let ids: ReadonlySet<WorkerId> | null = null;
  const regroup = (): void => {
    const now = all();
    const mine = now.filter(isMeant).map(({ id }) => id);
    if (mayAll && mine.length === now.length) {
      ids = null;
      return;
    }
    // What is still told of those that are gone is told to whom they belonged.
    const there = new Set(now.map(({ id }) => id));
    ids = new Set([...mine, ...[...(ids ?? [])].filter((id) => !there.has(id))]);
  };
  regroup();
  return ({ workerId, type }) => {
    if (REGROUPED.has(type)) regroup();
    if (ids !== null && (workerId === null || !ids.has(workerId))) return false;
    return wanted.size === 0 || wanted.has(type);
  };
}
