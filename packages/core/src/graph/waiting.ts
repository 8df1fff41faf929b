import type { DependencyCondition, WorkerId } from '../worker/spec.ts';

/** A dependency that is not there yet. */
export interface Waiting {
  readonly id: WorkerId;
  readonly condition: DependencyCondition;
  /** What the dependency is doing instead, with its probe’s last answer where there is one. */
  readonly reason: string;
}
