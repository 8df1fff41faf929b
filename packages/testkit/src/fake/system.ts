import type {
  Clock,
  Exit,
  OutputStream,
  PortAnswer,
  ProcessIdentity,
  SignalName,
  WorkerId,
} from '@hsu-master/core';
import { FakeAccount } from './account.ts';
import { type FakeProgram, fakeExit } from './program.ts';

/** The tree that a process belongs to. */
export interface FakeTree {
  readonly mark: string;
  /** null for the tree of an exec probe. */
  readonly workerId: WorkerId | null;
  readonly run: number;
}

/** A process of the fake system. */
export interface FakeProcess extends ProcessIdentity {
  readonly tree: FakeTree;
  readonly program: FakeProgram;
  readonly parent: FakeProcess | null;
  /** No host finds it in its tree. */
  readonly hidden: boolean;
  /** null while it lives. */
  exit: Exit | null;
  /** It was sent SIGKILL. */
  doomed: boolean;
}

/** What a checker may watch. */
export type SystemNews =
  | { readonly kind: 'born'; readonly process: FakeProcess }
  | { readonly kind: 'died'; readonly process: FakeProcess }
  | {
      readonly kind: 'signalled';
      readonly tree: FakeTree;
      readonly signal: SignalName;
      readonly members: number;
    }
  /** The tree is held to a share of one core, or no longer (null). */
  | { readonly kind: 'held'; readonly tree: FakeTree; readonly percent: number | null }
  | { readonly kind: 'frozen'; readonly tree: FakeTree; readonly frozen: boolean };

const FIRST_PORT = 40_000;

/** The side of a process that its host listens to. */
interface Ears {
  wrote(process: FakeProcess, stream: OutputStream, data: string | Uint8Array): void;
  died(process: FakeProcess): void;
  writings(process: FakeProcess): FakeProgram['writes'];
}

/**
 * An operating system as data: a process table that outlives the hosts which use it, as processes outlive a master that
 * is killed.
 */
export class FakeSystem {
  readonly clock: Clock;
  readonly #living = new Map<number, FakeProcess>();
  readonly #trees = new Map<string, Set<FakeProcess>>();
  readonly #ears = new Map<string, Ears>();
  readonly #accounts = new Map<string, FakeAccount>();
  readonly #timers = new Map<FakeProcess, (() => void)[]>();
  readonly #watchers = new Set<(news: SystemNews) => void>();
  readonly #heldPorts = new Set<number>();
  readonly #pids: number;
  #lastPid = 1;
  #ticks = 0;

  /** @param pids how many pids there are before they are used again */
  constructor(clock: Clock, pids = 32_768) {
    this.clock = clock;
    this.#pids = pids;
  }

