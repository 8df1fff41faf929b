import type { Exit, Milliseconds, ProcessIdentity } from '@hsu-master/core';
import { assign, type ProcessRow, Tree } from './tree.ts';

/** What is needed of an operating system to know and end process trees. */
export interface ProcessSystem {
  readonly ownPid: number;
  processTable(): readonly ProcessRow[];
  /** HSU_RUN in the environment of a process; null where it has none or may not be read, undefined where it cannot be asked at the moment. */
  markOf(pid: number): string | null | undefined;
  /** Living children that the master inherited, none left out; null where it does not inherit. */
  orphans(): readonly number[] | null;
  /** The living process that has this pid. */
  identify(pid: number): ProcessRow | null;
  /** The same, or one that has ended and that nobody has reaped. */
  rowOf(pid: number): ProcessRow | null;
  /** Sends a signal to exactly that process; false where it is gone or may not be signalled. `grace`: as that of `HostRun.signalTree`. */
  signalProcess(process: ProcessIdentity, signal: number, grace?: Milliseconds | null): boolean;
  /**
   * Calls `gone` once when the process has ended, with `status` a moment later if that tells how it ended. Returns what ends the
   * watch, or null where it cannot be watched.
   */
  watch(process: ProcessIdentity, status: boolean, gone: (exit: Exit) => void): (() => void) | null;
}

/** A process that was not there before. */
type Newcomer = Pick<ProcessRow, 'pid' | 'ppid' | 'pgid' | 'sid'> & { readonly startTime: string };

/** Where an inherited process belongs; `unknown` until somebody has looked. */
type Owner = Tree | 'none' | 'unknown';

/** What one look has found. */
interface Survey {
  readonly members: ReadonlyMap<Tree, readonly ProcessRow[]>;
  /** No living process of a tree that this host started was overlooked. */
  readonly complete: boolean;
  /** Nothing changed that could have hidden anybody at all: what is not inherited may be overlooked otherwise. */
  readonly still: boolean;
}

/** The living members after the leader’s end. Where there are none and it is not sure, ask again in a moment. */
export interface Remaining {
  readonly rows: readonly ProcessRow[];
  readonly sure: boolean;
}

/** How often the list of the inherited is compared with the table before the look counts as incomplete. */
const ROUNDS = 8;

/** All process trees of one host: one look at the system serves all of them. */
export class Forest {
  readonly system: ProcessSystem;
  readonly #trees = new Set<Tree>();
  readonly #onStray: (stray: ProcessIdentity) => void;
  readonly #strays = new Map<number, ProcessIdentity>();
  /** A stray has ended since the last look: it may have left children. */
  #strayReaped = false;
  /** Children that the master had before it had this host: inherited through exec, not by adoption. */
  readonly #foreign: Set<number>;
  #marks = new Map<number, { readonly startedAt: string; readonly mark: string | null }>();
  /** Trees that were there before this host: what they leave behind is inherited by somebody else. */
  readonly #found = new WeakSet<Tree>();
  /** Zombies that earlier looks saw: they hide nobody. */
  #dead = new Map<number, string>();
  #survey: Survey | null = null;
  #inherited: readonly Owner[] | null = null;
  #soon: (() => void)[] = [];
  #closed = false;

  /**
   * `onStray` is called once for each stray that a look has found. `isSuccessor`: an earlier program of this process was a master, too,
   * so that its children are what workers left.
   */
  constructor(
    system: ProcessSystem,
    onStray: (stray: ProcessIdentity) => void = () => {},
    isSuccessor = false,
  ) {
    this.system = system;
    this.#onStray = onStray;
    this.#foreign = new Set(isSuccessor ? [] : (system.orphans() ?? []));
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
    const row = this.system.rowOf(leader.pid);
    const alive = row?.startedAt === leader.startedAt;
    const sharedSession = alive && row.sid !== leader.pid ? row.sid : null;
    const tree = new Tree(leader, mark, alive, sharedSession);
    // What a child of ours leaves behind comes to us: an earlier program of this very process began it.
    if (!alive || row.ppid !== this.system.ownPid) this.#found.add(tree);
    return tree;
  }

  /** The tree of a process that somebody else started. */
  foreign(leader: ProcessIdentity): Tree {
    const tree = new Tree(leader, `foreign.${leader.pid}.${leader.startedAt}`, false, null, true);
    this.#found.add(tree);
    return tree;
  }

  /** These are nobody’s charge any more, even if they are inherited. */
  disown(processes: readonly ProcessIdentity[]): void {
    for (const { pid } of processes) this.#foreign.add(pid);
  }

  /** The living members of a tree. Everything asked within one stretch of synchronous code is answered from one look. */
  members(tree: Tree): readonly ProcessRow[] {
    this.#survey ??= this.#look();
    return this.#survey.members.get(tree) ?? [];
  }

