import {
  type Clock,
  HsuError,
  type Ordered,
  type OrderKind,
  type Ticket,
  type TicketOutcome,
  type WorkerId,
} from '@hsu-master/core';

/** How many settled tickets are remembered. */
const REMEMBERED = 1000;

/** Orders on their way, and those that were settled last. */
export class Tickets {
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #pending = new Map<string, Ordered>();
  readonly #settled = new Map<string, Ticket>();
  #last = 0;

  /** @param masterId begins each ticket, so that none of another master's is taken for one of ours */
  constructor(masterId: string, clock: Clock) {
    this.#prefix = masterId;
    this.#clock = clock;
  }

  take(workerId: WorkerId, order: OrderKind, outcome: Promise<TicketOutcome>): Ordered {
    this.#last += 1;
    const ticket: Ticket = {
      id: `${this.#prefix}-${this.#last}`,
      workerId,
      order,
      state: 'pending',
      already: false,
      failure: null,
      askedAt: this.#clock.wallNow(),
      settledAt: null,
    };
    const ordered = { ticket, settled: this.#settle(ticket, outcome) };
    this.#pending.set(ticket.id, ordered);
    return ordered;
  }

  find(id: string): Ordered {
    const pending = this.#pending.get(id);
    if (pending !== undefined) return pending;
    const ticket = this.#settled.get(id);
    if (ticket === undefined) throw new HsuError('E_UNKNOWN_TICKET', `there is no ticket "${id}"`, { id });
    return { ticket, settled: Promise.resolve(ticket) };
  }

  pending(): readonly Ticket[] {
    return [...this.#pending.values()].map(({ ticket }) => ticket);
  }

  async #settle(ticket: Ticket, outcome: Promise<TicketOutcome>): Promise<Ticket> {
    const settled: Ticket = {
      ...ticket,
      ...(await outcome.then(stateOf, brokenOff)),
      settledAt: this.#clock.wallNow(),
    };
    this.#pending.delete(ticket.id);
    this.#settled.set(ticket.id, settled);
    for (const id of this.#settled.keys()) {
      if (this.#settled.size <= REMEMBERED) break;
      this.#settled.delete(id);
    }
    return settled;
  }
}

type Settled = Pick<Ticket, 'state' | 'already' | 'failure'>;

function stateOf(outcome: TicketOutcome): Settled {
  const { kind } = outcome;
  if (kind === 'done') return { state: 'done', already: outcome.already, failure: null };
  if (kind === 'superseded') return { state: 'superseded', already: false, failure: null };
  return { state: 'failed', already: false, failure: outcome.failure };
}

function brokenOff(error: unknown): Settled {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof HsuError ? error.code : 'E_INTERNAL';
  return { state: 'failed', already: false, failure: { code, message } };
}
