import type { WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

/** Processes: one run at a time, grace before killing, nothing left at the end. */
export function checkTrees(world: World): Check {
  const { clock, system, specs } = world;
  /** When the present master first asked a tree to end. */
  let asked = new Map<string, number>();
  let killOrdered = new Set<WorkerId>();
  /** From then on the final stop may kill. */
  let allMayBeKilledAt = Number.POSITIVE_INFINITY;
  return {
    master() {
      asked = new Map();
      killOrdered = new Set();
      allMayBeKilledAt = Number.POSITIVE_INFINITY;
    },
    order({ kind, id, deadline }) {
      if (kind === 'kill' && id !== null) killOrdered.add(id);
      if (kind === 'shutdown') allMayBeKilledAt = clock.now() + (deadline ?? 0);
      if (kind === 'force') allMayBeKilledAt = clock.now();
    },
    news(news) {
      if (news.kind === 'born') {
        const { tree, pid } = news.process;
        if (tree.workerId === null) return;
        const other = system.living(tree.workerId).find((process) => process.tree.mark !== tree.mark);
        if (other !== undefined) {
          world.violate(
            'one-run-at-a-time',
            `pid ${pid} of ${tree.mark} began while pid ${other.pid} of ${other.tree.mark} lives`,
          );
        }
        return;
      }
      if (news.kind !== 'signalled') return;
      const { tree, signal } = news;
      const { workerId } = tree;
      if (workerId === null) return;
      const askedAt = asked.get(tree.mark);
      if (signal !== 'SIGKILL') {
        if (askedAt === undefined) asked.set(tree.mark, clock.now());
        return;
      }
      if (clock.now() >= allMayBeKilledAt || killOrdered.has(workerId)) return;
      const grace = specs.get(workerId)?.stop.grace ?? 0;
      if (askedAt === undefined || clock.now() - askedAt < grace - 1e-6) {
        const waited =
          askedAt === undefined ? 'without asking' : `after ${clock.now() - askedAt} of ${grace} ms`;
        world.violate('grace-is-kept', `${tree.mark} was sent SIGKILL ${waited}`);
      }
    },
    event({ type, workerId }) {
      // An order to kill is about the run that it meets.
      if (type === 'worker.starting' && workerId !== null) killOrdered.delete(workerId);
    },
    ended(survivors) {
      for (const process of system.living()) {
        if (survivors.has(process.pid)) continue;
        world.violate(
          'nothing-outlives-the-stop',
          `pid ${process.pid} of ${process.tree.mark} is alive and was not named`,
        );
      }
    },
  };
}
