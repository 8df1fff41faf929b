import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerId } from '@hsu-master/core';
import { replaceFile } from '../atomic-file.ts';
import { makeDirectory } from '../journal/make-directory.ts';

/** Which port each worker had last: it is given again after a restart of the worker or the master, and is that of a run that outlived one. */
export interface PortMemory {
  recall(workerId: WorkerId): number | null;
  /** On return it is in place. Throws where it cannot be. */
  keep(workerId: WorkerId, port: number): void;
  forget(workerId: WorkerId): void;
}

/** For the life of a master only. */
export function shortMemory(): PortMemory {
  const ports = new Map<WorkerId, number>();
  return {
    recall: (workerId) => ports.get(workerId) ?? null,
    keep: (workerId, port) => void ports.set(workerId, port),
    forget: (workerId) => void ports.delete(workerId),
  };
}

/** One small file for each worker that was given a port. Not synced: what a power cut takes is chosen anew. */
export function portMemory(directory: string): PortMemory {
  const known = new Map<WorkerId, number | null>();
  const fileOf = (workerId: WorkerId) => join(directory, workerId);
  return {
    recall(workerId) {
      let port = known.get(workerId);
      if (port === undefined) {
        port = readPort(fileOf(workerId));
        known.set(workerId, port);
      }
      return port;
    },
    keep(workerId, port) {
      if (known.get(workerId) === port) return;
      makeDirectory(directory, 0o700);
      replaceFile(fileOf(workerId), `${port}\n`, 0o600);
      known.set(workerId, port);
    },
    forget(workerId) {
      if (known.get(workerId) === undefined) return;
      known.set(workerId, null);
      rmSync(fileOf(workerId), { force: true });
    },
  };
}

/** A torn or foreign text is no port. */
function readPort(file: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const port = Number(/^(\d{1,5})\n$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535 ? port : null;
}
