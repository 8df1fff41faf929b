import type { Exit, ProcessIdentity } from '@hsu-master/core';
import { assign, type ProcessRow, Tree } from './tree.ts';

/** What is needed of an operating system to know and end process trees. */
export interface ProcessSystem {
  readonly ownPid: number;
  processTable(): readonly ProcessRow[];
  /** HSU_RUN in the environment of a process; null where it has none or may not be read. */
  markOf(pid: number): string | null;
  /** Living children that the master inherited; null where it does not inherit. */
  orphans(): readonly number[] | null;
  identify(pid: number): ProcessIdentity | null;
  /** Sends a signal to exactly that process; false where it is gone or may not be signalled. */
  signalProcess(process: ProcessIdentity, signal: number): boolean;
  /**
   * Calls `gone` once when the process has ended, with `status` a moment later if that tells how it ended. Returns what ends the
   * watch, or null where it cannot be watched.
   */
  watch(process: ProcessIdentity, status: boolean, gone: (exit: Exit) => void): (() => void) | null;
}

/** An inherited process and where it belongs; `unknown` until somebody has looked. */
interface Inherited {
  readonly process: ProcessIdentity;
  readonly owner: Tree | 'none' | 'unknown';
}

/** All process trees of one host: one look at the system serves all of them. */
export class Forest {
  readonly system: ProcessSystem;
  readonly #trees = new Set<Tree>();
  readonly #strays = new Map<number, ProcessIdentity>();
  /** Children that the master had before it had this host: inherited through exec, not by adoption. */
  readonly #foreign: Set<number>;
  #marks = new Map<number, { readonly startedAt: string; readonly mark: string | null }>();
  #survey: ReadonlyMap<Tree, readonly ProcessRow[]> | null = null;
  #inherited: readonly Inherited[] | null = null;
  #soon: (() => void)[] = [];
  #closed = false;

  constructor(system: ProcessSystem) {
    this.system = system;
    this.#foreign = new Set(system.orphans() ?? []);
  }

  plant(tree: Tree): void {
    this.#trees.add(tree);
    this.#survey = null;
  }

  fell(tree: Tree): void {
    this.#trees.delete(tree);
  }

  /** A tree that was there before this host, with what can still be trusted of its leader’s numbers. */
  found(leader: ProcessIdentity, mark: string): Tree {
    const row = this.system.processTable().find(({ pid }) => pid === leader.pid);
    const alive = row?.startedAt === leader.startedAt;
    const sharedSession = alive && row.sid !== leader.pid ? row.sid : null;
    return new Tree(leader, mark, alive, sharedSession);
  }

  /** The living members of a tree. Everything asked within one stretch of synchronous code is answered from one look. */
  members(tree: Tree): readonly ProcessRow[] {
    this.#survey ??= this.#look();
    return this.#survey.get(tree) ?? [];
  }

  /**
   * The living members after the leader’s end. Where its group is empty and the master inherited nothing new, the tree is empty
   * and no table is read: who leaves the group and lives on has lost its parent to the master by now.
   */
  remaining(tree: Tree, groupEmpty: boolean): readonly ProcessRow[] {
    if (!groupEmpty) return this.members(tree);
    this.#inherited ??= this.#listInherited();
    const concerned = this.#inherited?.some(({ owner }) => owner === tree || owner === 'unknown') ?? true;
    return concerned ? this.members(tree) : [];
  }

  /** Does no more work. */
  close(): void {
    this.#trees.clear();
    this.#soon.length = 0;
    this.#closed = true;
  }

  /** Calls `work` in the next turn of the event loop, together with all other such work, so that it shares one look. */
  soon(work: () => void): void {
    if (this.#closed) return;
    this.#soon.push(work);
    if (this.#soon.length === 1) setImmediate(() => this.#work());
  }

  /** Processes that the master inherited and that belong to no tree by any rule. */
  strays(): readonly ProcessIdentity[] {
    this.#survey ??= this.#look();
    return [...this.#strays.values()];
  }

  /** An inherited process has ended and its pid is free. */
  reaped(pid: number): void {
    this.#strays.delete(pid);
    this.#foreign.delete(pid);
  }

  #work(): void {
    const work = this.#soon;
    this.#soon = [];
    for (const one of work) {
      try {
        one();
      } catch (error) {
        // A defect of one run must not cost the others their turn.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #look(): ReadonlyMap<Tree, readonly ProcessRow[]> {
    const rows = this.system.processTable();
    const earlier = this.#marks;
    this.#marks = new Map();
    const markOf = (row: ProcessRow) => {
      const known = earlier.get(row.pid);
      const mark = known?.startedAt === row.startedAt ? known.mark : this.system.markOf(row.pid);
      this.#marks.set(row.pid, { startedAt: row.startedAt, mark });
      return mark;
    };
    const survey = assign({ rows, ownPid: this.system.ownPid, markOf }, this.#trees);
    this.#forgetAfterThisStretch();
    this.#findStrays(rows);
    return survey;
  }

  #forgetAfterThisStretch(): void {
    queueMicrotask(() => {
      this.#survey = null;
      this.#inherited = null;
    });
  }

  #findStrays(rows: readonly ProcessRow[]): void {
    const orphans = new Set(this.system.orphans() ?? []);
    this.#strays.clear();
    for (const row of rows) {
      if (!orphans.has(row.pid) || this.#foreign.has(row.pid) || row.state === 'Z') continue;
      if (this.#ownerOf(row) !== null) continue;
      this.#strays.set(row.pid, { pid: row.pid, startedAt: row.startedAt });
    }
  }

  #ownerOf(process: ProcessIdentity): Tree | null {
    for (const tree of this.#trees) if (tree.has(process)) return tree;
    return null;
  }

  /** Null where the master does not inherit. */
  #listInherited(): readonly Inherited[] | null {
    const orphans = this.system.orphans();
    if (orphans === null) return null;
    const found: Inherited[] = [];
    for (const pid of orphans) {
      const process = this.#foreign.has(pid) ? null : this.system.identify(pid);
      if (process === null) continue;
      const stray = this.#strays.get(pid)?.startedAt === process.startedAt;
      found.push({ process, owner: this.#ownerOf(process) ?? (stray ? 'none' : 'unknown') });
    }
    this.#forgetAfterThisStretch();
    return found;
  }
}
