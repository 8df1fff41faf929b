import { join } from 'node:path';
import { type Clock, HsuError, type Journal, type MonotonicTime } from '@hsu-master/core';
import { realClock } from '../real-clock.ts';
import { BootLog } from './boot-log.ts';
import { DesiredFile } from './desired-file.ts';
import { makeDirectory } from './make-directory.ts';
import { RunNumbers } from './run-numbers.ts';

export interface JournalPlaces {
  /** For what a reboot voids: records of living processes, and what is remembered of workers. */
  readonly runDirectory: string;
  /** For what outlives a reboot: what the operator wants, and what is held against workers. */
  readonly stateDirectory: string;
  /** Names this boot of the machine. */
  readonly bootId: string;
  /** What runs count from of which a former version did not write down when they began; by default the moment of opening. */
  readonly now?: MonotonicTime;
  readonly clock?: Clock;
  /** Told when something that was said could not be written yet. */
  readonly failed: (error: unknown) => void;
}

/** A journal in files. */
export interface FileJournal extends Journal {
  /** Resolves when everything said so far is on disk. */
  settled(): Promise<void>;
  /** The same, then lets go of the files; what is said afterwards is lost, and no run can be recorded. */
  close(): Promise<void>;
}

/**
 * Opens (and makes) the journal of one master.
 * @throws HsuError E_STATE naming the path where a directory or file cannot be used
 */
export function openJournal(places: JournalPlaces): FileJournal {
  const { desired, log, numbers } = openFiles(places);
  const leftOvers = log.runs();
  const memos = log.memos();
  // A master that was killed may not have had the time.
  for (const [id, run] of log.runsNamed) numbers.note(id, run);
  // Said to this boot’s log at once; the file that is synced may not have had the time, or was damaged since.
  for (const [id, wish] of log.wishes()) desired.set(id, wish);
  for (const id of desired.down) if (!log.wishes().has(id)) log.wish(id, 'down');
  const settled = async (): Promise<void> => {
    await Promise.all([desired.settled(), numbers.settled()]);
  };
  return {
    leftOvers: () => leftOvers,
    memos: () => memos,
    judgement: (workerId) => desired.judgement(workerId),
    refusals: () => [
      ...log.refusals,
      ...[desired.refusal, numbers.refusal].filter((refusal) => refusal !== null),
    ],
    lastRun: (workerId) => numbers.last(workerId),
    mayLack: () => log.mayLack,
    recordRun(record) {
      log.record(record);
      numbers.note(record.workerId, record.run);
    },
    forgetRun: (workerId, run) => log.forget(workerId, run),
    remember(workerId, memo) {
      if (memo !== null) numbers.note(workerId, memo.run);
      // From now on nothing else knows its number.
      else numbers.write();
      log.remember(workerId, memo);
    },
    recordJudgement: (workerId, judgement) => desired.judge(workerId, judgement),
    recordDesired(workerId, wanted) {
      if (desired.down.has(workerId) === (wanted === 'down')) return;
      log.wish(workerId, wanted);
      desired.set(workerId, wanted);
    },
    desired: (workerId) => (desired.down.has(workerId) ? 'down' : null),
    settled,
    async close() {
      await Promise.all([desired.settled(), numbers.close()]);
      log.close();
    },
  };
}

interface Files {
  readonly desired: DesiredFile;
  readonly numbers: RunNumbers;
  readonly log: BootLog;
}

function openFiles(places: JournalPlaces): Files {
  const { stateDirectory, runDirectory: directory, bootId, failed, clock = realClock() } = places;
  const { now = clock.now() } = places;
  try {
    makeDirectory(stateDirectory, 0o700);
    const desired = new DesiredFile(join(stateDirectory, 'desired.json'), failed);
    const numbers = new RunNumbers(join(stateDirectory, 'run-numbers.json'), clock, failed);
    return { desired, numbers, log: new BootLog({ directory, bootId, now, failed }) };
  } catch (error) {
    const message = `cannot use the state directory ${stateDirectory}: ${error instanceof Error ? error.message : String(error)}`;
    throw new HsuError('E_STATE', message, { ...places, failed: undefined }, error);
  }
}
