import type { MonotonicTime, WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

interface History {
  /** When automatic restarts were due since the last time that all was forgiven. */
  readonly restarts: MonotonicTime[];
  /** null: the present run did not start. */
  startedAt: MonotonicTime | null;
  byProbe: boolean;
  /** The breaker was opened; only one trial may follow. */
  tripped: boolean;
  /** No start before this, but on command. */
  notBefore: MonotonicTime;
}

function livedAt(record: History, now: MonotonicTime): number {
  return record.startedAt === null ? 0 : now - record.startedAt;
}

/** Automatic restarts: at most so many in a window, one trial while the breaker is open, none before its delay is over. */
export function checkRestarts(world: World): Check {
  const { clock, specs } = world;
  let records = new Map<WorkerId, History>();
  const recordOf = (id: WorkerId): History => {
    const known = records.get(id);
    if (known !== undefined) return known;
    const record: History = { restarts: [], startedAt: null, byProbe: false, tripped: false, notBefore: 0 };
    records.set(id, record);
    return record;
  };
  const forgive = (record: History): void => {
    record.restarts.length = 0;
    record.tripped = false;
  };
  return {
    master() {
      records = new Map();
    },
    order({ kind, id }) {
      if (id === null || (kind !== 'start' && kind !== 'restart' && kind !== 'reset')) return;
      forgive(recordOf(id));
      recordOf(id).notBefore = 0;
    },
    event(event) {
      const { workerId } = event;
      const policy = workerId === null ? undefined : specs.get(workerId)?.restart;
      if (workerId === null || policy === undefined) return;
      const record = recordOf(workerId);
      const now = clock.now();
      switch (event.type) {
        case 'worker.starting':
          record.byProbe = false;
          if (now < record.notBefore - 1e-6) {
            world.violate(
              'restarts-are-bounded',
              `${workerId} started ${record.notBefore - now} ms before its delay was over`,
            );
          }
          record.notBefore = 0;
          record.startedAt = null;
          return;
        case 'worker.started':
          record.startedAt = now;
          return;
        case 'worker.stopping':
          record.byProbe = event.payload.cause === 'liveness' || event.payload.cause === 'startup';
          return;
        case 'worker.stopped':
          forgive(record);
          return;
        case 'worker.exited':
          if (livedAt(record, now) >= Math.max(policy.exit.resetAfter, policy.health.resetAfter))
            forgive(record);
          return;
        case 'worker.backing-off': {
          const rule = record.byProbe ? policy.health : policy.exit;
          if (livedAt(record, now) >= rule.resetAfter) forgive(record);
          const { delay, breaker } = event.payload;
          record.notBefore = now + delay;
          if (breaker === 'open') {
            record.tripped = true;
            return;
          }
          if (record.tripped)
            world.violate('restarts-are-bounded', `${workerId} had its trial and was restarted again`);
          const counted = record.restarts.filter((at) => now - at < rule.window).length;
          if (rule.maxRetries > 0 && counted >= rule.maxRetries) {
            world.violate(
              'restarts-are-bounded',
              `${workerId} was restarted ${counted + 1} times within ${rule.window} ms`,
            );
          }
          record.restarts.push(now + delay);
          return;
        }
        default:
      }
    },
  };
}
