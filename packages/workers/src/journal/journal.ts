import { join } from 'node:path';
import { HsuError, type Journal, type MonotonicTime } from '@hsu-master/core';
import { realClock } from '../real-clock.ts';
import { BootLog } from './boot-log.ts';
import { DesiredFile } from './desired-file.ts';
import { makeDirectory } from './make-directory.ts';

export interface JournalPlaces {
  /** For what a reboot voids: records of living processes, and what is remembered of workers. */
  readonly runDirectory: string;
  /** For what outlives a reboot: what the operator wants, and what is held against workers. */
  readonly stateDirectory: string;
  /** Names this boot of the machine. */
  readonly bootId: string;
  /** What runs count from of which a former version did not write down when they began; by default the moment of opening. */
  readonly now?: MonotonicTime;
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
  const { desired, log } = openFiles(places);
  const leftOvers = log.runs();
  const memos = log.memos();
  // Said to this boot’s log at once; the file that is synced may not have had the time.
  for (const [id, wish] of log.wishes()) desired.set(id, wish);
  return {
    leftOvers: () => leftOvers,
    memos: () => memos,
    judgement: (workerId) => desired.judgement(workerId),
    refusals: () => log.refusals,
    mayLack: () => log.mayLack,
    recordRun: (record) => log.record(record),
    forgetRun: (workerId, run) => log.forget(workerId, run),
    remember: (workerId, memo) => log.remember(workerId, memo),
    recordJudgement: (workerId, judgement) => desired.judge(workerId, judgement),
    recordDesired(workerId, wanted) {
      if (desired.isDown(workerId) === (wanted === 'down')) return;
      log.wish(workerId, wanted);
      desired.set(workerId, wanted);
    },
    desired: (workerId) => (desired.isDown(workerId) ? 'down' : null),
    settled: () => desired.settled(),
    async close() {
      await desired.settled();
      log.close();
    },
  };
}

function openFiles(places: JournalPlaces): { readonly desired: DesiredFile; readonly log: BootLog } {
  const { stateDirectory, runDirectory: directory, bootId, failed, now = realClock().now() } = places;
  try {
    makeDirectory(stateDirectory, 0o700);
    const desired = new DesiredFile(join(stateDirectory, 'desired.json'), failed);
    return { desired, log: new BootLog({ directory, bootId, now, failed }) };
  } catch (error) {
    const message = `cannot use the state directory ${stateDirectory}: ${error instanceof Error ? error.message : String(error)}`;
    throw new HsuError('E_STATE', message, { ...places, failed: undefined }, error);
  }
}
