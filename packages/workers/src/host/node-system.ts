import type { Exit, ProcessIdentity } from '@hsu-master/core';
import type { ProcessSystem } from './forest.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProcessRow } from './tree.ts';

/** The system as Node itself shows it. */
export class NodeSystem implements ProcessSystem {
  readonly ownPid = process.pid;
  readonly #table: ProcessTable;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  processTable(): readonly ProcessRow[] {
    return this.#table.rows();
  }

  markOf(pid: number): string | null | undefined {
    return this.#table.variableOf(pid, 'HSU_RUN');
  }

  orphans(): null {
    return null;
  }

  identify(pid: number): ProcessRow | null {
    const row = this.#table.row(pid);
    return row === null || row.state === 'Z' || row.state === 'X' ? null : row;
  }

  rowOf(pid: number): ProcessRow | null {
    return this.#table.row(pid);
  }

  signalProcess({ pid, startedAt }: ProcessIdentity, signal: number): boolean {
    if (this.identify(pid)?.startedAt !== startedAt) return false;
    try {
      process.kill(pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  watch(_process: ProcessIdentity, _status: boolean, _gone: (exit: Exit) => void): null {
    return null;
  }
}