  /**
   * The living members after the leader’s end. Where its group is empty and the master inherited nothing new, the tree is empty
   * and no table is read: who leaves the group and lives on has lost its parent to the master by now.
   */
  remaining(tree: Tree, groupEmpty: boolean): Remaining {
    if (groupEmpty) {
      this.#inherited ??= this.#listInherited();
      const concerned = this.#inherited?.some((owner) => owner === tree || owner === 'unknown') ?? true;
      if (!concerned && tree.group?.isPopulated() !== true) return { rows: [], sure: true };
    }
    this.#survey ??= this.#look();
    const rows = this.#survey.members.get(tree) ?? [];
    // What is in a group has no need to be found.
    if (rows.length === 0 && tree.group?.isPopulated() === true) return { rows, sure: false };
    return { rows, sure: this.#found.has(tree) ? this.#survey.still : this.#survey.complete };
  }

  /**
   * Whether any of these processes, which have begun lately, may be of a tree: descends from a member, shares its group or session, or
   * was inherited.
   */
  concerns(newcomers: readonly Newcomer[]): boolean {
    if (newcomers.length === 0) return false;
    const members = new Map<number, string>();
    for (const { seen } of this.#trees) for (const [pid, startedAt] of seen) members.set(pid, startedAt);
    const { ownPid } = this.system;
    return newcomers.some(({ pid, startTime, ppid, pgid, sid }) => {
      if (members.get(pid) === startTime) return false;
      return ppid === ownPid || members.has(ppid) || members.has(pgid) || members.has(sid);
    });
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

  /** Whether a look now overlooks nobody that the master inherited; true where it does not inherit. */
  knowsInherited(): boolean {
    if (this.system.orphans() === null) return true;
    this.#survey ??= this.#look();
    return this.#survey.complete;
  }

  /** Whether the latest look counted that very process among the strays, and it has not ended since. */
  isStray({ pid, startedAt }: ProcessIdentity): boolean {
    return this.#strays.get(pid)?.startedAt === startedAt;
  }

  /** An inherited process has ended and its pid is free. */
  reaped(pid: number): void {
    this.#foreign.delete(pid);
    if (!this.#strays.delete(pid)) return;
    this.#strayReaped = true;
    this.soon(() => void (this.#survey ??= this.#look()));
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

  #look(): Survey {
    const table = this.system.processTable();
    const still = this.#isStill(table);
    const { rows: listed, inherited, complete } = this.#completed(table);
    const { rows, grouped } = this.#grouped(listed);
    const { markOf, unread } = this.#readMarks();
    const census = { rows, ownPid: this.system.ownPid, markOf };
    let members = assign(census, this.#trees);
    if (this.#attribute(this.#unclaimed(rows, inherited, unread))) members = assign(census, this.#trees);
    for (const tree of grouped.trees)
      tree.outside = members.get(tree)?.filter(({ pid }) => !grouped.pids.has(pid)) ?? [];
    this.#forgetAfterThisStretch();
    this.#nameStrays(this.#unclaimed(rows, inherited, unread));
    const asked = inherited === null ? unread.size === 0 : ![...unread].some((pid) => inherited.has(pid));
    return {
      members,
      complete: (inherited === null ? still : complete) && asked,
      still: still && unread.size === 0,
    };
  }

  /** Whether nobody died while the table was read: whoever did may have left a child that was not listed yet. */
  #isStill(table: readonly ProcessRow[]): boolean {
    const earlier = this.#dead;
    this.#dead = new Map();
    let still = true;
    for (const { pid, startedAt, state } of table) {
      if (state === 'X') still = false;
      if (state !== 'Z') continue;
      this.#dead.set(pid, startedAt);
      if (earlier.get(pid) !== startedAt) still = false;
    }
    return still;
  }

  /**
   * The table with the inherited processes that came too late for it. Whoever of a tree is alive and whose ancestors have died is one
   * of them, or descends from one, so that none of a tree is overlooked when all of them are known.
   */
  #completed(table: readonly ProcessRow[]): {
    readonly rows: readonly ProcessRow[];
    readonly inherited: ReadonlySet<number> | null;
    readonly complete: boolean;
  } {
    const known = new Map(table.map((row) => [row.pid, row]));
    let inherited: ReadonlySet<number> | null = null;
    for (let round = 0; round < ROUNDS; round += 1) {
      const orphans = this.system.orphans();
      if (orphans === null) return { rows: table, inherited: null, complete: false };
      inherited = new Set(orphans.filter((pid) => !this.#foreign.has(pid)));
      const late = [...inherited].filter((pid) => !isAlive(known.get(pid)));
      const rows = late.map((pid) => this.system.identify(pid));
      for (const row of rows) if (row !== null) known.set(row.pid, row);
      if (!rows.includes(null)) return { rows: [...known.values()], inherited, complete: true };
    }
    return { rows: [...known.values()], inherited, complete: false };
  }

  /** Gives the trees whom their groups hold; adds to the table who came too late for it. */
  #grouped(listed: readonly ProcessRow[]): {
    readonly rows: readonly ProcessRow[];
    readonly grouped: { readonly trees: readonly Tree[]; readonly pids: ReadonlySet<number> };
  } {
    const trees = [...this.#trees].filter(({ group }) => group !== null);
    const pids = new Set<number>();
    if (trees.length === 0) return { rows: listed, grouped: { trees, pids } };
    const known = new Map(listed.map((row) => [row.pid, row]));
    for (const tree of trees) {
      const found = (tree.group?.pids() ?? []).map((pid) => {
        const row = known.get(pid);
        return isAlive(row) ? row : this.system.identify(pid);
      });
      const living = found.filter((row) => row !== null && row !== undefined);
      for (const row of living) {
        known.set(row.pid, row);
        pids.add(row.pid);
      }
      tree.claim(...living);
    }
    return { rows: [...known.values()], grouped: { trees, pids } };
  }

  /** Marks as earlier looks read them: a program may change its own. Notes whom it could not ask, who may yet turn out to have one. */
  #readMarks() {
    const earlier = this.#marks;
    const unread = new Set<number>();
    this.#marks = new Map();
    const markOf = (row: ProcessRow): string | null => {
      if (!isAlive(row)) return null;
      const known = earlier.get(row.pid);
      let mark = known?.startedAt === row.startedAt ? known.mark : this.system.markOf(row.pid);
      // It died after its row was read, and nobody knows whom it left behind.
      if (mark === null && known === undefined && this.system.identify(row.pid) === null) mark = undefined;
      if (mark === undefined) unread.add(row.pid);
      else this.#marks.set(row.pid, { startedAt: row.startedAt, mark });
      return mark ?? null;
    };
    return { markOf, unread };
  }

  #forgetAfterThisStretch(): void {
    queueMicrotask(() => {
      this.#survey = null;
      this.#inherited = null;
    });
  }

  /** Inherited processes that no tree claims; whom nobody could ask for a mark is not among them yet. */
  #unclaimed(
    rows: readonly ProcessRow[],
    inherited: ReadonlySet<number> | null,
    unread: ReadonlySet<number>,
  ): readonly ProcessRow[] {
    return rows.filter(
      (row) =>
        inherited?.has(row.pid) === true &&
        isAlive(row) &&
        !unread.has(row.pid) &&
        this.#ownerOf(row) === null,
    );
  }

  /**
   * Gives what left no trace to the only tree that can have left it. Trees that are over have left nothing but strays, so where there
   * were none it is certain. Returns whether there was anything to give.
   */
  #attribute(unclaimed: readonly ProcessRow[]): boolean {
    if (this.#strays.size > 0 || this.#strayReaped) return false;
    let given = false;
    for (const row of unclaimed) {
      const possible = [...this.#trees].filter(
        (tree) => !this.#found.has(tree) && Number(tree.leader.startedAt) <= Number(row.startedAt),
      );
      if (possible.length !== 1) continue;
      possible[0]?.claim(row);
      given = true;
    }
    return given;
  }

  #nameStrays(unclaimed: readonly ProcessRow[]): void {
    const earlier = new Map(this.#strays);
    this.#strays.clear();
    this.#strayReaped = false;
    for (const { pid, startedAt } of unclaimed) {
      const stray = { pid, startedAt };
      this.#strays.set(pid, stray);
      // Not from within a look: whoever hears it may ask for another.
      if (earlier.get(pid)?.startedAt !== startedAt) queueMicrotask(() => this.#tellStray(stray));
    }
  }

  #tellStray(stray: ProcessIdentity): void {
    if (!this.#closed) this.#onStray(stray);
  }

  #ownerOf(process: ProcessIdentity): Tree | null {
    for (const tree of this.#trees) if (tree.has(process)) return tree;
    return null;
  }

  /** Null where the master does not inherit. */
  #listInherited(): readonly Owner[] | null {
    const orphans = this.system.orphans();
    if (orphans === null) return null;
    this.#forgetAfterThisStretch();
    return orphans.filter((pid) => !this.#foreign.has(pid)).map((pid) => this.#ownerOfInherited(pid));
  }

  #ownerOfInherited(pid: number): Owner {
    const process = this.system.identify(pid);
    // It has died since, and whom it left behind nobody knows.
    if (process === null) return 'unknown';
    const stray = this.#strays.get(pid)?.startedAt === process.startedAt;
    return this.#ownerOf(process) ?? (stray ? 'none' : 'unknown');
  }
}

function isAlive(row: ProcessRow | undefined): boolean {
  return row !== undefined && row.state !== 'Z' && row.state !== 'X';
}
