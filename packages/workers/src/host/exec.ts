import type {
  Clock,
  ExecOutcome,
  ExecRequest,
  Exit,
  HostRun,
  Milliseconds,
  OutputStream,
  RunOutput,
  RunReport,
} from '@hsu-master/core';
import type { Launch } from './prepare.ts';

/** How long output is awaited after the helper has ended: somebody else may hold its pipe open. */
const DRAIN: Milliseconds = 200;
/** How long the end of a killed helper is awaited before its caller is told all the same. */
const KILL_PATIENCE: Milliseconds = 1000;

/** A run whose rest can be let live. */
type HelperRun = HostRun & { forgo(): void };
type Start = (launch: Launch, report: (report: RunReport) => void) => HelperRun;

/**
 * Runs a helper by way of an ordinary run that belongs to no worker and is written down nowhere. Under the native host it dies with a
 * master that is killed; the children of the helper do not, and without the addon nobody does.
 */
export function execHelper(
  start: Start,
  clock: Clock,
  request: ExecRequest,
): { readonly outcome: Promise<ExecOutcome>; cancel(): void } {
  const helper = new Helper(start, clock, request);
  return { outcome: helper.outcome, cancel: () => helper.expire() };
}

class Helper {
  readonly outcome: Promise<ExecOutcome>;
  readonly #resolve: (outcome: ExecOutcome) => void;
  readonly #clock: Clock;
  readonly #output: Tail;
  readonly #run: HelperRun;
  readonly #leavesDaemons: boolean;
  #cancelTimer: () => void;
  #exit: Exit | null = null;
  #expired = false;
  #settled = false;

  constructor(start: Start, clock: Clock, request: ExecRequest) {
    const { promise, resolve } = Promise.withResolvers<ExecOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#clock = clock;
    this.#output = new Tail(request.maxOutput, () => this.#settleIfDone());
    const { command, mark, leavesDaemons = false } = request;
    this.#leavesDaemons = leavesDaemons;
    const launch = {
      workerId: null,
      command,
      mark,
      listens: [],
      // What lives on would write into a pipe that nobody reads.
      captureStdout: !leavesDaemons,
      captureStderr: !leavesDaemons,
      limits: null,
      quotas: [],
      record: () => {},
    };
    this.#run = start({ ...launch, output: this.#output }, (report) => this.#hear(report));
    this.#cancelTimer = clock.after(request.timeout, () => this.expire());
  }

  /** Its time is over. */
  expire(): void {
    if (this.#settled || this.#expired || this.#exit !== null) return;
    this.#expired = true;
    this.#run.signalTree('SIGKILL');
    this.#await(KILL_PATIENCE);
  }

  #hear(report: RunReport): void {
    switch (report.kind) {
      case 'spawn-failed':
        this.#settle(this.#expired ? this.#timedOut() : { kind: 'failed', failure: report.failure });
        return;
      case 'exited':
        this.#exit = report.exit;
        if (this.#leavesDaemons) {
          this.#run.forgo();
          this.#settleNow();
          return;
        }
        if (report.remaining.length > 0) this.#run.signalTree('SIGKILL');
        this.#await(DRAIN);
        this.#settleIfDone();
        return;
      default:
    }
  }

  #await(span: Milliseconds): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(span, () => this.#settleNow());
  }

  #settleIfDone(): void {
    if (this.#exit !== null && this.#output.ended) this.#settleNow();
  }

  #settleNow(): void {
    const { text } = this.#output;
    this.#settle(
      this.#expired || this.#exit === null
        ? this.#timedOut()
        : { kind: 'exited', exit: this.#exit, output: text },
    );
  }

  #timedOut(): ExecOutcome {
    return { kind: 'timed-out', output: this.#output.text };
  }

  #settle(outcome: ExecOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#cancelTimer();
    if (outcome.kind !== 'failed') this.#run.detachOutput();
    this.#resolve(outcome);
  }
}

/** Keeps the last bytes of both streams, joined in the order in which they arrived. */
class Tail implements RunOutput {
  readonly #bound: number;
  readonly #onEnd: () => void;
  readonly #chunks: Uint8Array[] = [];
  readonly #open = new Set<OutputStream>(['stdout', 'stderr']);
  #size = 0;

  constructor(bound: number, onEnd: () => void) {
    this.#bound = bound;
    this.#onEnd = onEnd;
  }

  get ended(): boolean {
    return this.#open.size === 0;
  }

  get text(): string {
    return Buffer.concat(this.#chunks)
      .subarray(-this.#bound || Infinity)
      .toString('utf8');
  }

  openChannels(): null {
    return null;
  }

  write(_stream: OutputStream, chunk: Uint8Array, done: () => void): void {
    // Copied where it is cut, so that a short tail does not hold a large chunk.
    const kept = chunk.length > this.#bound ? chunk.slice(-this.#bound) : chunk;
    this.#chunks.push(kept);
    this.#size += kept.length;
    let first = this.#chunks[0];
    while (first !== undefined && this.#size - first.length >= this.#bound) {
      this.#size -= first.length;
      this.#chunks.shift();
      first = this.#chunks[0];
    }
    done();
  }

  end(stream: OutputStream): void {
    if (this.#open.delete(stream)) this.#onEnd();
  }
}