  /** Calls `watcher` for all that happens to processes, until the returned function is called. */
  watch(watcher: (news: SystemNews) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Hands out the ports from 40000 on; a port belongs to one at a time. */
  reservePort(port: number): PortAnswer {
    let wanted = port;
    if (port === 0) for (wanted = FIRST_PORT; this.#heldPorts.has(wanted); ) wanted += 1;
    if (this.#heldPorts.has(wanted)) return { ok: false, taken: true, reason: 'somebody has it' };
    this.#heldPorts.add(wanted);
    return { ok: true, port: wanted, release: () => this.#heldPorts.delete(wanted) };
  }

  /** Living processes: of one worker, or all. Hidden ones are among them. */
  living(workerId?: WorkerId): readonly FakeProcess[] {
    const all = [...this.#living.values()];
    return workerId === undefined ? all : all.filter((process) => process.tree.workerId === workerId);
  }

  /** The living members of a tree that a host can find. */
  members(mark: string): readonly FakeProcess[] {
    return [...(this.#trees.get(mark) ?? [])].filter((process) => !process.hidden);
  }

  /** What a tree uses; null for one that is over. */
  account(mark: string): FakeAccount | null {
    return this.#accounts.get(mark) ?? null;
  }

  /** The trees that are held to less than they want, or stopped. */
  held(): readonly FakeTree[] {
    const marks = [...this.#accounts].filter(([, { percent, frozen }]) => percent !== null || frozen);
    return marks.map(([mark]) => this.#treeOf(mark)).filter((tree) => tree !== null);
  }

  /** Lets a tree run at this many percent of one core; null: as it likes. */
  hold(mark: string, percent: number | null): void {
    const account = this.#accounts.get(mark);
    const tree = this.#treeOf(mark);
    if (account === undefined || tree === null || account.percent === percent) return;
    account.percent = percent;
    this.#tell({ kind: 'held', tree, percent });
  }

  /** Stops or resumes a tree. What it does by itself goes on all the same: only its use of CPU ends. false: it is over. */
  freeze(mark: string, frozen: boolean): boolean {
    const account = this.#accounts.get(mark);
    const tree = this.#treeOf(mark);
    if (account === undefined || tree === null) return false;
    if (account.frozen !== frozen) {
      account.frozen = frozen;
      this.#tell({ kind: 'frozen', tree, frozen });
    }
    return true;
  }

  /** Others have come and gone: the next process gets this pid, or the first free one after it. */
  passBy(pid: number): void {
    this.#lastPid = pid - 1;
  }

  find(pid: number): FakeProcess | null {
    return this.#living.get(pid) ?? null;
  }

  isAlive(process: ProcessIdentity): boolean {
    return this.#living.get(process.pid)?.startedAt === process.startedAt;
  }

  /** Who hears of a tree: a host, until the master that it belongs to dies. */
  listen(mark: string, ears: Ears | null): void {
    if (ears === null) this.#ears.delete(mark);
    else this.#ears.set(mark, ears);
  }

  /** Makes a process that does nothing until `begin`. */
  create(tree: FakeTree, program: FakeProgram, parent: FakeProcess | null, hidden = false): FakeProcess {
    this.#ticks += 1;
    const process: FakeProcess = {
      pid: this.#freePid(),
      startedAt: String(this.#ticks),
      tree,
      program,
      parent,
      hidden,
      exit: null,
      doomed: false,
    };
    this.#living.set(process.pid, process);
    const members = this.#trees.get(tree.mark);
    if (members !== undefined) members.add(process);
    else {
      this.#trees.set(tree.mark, new Set([process]));
      this.#accounts.set(tree.mark, new FakeAccount(this.clock, () => this.#killAtLimit(tree.mark)));
    }
    this.#tell({ kind: 'born', process });
    return process;
  }

  /** Lets a process run its program. */
  begin(process: FakeProcess): void {
    const { program } = process;
    this.#accounts.get(process.tree.mark)?.enter(process.pid, program);
    const writings = this.#ears.get(process.tree.mark)?.writings(process) ?? program.writes;
    for (const writing of typeof writings === 'function' ? [] : writings) {
      this.#after(process, writing.after, () => {
        this.#ears.get(process.tree.mark)?.wrote(process, writing.stream, writing.text);
      });
    }
    for (const child of program.children) {
      if (child.onSignal !== true) this.#after(process, child.after, () => this.#fork(process, child));
    }
    const { ends } = program;
    if (ends !== null) this.#after(process, ends.after, () => this.end(process, fakeExit(ends.exit)));
  }

  /** Sends a signal to what is found of a tree. */
  signalTree(mark: string, signal: SignalName): void {
    const members = this.members(mark);
    const tree = members[0]?.tree;
    this.freeze(mark, false);
    if (tree !== undefined) this.#tell({ kind: 'signalled', tree, signal, members: members.length });
    for (const member of members) this.signal(member, signal);
  }

  /** Sends a signal to one process. */
  signal(process: FakeProcess, signal: SignalName): void {
    if (process.exit !== null || signal === 'SIGCONT') return;
    const { program } = process;
    if (signal === 'SIGKILL') {
      this.#kill(process, fakeExit({ signal }));
      return;
    }
    for (const child of program.children) {
      if (child.onSignal === true) this.#after(process, child.after, () => this.#fork(process, child));
    }
    if (program.endsOnSignal === null || process.doomed) return;
    const exit =
      program.codeOnSignal === null ? fakeExit({ signal }) : fakeExit({ code: program.codeOnSignal });
    this.#after(process, program.endsOnSignal, () => this.end(process, exit));
  }

  /** Ends a process now, for a reason of its own. */
  end(process: FakeProcess, exit: Exit): void {
    if (process.exit !== null) return;
    process.exit = exit;
    this.#silence(process);
    this.#timers.delete(process);
    this.#living.delete(process.pid);
    const members = this.#trees.get(process.tree.mark);
    members?.delete(process);
    this.#accounts.get(process.tree.mark)?.leave(process.pid);
    if (members?.size === 0) {
      this.#trees.delete(process.tree.mark);
      this.#accounts.delete(process.tree.mark);
    }
    this.#tell({ kind: 'died', process });
    this.#ears.get(process.tree.mark)?.died(process);
  }

  #kill(process: FakeProcess, exit: Exit): void {
    if (process.doomed) return;
    process.doomed = true;
    this.#silence(process);
    this.#after(process, process.program.killTakes, () => this.end(process, exit));
  }

  /** What the kernel does to a tree that needs more memory than it may have: all of it dies. */
  #killAtLimit(mark: string): void {
    for (const process of this.#trees.get(mark) ?? []) {
      this.#kill(process, fakeExit({ signal: 'SIGKILL', oomKilled: 'limit' }));
    }
  }

  #treeOf(mark: string): FakeTree | null {
    const [first] = this.#trees.get(mark) ?? [];
    return first?.tree ?? null;
  }

  #fork(parent: FakeProcess, child: FakeProgram['children'][number]): void {
    this.begin(this.create(parent.tree, child.program, parent, child.hidden === true));
  }

  #after(process: FakeProcess, delay: number, act: () => void): void {
    const cancel = this.clock.after(delay, act);
    const timers = this.#timers.get(process);
    if (timers === undefined) this.#timers.set(process, [cancel]);
    else timers.push(cancel);
  }

  #silence(process: FakeProcess): void {
    for (const cancel of this.#timers.get(process) ?? []) cancel();
    this.#timers.set(process, []);
  }

  #freePid(): number {
    if (this.#living.size >= this.#pids) throw new Error('the fake system has no pid left');
    do {
      this.#lastPid = this.#lastPid >= this.#pids + 1 ? 2 : this.#lastPid + 1;
    } while (this.#living.has(this.#lastPid));
    return this.#lastPid;
  }

  #tell(news: SystemNews): void {
    for (const watcher of this.#watchers) watcher(news);
  }
}
