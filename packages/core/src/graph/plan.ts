import type { Dependency, WorkerId } from '../worker/spec.ts';
import { dependents, type GraphNode } from './order.ts';
import type { Waiting } from './waiting.ts';

/** What a dependent can see of a dependency. */
export interface DependencyView {
  readonly started: boolean;
  readonly ready: boolean;
  readonly completed: boolean;
  /** What it is doing, in words: `starting`, `backoff 12s`, `not ready: HTTP 503 …`. */
  readonly doing: string;
}

function isMet(dependency: Dependency, view: DependencyView): boolean {
  if (dependency.condition === 'completed') return view.completed;
  return dependency.condition === 'ready' ? view.ready : view.started;
}

/** The dependencies that are not there yet. A dependency that is not defined counts as never there. */
export function waitingFor(
  dependencies: readonly Dependency[],
  view: (id: WorkerId) => DependencyView | null,
): readonly Waiting[] {
  const waiting: Waiting[] = [];
  for (const dependency of dependencies) {
    const seen = view(dependency.id);
    if (seen !== null && isMet(dependency, seen)) continue;
    waiting.push({
      id: dependency.id,
      condition: dependency.condition,
      reason: seen?.doing ?? 'not defined',
    });
  }
  return waiting;
}

/** During an ordered stop: those workers whose dependents all rest, so that they may be stopped now. */
export function stoppable(nodes: readonly GraphNode[], atRest: ReadonlySet<WorkerId>): readonly WorkerId[] {
  const needed = dependents(nodes);
  return nodes
    .filter((node) => !atRest.has(node.id))
    .filter((node) => (needed.get(node.id) ?? []).every((dependent) => atRest.has(dependent)))
    .map((node) => node.id);
}
