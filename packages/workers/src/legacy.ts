import {
  beginningOfMarks,
  type Clock,
  type Host,
  type Journal,
  type MonotonicTime,
  memoOfJudgement,
  processOf,
  type RunRecord,
  readMark,
  reconcile,
  type WorkerId,
  type WorkerMemo,
  type WorkerSpec,
} from '@hsu-master/core';

/** What an earlier master left to this one. */
export interface Legacy {
  /** Of the configured workers, in the order of `specs`. */
  readonly memos: ReadonlyMap<WorkerId, WorkerMemo>;
  /** Runs of workers that are not configured any more. */
  readonly forgotten: readonly RunRecord[];
}

/** Reads what is there, and takes back records of runs that are known to be over and memos of workers that are gone. */
export function legacyOf(journal: Journal, specs: readonly WorkerSpec[], clock: Clock): Legacy {
  const records = new Map(journal.leftOvers().map((record) => [record.workerId, record]));
  const remembered = journal.memos();
  const memos = new Map<WorkerId, WorkerMemo>();
  // What a master started is never taken for what others start.
  const isManaged = ({ unmanaged }: WorkerSpec): boolean => unmanaged === null;
  for (const spec of specs) {
    const record = (isManaged(spec) ? records.get(spec.id) : null) ?? null;
    const memo = reconcile(remembered.get(spec.id) ?? null, record) ?? judged(journal, spec, clock);
    if (memo !== null) memos.set(spec.id, memo);
    const isAlive = memo !== null && processOf(memo) !== null && memo.trace?.mark === record?.mark;
    if (record !== null && !isAlive) journal.forgetRun(spec.id, record.run);
  }
  const configured = new Set(specs.map(({ id }) => id));
  for (const id of remembered.keys()) if (!configured.has(id) && !records.has(id)) journal.remember(id, null);
  const managed = new Set(specs.filter(isManaged).map(({ id }) => id));
  return { memos, forgotten: [...records.values()].filter(({ workerId }) => !managed.has(workerId)) };
}

/**
 * Runs of earlier masters of this state directory that live and that nobody remembers. The table of processes is read only where something
 * that was written down may be missing.
 */
export function unrecorded(
  { journal, host, clock, instance }: Unrecorded,
  memos: ReadonlyMap<WorkerId, WorkerMemo>,
): readonly RunRecord[] {
  if (!journal.mayLack()) return [];
  const known = new Set([
    ...journal.leftOvers().map(({ mark }) => mark),
    ...[...memos.values()].map(({ trace }) => trace?.mark),
  ]);
  return host.findMarked(beginningOfMarks(instance)).flatMap(({ mark, process }) => {
    const read = known.has(mark) ? null : readMark(mark);
    if (read === null) return [];
    const { workerId, run } = read;
    return [{ workerId, run, process, mark, at: clock.now(), command: null, limits: null }];
  });
}

interface Unrecorded {
  readonly journal: Journal;
  readonly host: Host;
  readonly clock: Clock;
  readonly instance: string;
}

/** After a reboot, or where all else was lost. */
function judged(journal: Journal, spec: WorkerSpec, clock: Clock): WorkerMemo | null {
  const judgement = journal.judgement(spec.id);
  if (judgement === null || !spec.enabled) return null;
  return memoOfJudgement(judgement, spec, clock.now(), clock.wallNow());
}

/**
 * What is wanted of a worker now: a wish of the operator’s holds; a worker that only the end of the earlier master had stopped is wanted
 * as its spec says; and one that was disabled meanwhile is not.
 */
export function wantedOf(
  { enabled }: WorkerSpec,
  memo: WorkerMemo,
  wish: 'up' | 'down' | null,
): 'up' | 'down' {
  if (wish === 'down' || (memo.enabled && !enabled)) return 'down';
  return memo.desired === 'up' || enabled ? 'up' : 'down';
}

/**
 * The dependency with `restart` whose end a running worker was not told of: since its master did not live long enough, or since it is
 * ended now; null: none.
 */
export function lostOf(
  spec: WorkerSpec,
  memos: ReadonlyMap<WorkerId, WorkerMemo>,
  isEnding: (id: WorkerId) => boolean,
): WorkerId | null {
  const began = beganAt(memos.get(spec.id));
  if (began === null) return null;
  const lost = spec.dependsOn.find(({ id, restart }) => {
    const end = memos.get(id)?.lastEnd?.at ?? Number.NEGATIVE_INFINITY;
    return restart && (end > began || isEnding(id));
  });
  return lost?.id ?? null;
}

function beganAt(memo: WorkerMemo | undefined): MonotonicTime | null {
  const { phase, trace } = memo ?? {};
  if (phase?.name === 'running') return phase.since;
  return phase?.name === 'starting' ? (trace?.at ?? null) : null;
}
