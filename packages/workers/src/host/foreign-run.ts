import type {
  Clock,
  Exit,
  HostBudget,
  HostRun,
  LimitReport,
  LimitsSpec,
  ProcessIdentity,
  RunReport,
  SignalName,
} from '@hsu-master/core';
import type { Forest } from './forest.ts';
import type { Hold } from './hold.ts';
import { signalNumber } from './signals.ts';
import type { Tree } from './tree.ts';
import { LOOK_EVERY, UNKNOWN_EXIT } from './tree-run.ts';

/** A process that somebody else started, with what descends from it. It is watched and, where asked, limited; nothing else happens to it. */
export class ForeignRun implements HostRun {
  readonly #forest: Forest;
  readonly #clock: Clock;
  readonly #tree: Tree;
  readonly #hold: Hold | null;
  readonly #reports: readonly LimitReport[];
  readonly #report: (report: RunReport) => void;
  #endWatch: () => void = () => undefined;
  #isOver = false;

  /** `withoutHold`: what becomes of each limit where nothing can hold it. */
  constructor(
    around: { readonly forest: Forest; readonly clock: Clock },
    tree: Tree,
    { hold, withoutHold }: { readonly hold: Hold | null; readonly withoutHold: readonly LimitReport[] },
    report: (report: RunReport) => void,
  ) {
    this.#forest = around.forest;
    this.#clock = around.clock;
    this.#tree = tree;
    this.#hold = hold;
    this.#reports = withoutHold;
    this.#report = report;
    this.#forest.plant(tree);
    const ended = (exit: Exit): void => this.#ended(exit);
    const end = this.#forest.system.watch(tree.leader, true, ended);
    if (end === null) this.#poll(ended);
    else this.#endWatch = end;
  }

  /** What limits it, and whose processes are known. Null where it is over. */
  get held(): { readonly hold: Hold; readonly tree: Tree } | null {
    return this.#hold === null || this.#isOver ? null : { hold: this.#hold, tree: this.#tree };
  }

  signalTree(signal: SignalName): void {
    if (!this.#isOver) this.#forest.system.signalProcess(this.#tree.leader, signalNumber(signal));
  }

  members(): readonly ProcessIdentity[] {
    if (this.#isOver) return [];
    return this.#forest.members(this.#tree).map(({ pid, startedAt }) => ({ pid, startedAt }));
  }

  follow({ pid, startedAt }: ProcessIdentity): boolean {
    const { leader } = this.#tree;
    return !this.#isOver && leader.pid === pid && leader.startedAt === startedAt;
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

  /** Where the system cannot watch it, or it is gone already. */
  #poll(ended: (exit: Exit) => void): void {
    this.#forest.soon(() => {
      if (this.#isOver) return;
      if (this.#mayLive()) this.#clock.after(LOOK_EVERY, () => this.#poll(ended));
      else ended(UNKNOWN_EXIT);
    });
  }

  /** Whom the system cannot show for now, where no descriptor is free, may live. */
  #mayLive(): boolean {
    const { leader } = this.#tree;
    try {
      return this.#forest.system.identify(leader.pid)?.startedAt === leader.startedAt;
    } catch {
      return true;
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endWatch();
    this.#forest.fell(this.#tree);
    this.#hold?.release();
  }
}
