import { join } from 'node:path';
import { HsuError, type Journal, type RunRecord, type WorkerId } from '@hsu-master/core';
import { DesiredFile } from './desired-file.ts';
import { makeDirectory } from './make-directory.ts';
import { RunRecords } from './run-records.ts';

export interface JournalPlaces {
  /** For what a reboot voids: records of living processes. */
  readonly runDirectory: string;
  /** For what outlives a reboot: what the operator wants. */
  readonly stateDirectory: string;
  /** Names this boot of the machine. */
  readonly bootId: string;
  /** Told when something that was said could not be written yet. */
  readonly failed: (error: unknown) => void;
}

/** A journal in files. */
export interface FileJournal extends Journal {
  /** Resolves when everything said so far is on disk. */
  settled(): Promise<void>;
  /** The same, then lets go of the files; nothing may be said afterwards. */
  close(): Promise<void>;
}

/**
 * Opens (and makes) the journal of one master.
 * @throws HsuError E_STATE naming the path where a directory or file cannot be used
 */
export function openJournal(places: JournalPlaces): FileJournal {
  const { desired, records, leftOvers } = openFiles(places);
  return {
    leftOvers: () => leftOvers,
    memos: () => new Map(),
    judgement: () => null,
    refusals: () => [],
    remember: () => {},
    recordJudgement: () => {},
    recordRun(record: RunRecord) {
      records.write(record);
    },
    forgetRun(workerId: WorkerId, run: number) {
      records.remove(workerId, run);
    },
    recordDesired(workerId: WorkerId, wanted: 'up' | 'down') {
      desired.set(workerId, wanted);
    },
    desired: (workerId: WorkerId) => (desired.isDown(workerId) ? 'down' : null),
    settled: () => desired.settled(),
    async close() {
      await desired.settled();
      records.close();
    },
  };
}

function openFiles(places: JournalPlaces): {
  readonly desired: DesiredFile;
  readonly records: RunRecords;
  readonly leftOvers: readonly RunRecord[];
} {
  try {
    makeDirectory(places.stateDirectory, 0o700);
    const desired = new DesiredFile(join(places.stateDirectory, 'desired.json'), places.failed);
    const records = new RunRecords(places.runDirectory, places.bootId, places.failed);
    return { desired, records, leftOvers: records.living() };
  } catch (error) {
    const message = `cannot use the state directory ${places.stateDirectory}: ${error instanceof Error ? error.message : String(error)}`;
    throw new HsuError('E_STATE', message, { ...places, failed: undefined }, error);
  }
}
