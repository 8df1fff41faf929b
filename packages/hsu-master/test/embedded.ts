import { createMaster, type HsuEvent, type Master, type MasterOptions } from '../src/index.ts';
import { PATIENCE, type Stage } from './drive.ts';

type Type = HsuEvent['type'];
type EventOf<T extends Type> = Extract<HsuEvent, { type: T }>;

/** A master in this process, and all its events. */
export interface Embedded extends AsyncDisposable {
  readonly master: Master;
  readonly events: readonly HsuEvent[];
  of<T extends Type>(type: T, id?: string): readonly EventOf<T>[];
  /** The `n`-th event of this type of a worker, as soon as it has come. */
  event<T extends Type>(type: T, id: string | null, n?: number): Promise<EventOf<T>>;
}

/** Makes a master in this process with a state directory of the stage; ended by `await using`. */
export function embed(
  stage: Stage,
  workers: readonly object[],
  options: Partial<MasterOptions> = {},
): Embedded {
  const master = createMaster({
    config: { workers },
    directory: stage.folder,
    stateDirectory: stage.path('state'),
    environment: stage.environment(),
    ...options,
  });
  const events: HsuEvent[] = [];
  const watchers = new Set<() => void>();
  master.events.subscribe((event) => {
    events.push(event);
    for (const look of watchers) look();
  });
  function of<T extends Type>(type: T, id?: string): readonly EventOf<T>[] {
    const found = events.filter(
      (event) => event.type === type && (id === undefined || event.workerId === id),
    );
    return found as EventOf<T>[];
  }
  return {
    master,
    events,
    of,
    event<T extends Type>(type: T, id: string | null, n = 1): Promise<EventOf<T>> {
      const find = () => events.filter((event) => event.type === type && event.workerId === id)[n - 1];
      return new Promise((resolve, reject) => {
        const patience = setTimeout(() => {
          watchers.delete(look);
          reject(new Error(`no ${type} number ${n} of ${id}; there were: ${story(events)}`));
        }, PATIENCE);
        function look(): void {
          const found = find();
          if (found === undefined) return;
          clearTimeout(patience);
          watchers.delete(look);
          resolve(found as EventOf<T>);
        }
        watchers.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      const over = master.shutdown({ deadline: PATIENCE });
      master.force();
      await over;
    },
  };
}

function story(events: readonly HsuEvent[]): string {
  return events.map(({ type, workerId }) => `${type} ${workerId ?? ''}`).join(', ');
}
