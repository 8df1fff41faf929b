import { controlService, type Order, type Report } from '@hsu-master/contract';
import type { ControlledUnit, ControlNews, ControlStream, GrpcTarget, Milliseconds } from '@hsu-master/core';
import { Call } from './call.ts';
import { describeStatus, UNIMPLEMENTED } from './status.ts';

const CONTROL = controlService.Control;

/** The master’s end of a control stream. */
export class UnitControl implements ControlStream {
  readonly #call: Call;
  readonly #heard: (news: ControlNews) => void;
  readonly #over: () => void;

  /** @param over called once, when nothing of it is left */
  constructor(
    target: GrpcTarget,
    unit: ControlledUnit,
    heard: (news: ControlNews) => void,
    over: () => void,
  ) {
    this.#heard = heard;
    this.#over = over;
    this.#call = new Call(target, CONTROL.path, {
      message: (bytes) => this.#hear(bytes),
      ended: (status) => {
        over();
        heard({ kind: 'closed', isMissing: status.code === UNIMPLEMENTED, reason: describeStatus(status) });
      },
    });
    this.#order({ kind: 'greeting', worker: unit.workerId, run: unit.run });
  }

  stop(grace: Milliseconds): void {
    this.#order({ kind: 'stop', graceMs: Math.max(0, Math.round(grace)) });
    this.#call.finish();
  }

  close(): void {
    this.#call.cancel();
    this.#over();
  }

  #order(order: Order): void {
    this.#call.send(CONTROL.requestSerialize(order));
  }

  /** Throws for what is no report, which ends the call. */
  #hear(bytes: Buffer): void {
    const report: Report = CONTROL.responseDeserialize(bytes);
    if (report.kind === 'accepted') this.#heard({ kind: 'opened' });
    else if (report.kind === 'status') this.#heard(report);
  }
}
