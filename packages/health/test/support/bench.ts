import type {
  EventDraft,
  ExecOutcome,
  ExecRequest,
  GrpcPort,
  HookFact,
  Host,
  HostRun,
  Probe,
  Probes,
  RunContext,
} from '@hsu-master/core';
import { FakeClock, workerSpec } from '@hsu-master/testkit';
import { healthHook, type Lookup } from '../../src/index.ts';

const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);

export function probe(check: Probe['check'], rest: Partial<Probe> = {}): Probe {
  return {
    check,
    interval: 1000,
    timeout: 500,
    initialDelay: 0,
    failureThreshold: 1,
    successThreshold: 1,
    ...rest,
  };
}

/** An exec helper that ends when the test says so. */
export class Helper {
  cancelled = false;
  readonly outcome: Promise<ExecOutcome>;
  settle!: (outcome: ExecOutcome) => void;
  readonly request: ExecRequest;

  constructor(request: ExecRequest) {
    this.request = request;
    this.outcome = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  exit(code: number, output = ''): void {
    this.settle({ kind: 'exited', exit: { code, signal: null, coreDumped: false, usage: null }, output });
  }

  cancel(): void {
    this.cancelled = true;
    this.settle({ kind: 'timed-out', output: '' });
  }
}

/** One run with probes, on a clock that the test moves. */
export class Bench {
  readonly clock = new FakeClock();
  readonly told: HookFact[] = [];
  readonly published: EventDraft[] = [];
  readonly helpers: Helper[] = [];
  alive = true;
  startedUp = false;
  heldBack = false;
  freeSince: number | null = null;
  aliveAsked = 0;
  onTell: () => void = () => undefined;
  end: () => void = () => undefined;
  readonly #waiting = new Set<() => void>();
  readonly #probes: Probes;
  readonly #grace: number;
  readonly #lookup: Lookup | undefined;
  readonly #grpc: GrpcPort | null;
  /** The port that its worker was given. */
  port: number | null = null;

  constructor(probes: Partial<Probes>, options: { grace?: number; lookup?: Lookup; grpc?: GrpcPort } = {}) {
    this.#probes = { startup: null, liveness: null, readiness: null, ...probes };
    this.#grace = options.grace ?? 0;
    this.#lookup = options.lookup;
    this.#grpc = options.grpc ?? null;
  }

  begin(): this {
    // Health does not ask why it ends.
    this.end = healthHook(this.#lookup, this.#grpc).begin(this.context()) as () => void;
    return this;
  }

  context(): RunContext {
    const base = workerSpec('web');
    const spec = workerSpec('web', {
      probes: this.#probes,
      restart: { ...base.restart, startupGrace: this.#grace },
      command: { ...base.command, argv: ['/bin/web'], cwd: '/srv', env: { A: 'b' }, user: 'www' },
    });
    const host = {
      isAlive: () => {
        this.aliveAsked += 1;
        return this.alive;
      },
      exec: (request: ExecRequest) => {
        const helper = new Helper(request);
        this.helpers.push(helper);
        return helper;
      },
    } as unknown as Host;
    return {
      spec,
      run: 3,
      process: { pid: 4711, startedAt: '1' },
      port: this.port,
      since: this.clock.now(),
      startedUp: this.startedUp,
      host,
      clock: this.clock,
      limits: null,
      members: () => [],
      tree: {} as HostRun,
      isHeldBack: (since) =>
        this.heldBack || (since !== undefined && this.freeSince !== null && this.freeSince >= since),
      tell: (fact) => {
        this.told.push(fact);
        this.onTell();
        this.#stir();
      },
      publish: (event) => {
        this.published.push(event);
        this.#stir();
      },
    };
  }

  holdBack(): void {
    this.heldBack = true;
  }

  letGo(): void {
    this.heldBack = false;
    this.freeSince = this.clock.now();
  }

  #stir(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves when `count` facts have been told. */
  async toldCount(count: number): Promise<readonly HookFact[]> {
    await this.#until(() => this.told.length >= count);
    return this.told;
  }

  /** The reason of the `count`-th change of a verdict, once it is there. */
  async reason(count = 1): Promise<string> {
    await this.#until(() => this.published.length >= count);
    const event = this.published[count - 1];
    return event?.type === 'health.changed' ? event.payload.reason : '';
  }

  #until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`not seen in time; told ${JSON.stringify(this.told)}`));
      }, 10_000 * factor);
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }
}

/** Lets settled promises be heard. */
export async function heard(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
