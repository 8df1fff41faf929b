import { coreService, type HealthCheckResponse, healthService } from '@hsu-master/contract';
import type { CheckAnswer, GrpcCall, GrpcTarget } from '@hsu-master/core';
import { Call } from './call.ts';
import { describeStatus, OK, type Status, UNIMPLEMENTED } from './status.ts';

const PING = coreService.Ping;
const CHECK = healthService.Check;
const NOTHING = Buffer.alloc(0);

/** What a call came to: the answer’s message, where there was one. */
type Outcome = (status: Status, message: Buffer) => void;

/** One check: one call, or a second where the first is not served. */
export class Conversation {
  readonly #target: GrpcTarget;
  readonly #answered: (answer: CheckAnswer) => void;
  #call: Call | null = null;

  constructor(target: GrpcTarget, answered: (answer: CheckAnswer) => void) {
    this.#target = target;
    this.#answered = answered;
  }

  begin(call: GrpcCall): void {
    switch (call.kind) {
      case 'ping':
        this.#ping(() =>
          this.#health(
            '',
            () => this.#pass('answers'),
            (status) => this.#lacks(status),
          ),
        );
        return;
      case 'serving':
        this.#health(
          '',
          (health) => this.#judge(health, ''),
          () => this.#ping((status) => this.#lacks(status)),
        );
        return;
      case 'health':
        this.#health(
          call.service,
          (health) => this.#judge(health, call.service),
          (status) => this.#fail(status),
        );
        return;
      case 'method': {
        const { service, method } = call;
        this.#ask(`/${service}/${method}`, NOTHING, (status) => {
          if (status.code === OK) this.#pass(`${service}/${method} answered`);
          else this.#fail(status);
        });
      }
    }
  }

  /** Nothing is answered afterwards. */
  end(): void {
    this.#call?.cancel();
  }

  #ping(missing: (status: Status) => void): void {
    this.#ask(PING.path, PING.requestSerialize({}), (status) => {
      if (status.code === OK) this.#pass('Ping answered');
      else if (status.code === UNIMPLEMENTED) missing(status);
      else this.#fail(status);
    });
  }

  #health(
    service: string,
    told: (health: HealthCheckResponse) => void,
    missing: (status: Status) => void,
  ): void {
    this.#ask(CHECK.path, CHECK.requestSerialize({ service }), (status, message) => {
      if (status.code === UNIMPLEMENTED) missing(status);
      else if (status.code !== OK) this.#fail(status);
      else told(readHealth(message));
    });
  }

  #judge({ status }: HealthCheckResponse, service: string): void {
    const whose = service === '' ? 'its health' : `the health of ${service}`;
    this.#answered({ passed: status === 'SERVING', reason: `${whose} is ${status}` });
  }

  #lacks(status: Status): void {
    const reason = `serves neither proto.CoreService/Ping nor grpc.health.v1 (${describeStatus(status)})`;
    this.#answered({ passed: false, reason });
  }

  #pass(reason: string): void {
    this.#answered({ passed: true, reason });
  }

  #fail(status: Status): void {
    this.#answered({ passed: false, reason: describeStatus(status) });
  }

  #ask(path: string, question: Buffer, outcome: Outcome): void {
    let answer: Buffer = NOTHING;
    const call = new Call(this.#target, path, {
      message: (bytes) => {
        answer = bytes;
      },
      ended: (status) => outcome(status, answer),
    });
    this.#call = call;
    call.send(question);
    call.finish();
  }
}

function readHealth(message: Buffer): HealthCheckResponse {
  try {
    return CHECK.responseDeserialize(message);
  } catch {
    return { status: 'UNKNOWN' };
  }
}
