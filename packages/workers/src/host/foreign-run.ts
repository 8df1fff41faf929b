import type {
  Clock,
  Exit,
  HostBudget,
  HostRun,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  ProcessIdentity,
  RunReport,
  SignalName,
} from '@hsu-master/core';
import { EndWatch } from './end-watch.ts';
import type { Forest } from './forest.ts';
import type { Hold } from './hold.ts';
import { signalNumber } from './signals.ts';
import { isSame, type Tree } from './tree.ts';

/** A process that somebody else started, with what descends from it. It is watched and, where asked, limited; nothing else happens to it. */
export class ForeignRun implements HostRun {
  readonly #forest: Forest;
  readonly #end: EndWatch;
  readonly #tree: Tree;
  readonly #hold: Hold | null;
  readonly #reports: readonly LimitReport[];
  readonly #report: (report: RunReport) => void;
  #isOver = false;

  /** `withoutHold`: what becomes of each limit where nothing can hold it. */
  constructor(
    around: { readonly forest: Forest; readonly clock: Clock },
    tree: Tree,
    { hold, withoutHold }: { readonly hold: Hold | null; readonly withoutHold: readonly LimitReport[] },
    report: (report: RunReport) => void,
  ) {
    this.#forest = around.forest;
    this.#tree = tree;
    this.#hold = hold;
    this.#reports = withoutHold;
    this.#report = report;
    this.#forest.plant(tree);
    this.#end = new EndWatch(around);
    this.#end.follow(tree.leader, (exit) => this.#ended(exit));
  }

  /** What limits it, and whose processes are known. Null where it is over. */
  get held(): { readonly hold: Hold; readonly tree: Tree } | null {
    return this.#hold === null || this.#isOver ? null : { hold: this.#hold, tree: this.#tree };
  }

  signalTree(signal: SignalName, grace: Milliseconds | null = null): void {
    if (!this.#isOver) this.#forest.system.signalProcess(this.#tree.leader, signalNumber(signal), grace);
  }

  members(): readonly ProcessIdentity[] {
    if (this.#isOver) return [];
    return this.#forest.members(this.#tree).map(({ pid, startedAt }) => ({ pid, startedAt }));
  }

  follow(process: ProcessIdentity): boolean {
    return !this.#isOver && isSame(process, this.#tree.leader);
  }

  /** Nobody watches it any more. */
  detachOutput(): void {
    this.#finish();
  }

  limitReports(): readonly LimitReport[] {
    return this.#hold?.reports() ?? this.#reports;
  }

  budgets(): readonly HostBudget[] {
    return [];
  }

  setLimits(limits: LimitsSpec): readonly LimitReport[] {
    if (this.#isOver || this.#hold === null) return this.#reports;
    return this.#hold.change(limits, this.members());
  }

  freeze(): boolean {
    return false;
  }

  throttle(): void {
    // A master that is killed would leave it stopped, and whoever started it would not know why.
  }

  #ended(exit: Exit): void {
    if (this.#isOver) return;
    const oomKilled = exit.signal === 'SIGKILL' ? (this.#hold?.oomKilled() ?? null) : null;
    this.#finish();
    this.#report({ kind: 'exited', exit: oomKilled === null ? exit : { ...exit, oomKilled }, remaining: [] });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end.close();
    this.#forest.fell(this.#tree);
    this.#hold?.release();
  }
}
