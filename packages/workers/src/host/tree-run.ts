import type {
  Clock,
  Exit,
  Failure,
  HostBudget,
  HostRun,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  ProcessIdentity,
  RunReport,
  SignalName,
} from '@hsu-master/core';
import { DutyCycle } from './duty-cycle.ts';
import { EndWatch, LOOK_EVERY } from './end-watch.ts';
import { explained } from './explained.ts';
import type { Forest, Remaining } from './forest.ts';
import type { Hold } from './hold.ts';
import { signalNumber } from './signals.ts';
import { isSame, type ProcessRow, type Tree } from './tree.ts';

/** Where a look may have overlooked somebody, the next one follows after this, at most so many times. */
const LOOK_AGAIN: Milliseconds = 10;
const MOST_LOOKS = 20;

const SIGCONT = signalNumber('SIGCONT');

/** What a host can do to the process that it started. */
export interface Leader {
  /** Returns when its process exists, or could not be made. */
  settle(): void;
  /** Signals its process group; false where the leader is reaped, because then the group’s number may be another’s. */
  signalGroup(signal: number): boolean;
  detachOutput(): void;
}

/** What all trees of a host share. */
export interface Surroundings {
  readonly forest: Forest;
  readonly clock: Clock;
  /** Runs whose trees are stopped or slowed down at the moment. */
  readonly heldBack: Set<TreeRun>;
}

/**
 * One run from its spawn to its empty tree, the same on every host. `starting`: nothing reported yet. `led`: the end of `#main` is
 * awaited. `draining`: it was reported, and the rest of the tree lives on.
 */
export class TreeRun implements HostRun {
  readonly #around: Surroundings;
  readonly #leader: Leader | null;
  #hold: Hold | null = null;
  readonly #report: (report: RunReport) => void;
  readonly #ends: EndWatch;
  #state: 'starting' | 'led' | 'draining' | 'over' = 'starting';
  #tree: Tree | null = null;
  #main: ProcessIdentity | null = null;
  /** SIGKILL was sent: whoever appears in the tree afterwards gets it as well. */
  #condemned = false;
  #early: { readonly signal: SignalName; readonly grace: Milliseconds | null }[] = [];
  #lookPending = false;
  #pollPending = false;
  #reports: readonly LimitReport[] = [];
  #frozen = false;
  #throttled: number | null = null;
  #dutyCycle: DutyCycle | null = null;
  /** By duty cycles that are over. */
  #withheld = 0;

  constructor(around: Surroundings, leader: Leader | null, report: (report: RunReport) => void) {
    this.#around = around;
    this.#ends = new EndWatch(around);
    this.#leader = leader;
    this.#report = report;
  }

  /** Holds it from before its process exists; given back when the run is over. */
  holdBy(hold: Hold): void {
    this.#hold = hold;
  }

  /** Nothing holds it: what that means for each of its limits. */
  goWithout(reports: readonly LimitReport[]): void {
    this.#reports = reports;
  }

