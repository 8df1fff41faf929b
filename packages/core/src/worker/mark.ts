import type { WorkerId } from './spec.ts';

/** What the value of HSU_RUN says of the processes of a run. */
export interface Mark {
  /** Names the state directory of its master: by it a later master of that directory knows them again without a record. */
  readonly instance: string;
  /** Unique per master life; without a dot. */
  readonly masterId: string;
  readonly workerId: WorkerId;
  readonly run: number;
}

/** The value of HSU_RUN. */
export function markOf({ instance, masterId, workerId, run }: Mark): string {
  return `${beginningOfMarks(instance)}${masterId}.${workerId}.${run}`;
}

/** What the marks of all runs of an instance begin with, and of no other’s. */
export function beginningOfMarks(instance: string): string {
  return `${instance}/`;
}

/** null: it is not that of a run: a helper’s, which may have been asked to start what lives on, or one of an older version. */
export function readMark(mark: string): Mark | null {
  const [, instance, masterId, workerId, run] = /^([^/]*)\/([^/.]+)\.(.+)\.(\d+)$/.exec(mark) ?? [];
  if (instance === undefined || masterId === undefined || workerId === undefined) return null;
  return { instance, masterId, workerId, run: Number(run) };
}
