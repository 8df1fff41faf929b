import type {
  Clock,
  EventStream,
  Host,
  HostRun,
  LimitReport,
  LimitsSpec,
  Message,
  MonotonicTime,
  ProcessIdentity,
  RunContext,
  RunEnding,
  RunHook,
  Worker,
  WorkerSpec,
} from '@hsu-master/core';
import { AwaitedRun } from './awaited-run.ts';
import type { Ports } from './ports/ports.ts';

interface Surroundings {
  readonly host: Host;
  readonly clock: Clock;
  readonly events: EventStream;
  readonly hooks: readonly RunHook[];
  readonly ports: Ports;
}

/** Whose run it is, as it is at the moment. */
interface Owner {
  readonly spec: WorkerSpec;
  readonly worker: Worker;
  tell(message: Message): void;
}

interface Begun {
  readonly run: number;
  readonly host: HostRun;
  readonly limits: LimitsSpec | null;
  /** An earlier master began it and saw it pass its startup. */
  readonly startedUp: boolean;
}

/** The part of a run that lives outside the state: its tree as the host holds it, and who accompanies it. */
export class RunHandles {
  readonly #in: Surroundings;
  readonly #owner: Owner;
  readonly run: number;
  #host: HostRun;
  #limits: LimitsSpec | null;
  #startedUp: boolean;
  /** When it was let go last; null: it was never held back. */
  #freeSince: MonotonicTime | null = null;
  #endHooks: readonly ((how: RunEnding) => void)[] = [];

  constructor(surroundings: Surroundings, owner: Owner, { run, host, limits, startedUp }: Begun) {
    this.#in = surroundings;
    this.#owner = owner;
    this.run = run;
    this.#host = host;
    this.#limits = limits;
    this.#startedUp = startedUp;
  }

  get host(): HostRun {
    return this.#host;
  }

  /** What it was attached to at last; `limits` are those that it was to be attached with. Returns what became of those that it has now. */
  attached(host: HostRun, limits: LimitsSpec | null): readonly LimitReport[] {
    this.#host = host;
    const wanted = this.#limits;
    return wanted === null || wanted === limits ? host.limitReports() : host.setLimits(wanted);
  }

  /** The master ends: what is not attached to yet is left alone. */
  giveUp(): void {
    if (this.#host instanceof AwaitedRun) this.#host.giveUp();
  }

  /** null: they are set when it is attached to. */
  setLimits(limits: LimitsSpec): readonly LimitReport[] | null {
    this.#limits = limits;
    return this.#host instanceof AwaitedRun ? null : this.#host.setLimits(limits);
  }

  throttle(percentOfCore: number | null): void {
    if (percentOfCore === null) this.#freeSince = this.#in.clock.now();
    this.#host.throttle(percentOfCore);
  }

  /** `process`: the main one, until the owner knows of another. */
  beginHooks(process: ProcessIdentity): void {
    // Nobody looks at what cannot be attached to yet.
    if (this.#host instanceof AwaitedRun) return;
    this.#endHooks = this.#in.hooks.map((hook) => hook.begin(this.#context(process)));
  }

  /** They begin anew, by another spec. */
  renewHooks(process: ProcessIdentity): void {
    this.endHooks('left');
    this.#startedUp ||= hasStartedUp(this.#owner.worker);
    this.beginHooks(process);
  }

  endHooks(how: RunEnding): void {
    const ends = this.#endHooks;
    this.#endHooks = [];
    for (const end of ends) end(how);
  }

  #context(process: ProcessIdentity): RunContext {
    const { host, clock, events, ports } = this.#in;
    const { run } = this;
    const owner = this.#owner;
    const { phase } = owner.worker;
    const limits = (): LimitsSpec | null => this.#limits;
    return {
      get spec() {
        return owner.spec;
      },
      run,
      get limits() {
        return limits();
      },
      get process() {
        const { phase } = owner.worker;
        return phase.name === 'running' ? phase.process : process;
      },
      since: phase.name === 'running' ? phase.since : clock.now(),
      startedUp: this.#startedUp,
      port: ports.portOf(owner.spec),
      host,
      clock,
      members: () => this.#host.members(),
      tree: this.#host,
      isHeldBack: (since) => this.#isHeldBack(since),
      tell: (fact) => owner.tell({ ...fact, run }),
      publish: (event) => events.publish(event, clock.wallNow(), owner.spec.id, run),
    };
  }

  /** What is asked of a tree that was stopped or slowed says nothing about it. */
  #isHeldBack(since: MonotonicTime | undefined): boolean {
    const { run, phase } = this.#owner.worker;
    if (run === this.run && phase.name === 'running' && phase.throttled.length > 0) return true;
    return since !== undefined && this.#freeSince !== null && this.#freeSince >= since;
  }
}

/** Who was ready once has started up; before that nobody judges whether it is ready. */
export function hasStartedUp({ phase }: Worker): boolean {
  return phase.name === 'running' && (phase.ready || phase.unreadyReason !== '');
}
