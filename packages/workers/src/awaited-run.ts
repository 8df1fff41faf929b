import type {
  Clock,
  HostBudget,
  HostRun,
  LimitReport,
  Milliseconds,
  ProcessIdentity,
  SignalName,
} from '@hsu-master/core';

/** How long after a refusal the next attempt is made. */
const AGAIN: Milliseconds = 250;

interface Parts {
  readonly clock: Clock;
  readonly process: ProcessIdentity;
  /** Throws where the system still refuses. */
  readonly attach: () => HostRun;
  /** Called once, before the signals that waited are sent. */
  readonly attached: (run: HostRun) => void;
}

/**
 * A run of an earlier master that cannot be attached to yet, where no descriptor or memory is free. It counts as alive, whatever is
 * known, so that nothing takes its place; signals wait until it is attached to.
 */
export class AwaitedRun implements HostRun {
  readonly #parts: Parts;
  readonly #signals = new Map<SignalName, Milliseconds | null>();
  #cancel: () => void = () => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#wait();
  }

  /** The master ends: no further attempt is made. */
  giveUp(): void {
    this.#cancel();
  }

  signalTree(signal: SignalName, grace: Milliseconds | null = null): void {
    this.#signals.set(signal, grace);
  }

  members(): readonly ProcessIdentity[] {
    return [this.#parts.process];
  }

  follow(): boolean {
    return false;
  }

  detachOutput(): void {}

  limitReports(): readonly LimitReport[] {
    return [];
  }

  budgets(): readonly HostBudget[] {
    return [];
  }

  setLimits(): readonly LimitReport[] {
    return [];
  }

  freeze(): boolean {
    return false;
  }

  /** Who is attached to is free. */
  throttle(): void {}

  #wait(): void {
    this.#cancel = this.#parts.clock.after(AGAIN, () => this.#attempt());
  }

  #attempt(): void {
    let run: HostRun;
    try {
      run = this.#parts.attach();
    } catch {
      this.#wait();
      return;
    }
    this.#parts.attached(run);
    for (const [signal, grace] of this.#signals) run.signalTree(signal, grace);
  }
}

/** Attaches at once or, where the system refuses for now, as soon as it does not: others must not wait for it. */
export function attachOrAwait(parts: Parts & { readonly refused?: (error: unknown) => void }): HostRun {
  try {
    return parts.attach();
  } catch (error) {
    parts.refused?.(error);
    return new AwaitedRun(parts);
  }
}
