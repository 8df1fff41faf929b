import { HsuError } from '../errors.ts';
import type { WorkerId } from '../worker/spec.ts';
import type { Cancellation, Control } from './control.ts';
import { fitsGlob, fitsPattern, type Selectable, type Selection } from './select.ts';
import type { WorkerView } from './view.ts';

/** How workers are, then each that has become another one; `removed`: there is none of that id any more, or it is chosen no more. */
export type StateNews =
  | { readonly kind: 'states'; readonly seq: number; readonly workers: readonly WorkerView[] }
  | { readonly kind: 'state'; readonly seq: number; readonly worker: WorkerView }
  | { readonly kind: 'removed'; readonly seq: number; readonly id: WorkerId };

/** When workers may have come or gone. */
export const REGROUPED: ReadonlySet<string> = new Set(['config.loaded', 'config.applied', 'worker.removed']);

/**
 * States of the workers that are chosen and may be told, also of those that come later, until the signal is aborted. Between two askings
 * several changes may have come: the last counts, and nothing is held for who asks slowly.
 */
export async function* statesFrom(
  control: Pick<Control, 'workers' | 'worker' | 'events'>,
  { patterns, namespace }: Selection,
  may: (worker: WorkerView) => boolean,
  signal: Cancellation,
): AsyncGenerator<StateNews, void, void> {
  const { events } = control;
  const isMeant = (worker: WorkerView): boolean => isChosen(worker, { patterns, namespace }) && may(worker);
  const meant = (): readonly WorkerView[] =>
    control.workers({ patterns: [], namespace: null }, false).filter(isMeant);
  const known = new Set<WorkerId>();
  const changed = new Set<WorkerId>();
  let isRegrouped = false;
  let wake: () => void = () => {};
  const unsubscribe = events.subscribe(({ workerId, type }) => {
    if (REGROUPED.has(type)) isRegrouped = true;
    if (workerId !== null && known.has(workerId)) changed.add(workerId);
    if (isRegrouped || changed.size > 0) wake();
  });
  const abort = (): void => wake();
  signal.addEventListener('abort', abort);
  try {
    const workers = meant();
    for (const { id } of workers) known.add(id);
    yield { kind: 'states', seq: events.seq, workers };
    while (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (isRegrouped) {
        isRegrouped = false;
        const now = new Set(meant().map(({ id }) => id));
        for (const id of now) if (!known.has(id)) changed.add(id);
        for (const id of known) if (!now.has(id)) changed.add(id);
      }
      for (const id of changed) {
        changed.delete(id);
        const worker = findWorker(control, id);
        const isThere = worker !== null && isMeant(worker);
        if (isThere) {
          known.add(id);
          yield { kind: 'state', seq: events.seq, worker };
        } else if (known.delete(id)) yield { kind: 'removed', seq: events.seq, id };
        if (signal.aborted) return;
      }
      if (changed.size === 0 && !isRegrouped && !signal.aborted) await promise;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', abort);
  }
}

/** Whether a selection means this worker, whoever else there is. */
export function isChosen(worker: Selectable, { patterns, namespace }: Selection): boolean {
  if (namespace !== null && !fitsGlob(namespace, worker.namespace ?? '')) return false;
  return patterns.length === 0 || patterns.some((pattern) => fitsPattern(pattern, worker));
}

/** null: there is none of that id, any more. */
export function findWorker(control: Pick<Control, 'worker'>, id: WorkerId): WorkerView | null {
  try {
    return control.worker(id);
  } catch (error) {
    if (error instanceof HsuError && error.code === 'E_UNKNOWN_WORKER') return null;
    throw error;
  }
}
