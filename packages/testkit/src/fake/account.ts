import type { Bytes, Clock, Milliseconds, MonotonicTime } from '@hsu-master/core';
import type { FakeProgram } from './program.ts';

/** A member of a tree, as far as its use is concerned. */
interface Member {
  readonly program: FakeProgram;
  readonly since: MonotonicTime;
}

/** What one tree uses, what it may use, and whether it is held back. */
export class FakeAccount {
  readonly #clock: Clock;
  readonly #outOfMemory: () => void;
  readonly #members = new Map<number, Member>();
  #cancel: () => void = () => {};
  #limit: Bytes | null = null;
  #percent: number | null = null;
  #frozen = false;
  #cpuTime: Milliseconds = 0;
  #countedAt: MonotonicTime;
  #peak: Bytes = 0;
  oomKills = 0;

  /** @param outOfMemory called when the members use more than `limit` allows */
  constructor(clock: Clock, outOfMemory: () => void) {
    this.#clock = clock;
    this.#outOfMemory = outOfMemory;
    this.#countedAt = clock.now();
  }

  /** A process begins its program. */
  enter(pid: number, program: FakeProgram): void {
    this.#count();
    this.#members.set(pid, { program, since: this.#clock.now() });
    this.#watch();
  }

  leave(pid: number): void {
    this.#count();
    this.#members.delete(pid);
    this.#watch();
  }

  /** The kernel kills the tree when it uses more; null: it may use any. */
  limit(memory: Bytes | null): void {
    this.#limit = memory;
    this.#watch();
  }

  get percent(): number | null {
    return this.#percent;
  }

  set percent(percent: number | null) {
    this.#count();
    this.#percent = percent;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(frozen: boolean) {
    this.#count();
    this.#frozen = frozen;
  }

  get memory(): Bytes {
    const now = this.#clock.now();
    let sum = 0;
    for (const { program, since } of this.#members.values()) {
      sum += program.memory.start + (program.memory.perSecond * (now - since)) / 1000;
    }
    this.#peak = Math.max(this.#peak, sum);
    return sum;
  }

  get memoryPeak(): Bytes {
    return Math.max(this.#peak, this.memory);
  }

  get cpuTime(): Milliseconds {
    this.#count();
    return this.#cpuTime;
  }

  #sum(of: (program: FakeProgram) => number): number {
    return [...this.#members.values()].reduce((sum, { program }) => sum + of(program), 0);
  }

  /** Adds what was used since the last time; the rate has not changed in between. */
  #count(): void {
    const now = this.#clock.now();
    const wanted = this.#sum((program) => program.cpu);
    const percent = this.#frozen ? 0 : Math.min(wanted, this.#percent ?? wanted);
    this.#cpuTime += ((now - this.#countedAt) * percent) / 100;
    this.#countedAt = now;
  }

  /** Wakes when the limit will be reached, if nothing changes. */
  #watch(): void {
    this.#cancel();
    this.#cancel = () => {};
    if (this.#limit === null || this.#members.size === 0) return;
    const room = this.#limit - this.memory;
    const growth = this.#sum((program) => program.memory.perSecond);
    if (room > 0 && growth <= 0) return;
    this.#cancel = this.#clock.after(room > 0 ? (room / growth) * 1000 : 0, () => {
      this.oomKills += this.#members.size;
      this.#outOfMemory();
    });
  }
}
