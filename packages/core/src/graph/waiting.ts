import type { DependencyCondition, WorkerId } from '../worker/spec.ts';

/** A dependency that is not there yet. */
export interface Waiting {
  readonly id: WorkerId;
  /** ended: the worker’s own process of an earlier master is not gone yet. process: its own process, which others start, is not there. */
  readonly condition: DependencyCondition | 'ended' | 'process';
  /** What the dependency is doing instead, with its probe’s last answer where there is one. */
  readonly reason: string;
}

/** Whether it waits for something of its own, which needs no name. */
export function isForItself({ condition }: Waiting): boolean {
  return condition === 'ended' || condition === 'process';
}

/** What is awaited, in words that follow "waiting for". */
export function describeWaiting(waiting: Waiting): string {
  const { id, condition, reason } = waiting;
  return isForItself(waiting) ? reason : `${id} to be ${condition} (${reason})`;
}
