import type { Failure, TicketOutcome } from '@hsu-master/core';

/** Who waits for what a command comes to. */
export class Tickets {
  readonly #waiting = new Map<number, (outcome: TicketOutcome) => void>();
  #last = 0;

  open(): { readonly ticket: number; readonly settled: Promise<TicketOutcome> } {
    this.#last += 1;
    const ticket = this.#last;
    const settled = new Promise<TicketOutcome>((resolve) => this.#waiting.set(ticket, resolve));
    return { ticket, settled };
  }

  /** null: nobody waits. */
  settle(ticket: number | null, outcome: TicketOutcome): void {
    if (ticket === null) return;
    this.#waiting.get(ticket)?.(outcome);
    this.#waiting.delete(ticket);
  }

  /** Nothing comes of them any more. */
  failAll(failure: Failure): void {
    for (const ticket of this.#waiting.keys()) this.settle(ticket, { kind: 'failed', failure });
  }
}
