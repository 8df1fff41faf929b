import type { WorkerId, WorkerSpec } from '../worker/spec.ts';

/** The part of a spec that the graph looks at. */
export type GraphNode = Pick<WorkerSpec, 'id' | 'dependsOn'>;

/** A circle as its members in order, the first repeated at the end: `a → b → a`. */
export function findCycle(nodes: readonly GraphNode[]): readonly WorkerId[] | null {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<WorkerId>();
  for (const root of nodes) {
    const path: WorkerId[] = [];
    const open = new Set<WorkerId>();
    const todo: { id: WorkerId; leave: boolean }[] = [{ id: root.id, leave: false }];
    for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
      if (step.leave) {
        path.pop();
        open.delete(step.id);
        done.add(step.id);
        continue;
      }
      if (open.has(step.id)) return [...path.slice(path.indexOf(step.id)), step.id];
      if (done.has(step.id)) continue;
      path.push(step.id);
      open.add(step.id);
      todo.push({ id: step.id, leave: true });
      for (const dependency of byId.get(step.id)?.dependsOn ?? [])
        todo.push({ id: dependency.id, leave: false });
    }
  }
  return null;
}

/** Ids so that every worker comes after all that it depends on; among equals in the given order. The graph must have no circle. */
export function startOrder(nodes: readonly GraphNode[]): readonly WorkerId[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const placed = new Set<WorkerId>();
  const order: WorkerId[] = [];
  for (const root of nodes) {
    const todo: { id: WorkerId; place: boolean }[] = [{ id: root.id, place: false }];
    for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
      const node = byId.get(step.id);
      if (node === undefined || placed.has(step.id)) continue;
      if (step.place) {
        placed.add(step.id);
        order.push(step.id);
        continue;
      }
      todo.push({ id: step.id, place: true });
      for (const dependency of [...node.dependsOn].reverse()) todo.push({ id: dependency.id, place: false });
    }
  }
  return order;
}

/** Who depends directly on whom: dependency → its dependents. */
export function dependents(nodes: readonly GraphNode[]): ReadonlyMap<WorkerId, readonly WorkerId[]> {
  const map = new Map<WorkerId, WorkerId[]>();
  for (const node of nodes) {
    for (const dependency of node.dependsOn) {
      const known = map.get(dependency.id);
      if (known === undefined) map.set(dependency.id, [node.id]);
      else known.push(node.id);
    }
  }
  return map;
}
