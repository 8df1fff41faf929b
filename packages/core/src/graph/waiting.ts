import type { DependencyCondition, WorkerId } from '../worker/spec.ts';

/** A dependency that is not there yet. */
export interface Waiting {
  readonly id: WorkerId;
  /** ended: the worker’s own process of an earlier master is not gone yet. */
  readonly condition: DependencyCondition | 'ended';
  /** What the dependency is doing instead, with its probe’s last answer where there is one. */
  readonly reason: string;
}
