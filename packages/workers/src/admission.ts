import { findCycle, HsuError, type WorkerId, type WorkerSpec } from '@hsu-master/core';

/**
 * All specs together, where the new ones can join those that are there.
 * @throws HsuError E_DUPLICATE_WORKER, E_MISSING_DEPENDENCY, E_CYCLE
 */
export function admit(present: readonly WorkerSpec[], specs: readonly WorkerSpec[]): readonly WorkerSpec[] {
  const all = [...present, ...specs];
  const ids = new Set<WorkerId>();
  for (const { id } of all) {
    if (ids.has(id)) throw new HsuError('E_DUPLICATE_WORKER', `worker "${id}" is there already`, { id });
    ids.add(id);
  }
  for (const { id, dependsOn } of specs) {
    const missing = dependsOn.find((dependency) => !ids.has(dependency.id));
    if (missing === undefined) continue;
    const message = `worker "${id}" depends on "${missing.id}", which is not defined`;
    throw new HsuError('E_MISSING_DEPENDENCY', message, { id, missing: missing.id });
  }
  const cycle = findCycle(all);
  if (cycle !== null) {
    const message = `workers depend on each other in a circle: ${cycle.join(' → ')}`;
    throw new HsuError('E_CYCLE', message, { cycle });
  }
  return all;
}
