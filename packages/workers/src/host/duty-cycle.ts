import type { Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';

/** How often it is decided whether the tree may go on. */
const TICK: Milliseconds = 20;
/** What is not used within this is lost, so that after a pause the tree does not run at full speed for long. */
const WINDOW: Milliseconds = 100;

/** What a duty cycle does to a tree. */
export interface Reins {
  /** CPU time that the tree has used so far; null where nobody can tell: then it counts as one busy core. */
  cpuTime(): Milliseconds | null;
  halt(halted: boolean): void;
}

/** Holds a tree to a share of CPU by stopping and resuming it in turns. It begins running, and is running when this ends. */
export class DutyCycle {
  readonly #clock: Clock;
  readonly #reins: Reins;
  #share: number;
  #balance: Milliseconds = 0;
  #at: MonotonicTime;
  #used: Milliseconds;
  #halted = false;
  #withheld = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, reins: Reins, percentOfCore: number) {
    this.#clock = clock;
    this.#reins = reins;
    this.#share = percentOfCore / 100;
    this.#at = clock.now();
    this.#used = reins.cpuTime() ?? 0;
    this.#next();
  }

  /** In how many ticks the tree was kept from running because it had used its share. */
  get withheld(): number {
    return this.#withheld;
  }

  /** Changes the share. */
  set percentOfCore(percent: number) {
    this.#share = percent / 100;
  }

  /** Resumes the tree and ends. */
  end(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#halt(false);
  }

  #next(): void {
    this.#cancel = this.#clock.after(TICK, () => {
      this.#weigh();
      this.#next();
    });
  }

  #weigh(): void {
    const now = this.#clock.now();
    const passed = now - this.#at;
    const told = this.#reins.cpuTime();
    const used = told === null ? (this.#halted ? 0 : passed) : Math.max(0, told - this.#used);
    this.#at = now;
    this.#used = told ?? 0;
    this.#balance = Math.min(this.#balance + passed * this.#share - used, WINDOW * this.#share);
    if (this.#balance < 0) this.#withheld += 1;
    this.#halt(this.#balance < 0);
  }

  #halt(halted: boolean): void {
    if (this.#halted === halted) return;
    this.#halted = halted;
    this.#reins.halt(halted);
  }
}
