import type { ProcessIdentity } from '@hsu-master/core';

/** One process of the system’s table. */
export interface ProcessRow extends ProcessIdentity {
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** One letter, as /proc/pid/stat has it. */
  readonly state: string;
}

/** Processes that the system holds together. */
export interface TreeGroup {
  pids(): readonly number[];
  isPopulated(): boolean;
}

/** One process tree and what is known of it from earlier looks. */
export class Tree {
  readonly leader: ProcessIdentity;
  /** The value of HSU_RUN that its processes were given. */
  readonly mark: string;
  /** Whether a group or session of the leader’s number can only be its own. */
  leads: boolean;
  /** A session that members share with strangers; null for a tree that began with its own. */
  readonly sharedSession: number | null;
  /** Somebody else started it: only what descends from its leader is of it. */
  readonly isForeign: boolean;
  /** Members that earlier looks saw, by pid: they stay members when their parents are gone. */
  seen: ReadonlyMap<number, string>;
  /** What the system itself counts among its members. */
  group: TreeGroup | null = null;
  /** Members that the last look found elsewhere. */
  outside: readonly ProcessIdentity[] = [];

  /** The tree of a process that this host starts, in a session of its own. */
  constructor(
    leader: ProcessIdentity,
    mark: string,
    leads = true,
    sharedSession: number | null = null,
    isForeign = false,
  ) {
    this.leader = leader;
    this.mark = mark;
    this.leads = leads;
    this.sharedSession = sharedSession;
    this.isForeign = isForeign;
    this.seen = new Map([[leader.pid, leader.startedAt]]);
  }

  /** Makes processes that no rule finds members. */
  claim(...processes: readonly ProcessIdentity[]): void {
    this.seen = new Map([...this.seen, ...processes.map(({ pid, startedAt }) => [pid, startedAt] as const)]);
  }

  has(process: ProcessIdentity): boolean {
    return this.seen.get(process.pid) === process.startedAt;
  }
}

/** Who asks, so that it never counts itself. */
export interface Census {
  readonly rows: readonly ProcessRow[];
  readonly ownPid: number;
  markOf(row: ProcessRow): string | null;
}

/**
 * Says which processes belong to which tree: seen before → process group of its leader → session of a member → child of a member →
 * mark in the environment. Updates what the trees have seen; returns the living members, zombies left out.
 */
export function assign(census: Census, trees: Iterable<Tree>): ReadonlyMap<Tree, readonly ProcessRow[]> {
  const membership = new Membership(census, trees);
  membership.resolve();
  return membership.members();
}

class Membership {
  readonly #census: Census;
  readonly #trees: readonly Tree[];
  readonly #byPid: ReadonlyMap<number, ProcessRow>;
  readonly #owners = new Map<number, Tree>();
  readonly #groups = new Map<number, Tree>();
  readonly #sessions = new Map<number, Tree>();
  readonly #marks: ReadonlyMap<string, Tree>;
  readonly #earliest: number;
  readonly #ownSession: number | undefined;

  constructor(census: Census, trees: Iterable<Tree>) {
    this.#census = census;
    this.#trees = [...trees];
    this.#byPid = new Map(census.rows.map((row) => [row.pid, row]));
    this.#ownSession = this.#byPid.get(census.ownPid)?.sid;
    this.#marks = new Map(this.#trees.map((tree) => [tree.mark, tree]));
    this.#earliest = this.#trees.reduce(
      (first, { leader }) => Math.min(first, Number(leader.startedAt)),
      Infinity,
    );
  }

  resolve(): void {
    for (const tree of this.#trees) {
      const holder = this.#byPid.get(tree.leader.pid);
      // Somebody else has the leader’s pid: its group and session are gone, and what bears their number is not ours.
      if (holder !== undefined && holder.startedAt !== tree.leader.startedAt) tree.leads = false;
      if (tree.leads) this.#groups.set(tree.leader.pid, tree);
      if (tree.leads) this.#sessions.set(tree.leader.pid, tree);
      for (const [pid, startedAt] of tree.seen) {
        const row = this.#byPid.get(pid);
        if (row?.startedAt === startedAt) this.#take(row, tree);
      }
    }
    let known = -1;
    // A member that its mark gave away brings its session and children with it, so look until nothing is added.
    while (known !== this.#owners.size) {
      known = this.#owners.size;
      for (const row of this.#census.rows) this.#ownerOf(row, new Set());
    }
  }

  members(): ReadonlyMap<Tree, readonly ProcessRow[]> {
    const result = new Map<Tree, ProcessRow[]>(this.#trees.map((tree) => [tree, []]));
    const seen = new Map<Tree, Map<number, string>>(this.#trees.map((tree) => [tree, new Map()]));
    for (const [pid, tree] of this.#owners) {
      const row = this.#byPid.get(pid) as ProcessRow;
      seen.get(tree)?.set(pid, row.startedAt);
      if (row.state !== 'Z' && row.state !== 'X') result.get(tree)?.push(row);
    }
    for (const [tree, pids] of seen) tree.seen = pids;
    return result;
  }

  #take(row: ProcessRow, tree: Tree): Tree {
    this.#owners.set(row.pid, tree);
    if (!this.#sessions.has(row.sid) && this.#mayTrust(row.sid, tree)) this.#sessions.set(row.sid, tree);
    return tree;
  }

  /** All of a session is of the tree that began it. */
  #mayTrust(sid: number, tree: Tree): boolean {
    return !tree.isForeign && sid !== 0 && sid !== this.#ownSession && sid !== tree.sharedSession;
  }

  #ownerOf(row: ProcessRow, asked: Set<number>): Tree | undefined {
    const known = this.#owners.get(row.pid);
    if (known !== undefined) return known;
    if (row.pid === this.#census.ownPid || row.pid === 1 || Number(row.startedAt) < this.#earliest)
      return undefined;
    const direct = this.#groups.get(row.pgid) ?? this.#sessions.get(row.sid);
    if (direct !== undefined) return this.#take(row, direct);
    const inherited = this.#parentOwner(row, asked) ?? this.#marked(row);
    return inherited === undefined ? undefined : this.#take(row, inherited);
  }

  #parentOwner(row: ProcessRow, asked: Set<number>): Tree | undefined {
    const parent = this.#byPid.get(row.ppid);
    // A table is not read in one instant: a reused pid can make it look circular.
    if (parent === undefined || asked.has(row.pid)) return undefined;
    asked.add(row.pid);
    return this.#ownerOf(parent, asked);
  }

  #marked(row: ProcessRow): Tree | undefined {
    const mark = this.#census.markOf(row);
    return mark === null ? undefined : this.#marks.get(mark);
  }
}

/** Whether both are one process; null is none. */
export function isSame(a: ProcessIdentity, b: ProcessIdentity | null): boolean {
  return b !== null && a.pid === b.pid && a.startedAt === b.startedAt;
}
