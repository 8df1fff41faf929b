import { processOf, startOrder, type WorkerId, type WorkerMemo } from '@hsu-master/core';
import type { Dependencies } from './dependencies.ts';
import type { Fleet } from './fleet.ts';
import type { LeftOvers } from './left-overs.ts';
import { legacyOf, lostOf, unrecorded, wantedOf } from './legacy.ts';
import type { Surroundings, WorkerActor } from './worker-actor.ts';

/** Goes on where an earlier master was: first all that is alive, then the rest in the order of dependencies. */
export function takeOver(
  surroundings: Surroundings,
  fleet: Fleet,
  dependencies: Dependencies,
  leftOvers: LeftOvers,
): void {
  const { journal, clock } = surroundings;
  const specs = startOrder(fleet.specs()).map((id) => fleet.of(id).spec);
  const { memos, forgotten } = legacyOf(journal, specs, clock);
  leftOvers.end(forgotten);
  leftOvers.endUnrecorded(unrecorded(surroundings, memos));
  const known = [...memos].map(([id, memo]) => ({ actor: fleet.of(id), memo }));
  const alive = known.filter(({ memo }) => processOf(memo) !== null);
  const recall = (actor: WorkerActor, memo: WorkerMemo): void =>
    actor.recall(memo, wantedOf(actor.spec, memo, journal.desired(actor.spec.id)));
  for (const { actor, memo } of alive) recall(actor, memo);
  const isEnding = (id: WorkerId): boolean => fleet.of(id).worker.phase.name === 'stopping';
  for (const { actor } of alive) dependencies.tell(actor, lostOf(actor.spec, memos, isEnding));
  for (const { actor, memo } of known) {
    if (processOf(memo) !== null) continue;
    dependencies.show(actor);
    recall(actor, memo);
  }
}
