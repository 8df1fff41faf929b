import type { EventDraft } from '../events/catalogue.ts';
import type { MonotonicTime, WallTime } from '../units.ts';
import type { Effect, TicketOutcome } from './effects.ts';
import type { WorkerSpec } from './spec.ts';
import type { PendingTicket, Phase, Worker } from './state.ts';

/** What a decision may look at besides the worker and the message. */
export interface Circumstances {
  readonly spec: WorkerSpec;
  readonly now: MonotonicTime;
  readonly wallNow: WallTime;
  /** Uniform in [0, 1). */
  readonly random: number;
  /** Highest number of a run of this worker under earlier masters; 0: none. */
  readonly runsBefore: number;
  /** The master is in its final stop: no run begins any more. */
  readonly ending: boolean;
}

/** What a turn decided: the next state, the actions to take, the facts to publish. */
export interface Decision {
  readonly worker: Worker;
  readonly effects: readonly Effect[];
  readonly events: readonly EventDraft[];
}

/** Collects one decision. Lives for one turn and is never seen outside it. */
export class Turn {
  readonly in: Circumstances;
  worker: Worker;
  readonly effects: Effect[] = [];
  readonly events: EventDraft[] = [];

  constructor(worker: Worker, circumstances: Circumstances) {
    this.worker = worker;
    this.in = circumstances;
  }

  become(phase: Phase): void {
    this.worker = { ...this.worker, phase };
  }

  set(change: Partial<Omit<Worker, 'id' | 'phase'>>): void {
    this.worker = { ...this.worker, ...change };
  }

  act(effect: Effect): void {
    this.effects.push(effect);
  }

  publish<T extends EventDraft['type']>(type: T, payload: Extract<EventDraft, { type: T }>['payload']): void {
    this.events.push({ type, payload } as EventDraft);
  }

  /** Answers one caller now. */
  settle(ticket: number | null, outcome: TicketOutcome): void {
    if (ticket !== null) this.act({ kind: 'settle', ticket, outcome });
  }

  /** Lets a caller wait for a later turn. */
  hold(ticket: number | null, until: PendingTicket['until'], joined = false): void {
    if (ticket !== null)
      this.set({
        tickets: [...this.worker.tickets, joined ? { id: ticket, until, joined } : { id: ticket, until }],
      });
  }

  /** Answers all callers that wait for `until`; of what was under way already those who joined hear that. */
  settleAll(until: PendingTicket['until'], outcome: TicketOutcome): void {
    for (const { id, until: awaited, joined } of this.worker.tickets)
      if (awaited === until)
        this.settle(id, outcome.kind === 'done' ? { ...outcome, already: joined === true } : outcome);
    if (this.worker.tickets.length > 0) {
      this.set({ tickets: this.worker.tickets.filter((ticket) => ticket.until !== until) });
    }
  }

  decision(): Decision {
    return { worker: this.worker, effects: this.effects, events: this.events };
  }
}
