import type { Clock, Exit, OutputStream, ProcessIdentity, SignalName, WorkerId } from '@hsu-master/core';
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
    };

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
  readonly #timers = new Map<FakeProcess, (() => void)[]>();
  readonly #watchers = new Set<(news: SystemNews) => void>();
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

  /** Living processes: of one worker, or all. Hidden ones are among them. */
  living(workerId?: WorkerId): readonly FakeProcess[] {
    const all = [...this.#living.values()];
    return workerId === undefined ? all : all.filter((process) => process.tree.workerId === workerId);
  }

  /** The living members of a tree that a host can find. */
  members(mark: string): readonly FakeProcess[] {
    return [...(this.#trees.get(mark) ?? [])].filter((process) => !process.hidden);
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
    if (members === undefined) this.#trees.set(tree.mark, new Set([process]));
    else members.add(process);
    this.#tell({ kind: 'born', process });
    return process;
  }

  /** Lets a process run its program. */
  begin(process: FakeProcess): void {
    const { program } = process;
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
    if (tree !== undefined) this.#tell({ kind: 'signalled', tree, signal, members: members.length });
    for (const member of members) this.signal(member, signal);
  }

  /** Sends a signal to one process. */
  signal(process: FakeProcess, signal: SignalName): void {
    if (process.exit !== null || signal === 'SIGCONT') return;
    const { program } = process;
    if (signal === 'SIGKILL') {
      if (process.doomed) return;
      process.doomed = true;
      this.#silence(process);
      this.#after(process, program.killTakes, () => this.end(process, fakeExit({ signal })));
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
    if (members?.size === 0) this.#trees.delete(process.tree.mark);
    this.#tell({ kind: 'died', process });
    this.#ears.get(process.tree.mark)?.died(process);
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