  /** What holds it, and whose processes outside of the group are known. Null where it is over or not begun. */
  get held(): { readonly hold: Hold; readonly tree: Tree } | null {
    return this.#hold === null || this.#tree === null || this.#state === 'over'
      ? null
      : { hold: this.#hold, tree: this.#tree };
  }

  /** How often it was kept from running to be held to a share of CPU; of no account where a quota does that. */
  get withheld(): number {
    return this.#withheld + (this.#dutyCycle?.withheld ?? 0);
  }

  /** The process exists; its tree is known from now on. */
  plant(tree: Tree): void {
    tree.group = this.#hold;
    this.#tree = tree;
    this.#main = tree.leader;
    this.#around.forest.plant(tree);
  }

  spawned(warning: string | null): void {
    this.#state = 'led';
    this.#report({ kind: 'spawned', process: this.#main as ProcessIdentity, warning });
    this.#sendEarly();
  }

  spawnFailed(failure: Failure, transient: boolean): void {
    this.#finish();
    this.#report({ kind: 'spawn-failed', failure, transient });
  }

  /** Takes charge of a tree that runs already; who held it back before is gone. */
  attach(tree: Tree): void {
    this.plant(tree);
    this.#state = 'led';
    this.#watchMain(tree.leader);
    this.throttle(null);
    this.#around.forest.soon(() => {
      if (this.#dutyCycle !== null || this.#frozen) return;
      for (const row of this.#living())
        if (row.state === 'T') this.#around.forest.system.signalProcess(row, SIGCONT);
    });
  }

  /** The process that the host started has ended. `groupEmpty`: nobody else is in its process group. */
  leaderExited(exit: Exit, groupEmpty: boolean): void {
    if (this.#main === this.#tree?.leader) this.#mainExited(exit, groupEmpty);
    else this.#lookSoon();
  }

  signalTree(signal: SignalName, grace: Milliseconds | null = null): void {
    if (this.#state === 'over') return;
    if (this.#state === 'starting') {
      this.#early.push({ signal, grace });
      return;
    }
    const number = signalNumber(signal);
    const kills = signal === 'SIGKILL';
    if (kills) this.#condemn();
    const grouped = this.#leader?.signalGroup(number) === true;
    if (grouped && !kills) this.#leader?.signalGroup(SIGCONT);
    const group = grouped ? this.#tree?.leader.pid : undefined;
    // One look: a newborn that it overlooks is ended by SIGKILL after the grace. A second look could not tell it from what a program
    // starts in order to end in order.
    this.#around.forest.soon(() => {
      for (const row of this.#living()) if (row.pgid !== group) this.#signalOne(row, number, kills, grace);
      this.#thaw(kills);
    });
  }

  members(): readonly ProcessIdentity[] {
    if (this.#state === 'over') return [];
    return this.#living().map(identityOf);
  }

  follow(process: ProcessIdentity): boolean {
    if (this.#state === 'over' || this.#state === 'starting') return false;
    if (this.#state === 'led' && isSame(process, this.#main)) return true;
    if (!this.#living().some((row) => isSame(row, process))) return false;
    this.#main = process;
    this.#state = 'led';
    this.#watchMain(process);
    return true;
  }

  detachOutput(): void {
    this.#leader?.detachOutput();
  }

  limitReports(): readonly LimitReport[] {
    return this.#state === 'starting' ? [] : (this.#hold?.reports() ?? this.#reports);
  }

  budgets(): readonly HostBudget[] {
    return this.#state === 'starting' || this.#state === 'over' ? [] : (this.#hold?.budgets ?? []);
  }

  setLimits(limits: LimitsSpec): readonly LimitReport[] {
    if (this.#state === 'starting') this.#leader?.settle();
    if (this.#state === 'over' || this.#hold === null) return this.#reports;
    const reports = this.#hold.change(limits, this.#living());
    if (this.#throttled !== null && this.#dutyCycle === null) this.#hold.throttle(this.#throttled);
    return reports;
  }

  freeze(frozen: boolean): boolean {
    if (this.#state === 'over' || this.#state === 'starting') return false;
    const rows = this.#living();
    if (rows.length === 0) return false;
    this.#frozen = frozen;
    this.#halt(frozen, rows);
    this.#note();
    // Who was born while the others were being stopped.
    if (frozen && this.#hold?.isPopulated() !== true)
      this.#around.forest.soon(() => {
        if (this.#frozen) this.#halt(true, this.#living());
      });
    return true;
  }

  throttle(percentOfCore: number | null): void {
    if (this.#state === 'over' || this.#state === 'starting') return;
    this.#throttled = percentOfCore;
    const byQuota = this.#hold?.throttle(percentOfCore) === true;
    if (percentOfCore === null || byQuota) {
      this.#endDutyCycle();
    } else if (this.#dutyCycle !== null) {
      this.#dutyCycle.percentOfCore = percentOfCore;
    } else {
      const reins = {
        cpuTime: () => this.#hold?.cpuTime(this.#known()) ?? null,
        halt: (halted: boolean) => {
          if (!this.#frozen) this.#halt(halted, this.#living());
        },
      };
      this.#dutyCycle = new DutyCycle(this.#around.clock, reins, percentOfCore);
    }
    this.#note();
  }

  /** What is left of it lives on, and is nobody’s charge. */
  forgo(): void {
    if (this.#state === 'over') return;
    const { forest } = this.#around;
    forest.disown(this.#living());
    this.#finish();
  }

  #endDutyCycle(): void {
    this.#dutyCycle?.end();
    this.#withheld = this.withheld;
    this.#dutyCycle = null;
  }

  /** Resumes what is stopped and ends what slows it down. */
  letGo(): void {
    if (this.#frozen) this.freeze(false);
    if (this.#throttled !== null) this.throttle(null);
  }

  /** By the group’s freezer where there is one; each of the others by a signal. */
  #halt(halted: boolean, rows: readonly ProcessRow[]): void {
    const frozen = this.#hold?.freeze(halted) === true;
    const grouped = frozen ? new Set(this.#hold?.pids()) : null;
    const number = signalNumber(halted ? 'SIGSTOP' : 'SIGCONT');
    for (const row of rows)
      if (grouped?.has(row.pid) !== true) this.#around.forest.system.signalProcess(row, number);
  }

  /** Nothing slows down who is to die, and nobody of the group escapes by forking. */
  #condemn(): void {
    this.#condemned = true;
    this.#endDutyCycle();
    if (this.#hold?.kill() === false) this.#hold.freeze(true);
  }

  /** A signal was sent that stopped processes do not hear; a v1 freezer holds back even the dead. */
  #thaw(killed: boolean): void {
    if (!this.#frozen && !killed) return;
    this.#frozen = false;
    this.#hold?.freeze(false);
    this.#note();
  }

  #note(): void {
    if (this.#frozen || this.#throttled !== null) this.#around.heldBack.add(this);
    else this.#around.heldBack.delete(this);
  }

  /** Members as the last look saw them. */
  #known(): readonly ProcessIdentity[] {
    return [...(this.#tree?.seen ?? [])].map(([pid, startedAt]) => ({ pid, startedAt }));
  }

  #living(): readonly ProcessRow[] {
    return this.#tree === null || this.#state === 'over' ? [] : this.#around.forest.members(this.#tree);
  }

  #sendEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const { signal, grace } of early) this.signalTree(signal, grace);
  }

  #signalOne(process: ProcessIdentity, number: number, kills: boolean, grace: Milliseconds | null): void {
    const { system } = this.#around.forest;
    if (system.signalProcess(process, number, grace) && !kills) system.signalProcess(process, SIGCONT);
  }

  #mainExited(bare: Exit, groupEmpty: boolean, looks = 1): void {
    if (this.#state !== 'led') return;
    const hold = looks > 1 || this.#condemned ? null : this.#hold;
    const exit = hold === null ? bare : explained(bare, hold);
    const seen = this.#remaining(groupEmpty);
    if (seen === null || (seen.rows.length === 0 && !seen.sure && looks < MOST_LOOKS)) {
      const main = this.#main;
      this.#lookAgain(() => {
        if (this.#main === main) this.#mainExited(exit, groupEmpty, looks + 1);
      });
      return;
    }
    const remaining = seen.rows;
    if (remaining.length === 0) this.#finish();
    else this.#state = 'draining';
    this.#report({ kind: 'exited', exit, remaining: remaining.map(identityOf) });
    // The report may have made another process the main one.
    if (this.#is('draining')) this.#drain(remaining);
  }

  #is(state: 'draining' | 'led'): boolean {
    return this.#state === state;
  }

  /** Waits until nobody of these lives, then looks again: they may have had children meanwhile. */
  #drain(members: readonly ProcessRow[]): void {
    let unwatched = false;
    if (this.#condemned) this.#hold?.kill();
    for (const row of members) {
      if (this.#condemned) this.#signalOne(row, signalNumber('SIGKILL'), true, null);
      if (!this.#ends.watch(row, false, () => this.#lookSoon())) unwatched = true;
    }
    if (!unwatched || this.#pollPending) return;
    this.#pollPending = true;
    this.#around.clock.after(LOOK_EVERY, () => {
      this.#pollPending = false;
      this.#lookSoon();
    });
  }

  /** null where nobody could be looked at, since no descriptor was free. */
  #remaining(groupEmpty: boolean): Remaining | null {
    try {
      return this.#around.forest.remaining(this.#tree as Tree, groupEmpty);
    } catch {
      return null;
    }
  }

  /** Together with all others who wait for their next look. */
  #lookAgain(look: () => void): void {
    this.#around.clock.after(LOOK_AGAIN, () => this.#around.forest.soon(look));
  }

  #lookSoon(looks = 1): void {
    if (this.#state !== 'draining' || this.#lookPending) return;
    this.#lookPending = true;
    this.#around.forest.soon(() => {
      this.#lookPending = false;
      if (this.#state !== 'draining') return;
      const seen = this.#remaining(false);
      if (seen !== null && seen.rows.length > 0) {
        this.#drain(seen.rows);
        return;
      }
      if (seen === null || (!seen.sure && looks < MOST_LOOKS)) {
        this.#lookAgain(() => this.#lookSoon(looks + 1));
        return;
      }
      this.#finish();
      this.#report({ kind: 'tree-empty' });
    });
  }

  #watchMain(main: ProcessIdentity): void {
    this.#ends.follow(main, (exit) => {
      if (this.#state === 'led' && isSame(main, this.#main)) this.#mainExited(exit, false);
    });
  }

  #finish(): void {
    this.#state = 'over';
    this.#ends.close();
    this.#endDutyCycle();
    this.#around.heldBack.delete(this);
    if (this.#tree !== null) this.#around.forest.fell(this.#tree);
    this.#hold?.release();
  }
}

function identityOf({ pid, startedAt }: ProcessIdentity): ProcessIdentity {
  return { pid, startedAt };
}
