import {
  type Clock,
  type Decision,
  decide,
  type Effect,
  type EventStream,
  type Exit,
  type Host,
  type HostRun,
  HsuError,
  isSame,
  isUnknown,
  type Journal,
  type LimitReport,
  type LimitsSpec,
  type Message,
  type MonotonicTime,
  needsRestart,
  newWorker,
  type OutputChannels,
  type OutputCollector,
  type ProcessIdentity,
  type QuotaSpec,
  type RunEnding,
  type RunHook,
  type RunReport,
  type TicketOutcome,
  type TimerName,
  type Worker,
  type WorkerMemo,
  type WorkerSpec,
} from '@hsu-master/core';
import { AwaitedRun } from './awaited-run.ts';
import { controlProcess } from './kinds/control-process.ts';
import type { Mailbox } from './mailbox.ts';
import { Memory } from './memory.ts';
import type { PidFiles } from './pid-files/pid-files.ts';
import type { Ports } from './ports/ports.ts';
import type { SpawnQueue } from './spawn-queue.ts';

/** What all actors of a supervisor share. */
export interface Surroundings {
  readonly host: Host;
  readonly clock: Clock;
  readonly hooks: readonly RunHook[];
  readonly collector: OutputCollector;
  readonly journal: Journal;
  readonly events: EventStream;
  readonly mailbox: Mailbox;
  readonly spawns: SpawnQueue;
  readonly ports: Ports;
  /** null: nobody is told where the processes are. */
  readonly pidFiles: PidFiles | null;
  /** Names the state directory in every run’s mark. */
  readonly instance: string;
  /** Unique per master life; in every run’s mark. */
  readonly masterId: string;
  /** The rule that the actors follow; the simulation plants faults here. */
  readonly decide: typeof decide;
  /** Whether the supervisor is in its final stop. */
  isEnding(): boolean;
  settle(ticket: number, outcome: TicketOutcome): void;
  /** Publishes what cannot have happened. */
  defect(error: unknown): void;
  /** Called after each turn that changed the worker. */
  turned(actor: WorkerActor, before: Worker): void;
}

/** Whatever was limited is not any more. */
const NO_LIMITS = { values: {}, affinity: null, scheduler: null } as const;

type SpawnEffect = Effect & { readonly kind: 'spawn' };
type AttachEffect = Effect & { readonly kind: 'attach' };

/** The part of a run that lives outside the state: handles. */
interface RunHandles {
  readonly run: number;
  host: HostRun;
  limits: LimitsSpec | null;
  /** An earlier master began it and saw it pass its startup. */
  startedUp: boolean;
  /** When it was let go last; null: it was never held back. */
  freeSince: MonotonicTime | null;
  endHooks: ((how: RunEnding) => void)[];
}

/** One worker: keeps its state, publishes its events, performs its effects. All of its rules are in core’s `decide`. */
export class WorkerActor {
  #spec: WorkerSpec;
  readonly #in: Surroundings;
  readonly #memory: Memory;
  /** By which its present or last run was begun, but for what could be changed since. */
  #runSpec: WorkerSpec;
  readonly #timers = new Map<TimerName, () => void>();
  readonly #runsBefore: number;
  #worker: Worker;
  #handles: RunHandles | null = null;

  constructor(spec: WorkerSpec, surroundings: Surroundings) {
    this.#spec = spec;
    this.#runSpec = spec;
    this.#in = surroundings;
    this.#worker = newWorker(spec.id);
    this.#runsBefore = surroundings.journal.lastRun(spec.id);
    this.#memory = new Memory(surroundings);
  }

  /** As it is now: it can be changed. */
  get spec(): WorkerSpec {
    return this.#spec;
  }

  /** What its present process was started by. */
  get runSpec(): WorkerSpec {
    return this.#runSpec;
  }

  /** Whether its process, or that it has ended, is by a spec from which the present one does not go on. */
  get isOutdated(): boolean {
    return needsRestart(this.#runSpec, this.#spec);
  }

  get worker(): Worker {
    return this.#worker;
  }

  /** The living members of its tree, as the host sees them now. */
  members(): readonly ProcessIdentity[] {
    return this.#handles?.host.members() ?? [];
  }

  /** Goes on where an earlier master was. */
  recall(memo: WorkerMemo, desired: 'up' | 'down'): void {
    this.#memory.recall(memo);
    this.tell({ kind: 'recalled', memo, desired });
  }

  /** The master ends, and its worker does not: only what was held back is let go. */
  leave(): void {
    this.abandon();
    this.#endHooks('left');
    const { phase } = this.#worker;
    if (phase.name === 'running' && phase.throttled.length > 0) this.#handles?.host.throttle(null);
  }

  /** The master has ended: what is left of the worker is left alone. */
  abandon(): void {
    if (this.#handles?.host instanceof AwaitedRun) this.#handles.host.giveUp();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Other limits, for what runs and for what is to come. */
  setLimits(limits: LimitsSpec): void {
    this.#spec = { ...this.#spec, limits };
    this.#runSpec = { ...this.#runSpec, limits };
    this.#memory.limitsChange();
    this.tell({ kind: 'limits-changed' });
  }

  /**
   * Another spec of the same kind. What can be changed at once is; where its process has to give way, it waits to be told so with
   * `replace`.
   */
  change(spec: WorkerSpec): void {
    const { limits, probes, processFile } = this.#runSpec;
    this.#spec = spec;
    if (this.isOutdated) return;
    this.#runSpec = spec;
    if (!isSame(limits, spec.limits)) {
      this.#memory.limitsChange();
      const lifted = limits === null ? {} : { lifted: { ...limits, ...NO_LIMITS } };
      this.tell({ kind: 'limits-changed', ...lifted });
    }
    if (!isSame(processFile, spec.processFile)) this.#moveFiles();
    if (!isSame(probes, spec.probes)) this.tell({ kind: 'spec-changed', restart: false, probes: true });
  }

  /** Its process gives way to one by the present spec, if it is by another one. */
  replace(): void {
    if (this.isOutdated) this.tell({ kind: 'spec-changed', restart: true, probes: true });
  }

  /** The budget of this kind and name, if it is one of its own, has other limits: its host has set them already. */
  setQuota(quota: QuotaSpec): void {
    const isIt = ({ kind, id }: QuotaSpec): boolean => kind === quota.kind && id === quota.id;
    if (!this.#spec.quotas.some(isIt)) return;
    const quotas = this.#spec.quotas.map((one) => (isIt(one) ? quota : one));
    this.#spec = { ...this.#spec, quotas };
    const { phase, run } = this.#worker;
    const limits = this.#handlesOf(run)?.host.limitReports();
    if (phase.name === 'running' && limits !== undefined) this.tell({ kind: 'limits-set', run, limits });
  }

  tell(message: Message): void {
    this.#in.mailbox.post(() => this.#turn(message));
  }

  #turn(message: Message): void {
    const { clock } = this.#in;
    const before = this.#worker;
    const decision = this.#in.decide(before, message, {
      spec: this.#specOfTurn(),
      now: clock.now(),
      wallNow: clock.wallNow(),
      random: clock.random(),
      runsBefore: this.#runsBefore,
      ending: this.#in.isEnding(),
    });
    this.#worker = decision.worker;
    this.#memory.keep(this.#spec, before, decision);
    this.#publish(message.kind === 'recalled' ? message.memo.run : before.run, decision);
    for (const effect of decision.effects) this.#attempt(effect);
    if (decision.worker !== before) this.#in.turned(this, before);
  }

  /** A process is ended as the spec says by which it was begun. */
  #specOfTurn(): WorkerSpec {
    const { phase } = this.#worker;
    const { stop } = this.#runSpec;
    const hasProcess = phase.name === 'running' || phase.name === 'starting';
    return !hasProcess || stop === this.#spec.stop ? this.#spec : { ...this.#spec, stop };
  }

  /** A turn that ends one run may begin the next; what it says before `worker.starting` is about the former. */
  #publish(runBefore: number, { events, worker }: Decision): void {
    let run = runBefore;
    for (const event of events) {
      if (event.type === 'worker.starting' || event.type === 'worker.attached') run = worker.run;
      this.#in.events.publish(event, this.#in.clock.wallNow(), this.spec.id, run === 0 ? null : run);
    }
  }

  /** An effect that throws is a defect; those after it are performed all the same. */
  #attempt(effect: Effect): void {
    try {
      this.#perform(effect);
    } catch (error) {
      this.#in.defect(error);
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'spawn':
        this.#in.spawns.add(() => this.#spawn(effect));
        return;
      case 'attach':
        this.#attach(effect);
        return;
      case 'accompany':
        this.#accompany(effect);
        return;
      case 'control': {
        const { run, action } = effect;
        const mark = `${this.#in.masterId}.${this.spec.id}.${run}`;
        controlProcess(this.#in.host, this.spec, { action, mark }, (reason) =>
          this.tell({ kind: 'control-failed', run, action, reason }),
        );
        return;
      }
      case 'signal-tree':
        this.#handlesOf(effect.run)?.host.signalTree(effect.signal);
        return;
      case 'set-limits':
        this.#setLimits(effect);
        return;
      case 'throttle':
        this.#throttle(effect);
        return;
      case 'follow':
        this.#follow(effect);
        return;
      case 'survey': {
        const members = this.#handlesOf(effect.run)?.host.members() ?? [];
        this.tell({ kind: 'surveyed', run: effect.run, members });
        return;
      }
      case 'close-run':
        this.#handlesOf(effect.run)?.host.detachOutput();
        this.#in.journal.forgetRun(this.spec.id, effect.run);
        this.#in.pidFiles?.remove(this.spec, effect.run);
        this.#handles = null;
        return;
      case 'begin-hooks':
        this.#writeFiles(effect);
        this.#beginHooks(effect);
        return;
      case 'renew-hooks': {
        const handles = this.#handlesOf(effect.run);
        if (handles === null) return;
        this.#endHooks('left');
        const { phase } = this.#worker;
        // Who was ready once has started up.
        handles.startedUp ||= phase.name === 'running' && (phase.ready || phase.unreadyReason !== '');
        this.#beginHooks({ ...effect, kind: 'begin-hooks' });
        return;
      }
      case 'end-hooks':
        this.#endHooks(this.#worker.phase.name === 'stopping' ? 'asked' : 'gone');
        return;
      case 'set-timer':
        this.#setTimer(effect);
        return;
      case 'clear-timer':
        this.#timers.get(effect.timer)?.();
        this.#timers.delete(effect.timer);
        return;
      case 'settle':
        this.#in.settle(effect.ticket, effect.outcome);
        return;
      case 'record-desired':
        // Done before all others.
        return;
    }
  }

  #handlesOf(run: number): RunHandles | null {
    return this.#handles?.run === run ? this.#handles : null;
  }

  #spawn({ run, limits }: SpawnEffect): void {
    const { phase } = this.#worker;
    if (phase.name === 'starting' && phase.end !== null && phase.end !== 'restart') {
      const failure = {
        code: 'E_SUPERSEDED',
        message: `worker "${this.spec.id}": stopped before it was started`,
      } as const;
      this.tell({ kind: 'spawn-failed', run, failure, transient: true });
      return;
    }
    this.#runSpec = this.#spec;
    try {
      this.#handles = {
        run,
        host: this.#ask(run, limits),
        limits,
        startedUp: false,
        freeSince: null,
        endHooks: [],
      };
    } catch (error) {
      const message = `worker "${this.spec.id}": ${error instanceof Error ? error.message : String(error)}`;
      const code = error instanceof HsuError ? error.code : 'E_INTERNAL';
      this.tell({ kind: 'spawn-failed', run, failure: { code, message }, transient: true });
    }
  }

  #ask(run: number, limits: LimitsSpec | null): HostRun {
    const { host, collector, journal, ports } = this.#in;
    const { command, listens } = ports.assign(this.spec);
    const trace = this.#memory.traceOf(this.#spec, run);
    const { mark } = trace;
    return host.spawn(
      {
        workerId: this.spec.id,
        run,
        command,
        mark,
        captureStdout: this.spec.log.captureStdout,
        captureStderr: this.spec.log.captureStderr,
        listens,
        output: collector.open(this.spec, run),
        limits,
        quotas: this.spec.quotas,
        record: (process) => journal.recordRun({ workerId: this.spec.id, run, process, ...trace }),
      },
      (report) => this.#report(run, report),
    );
  }

  #attach({ run, process, mark, exit, limits, limitsHold }: AttachEffect): void {
    const { host, collector, clock, defect } = this.#in;
    const { phase } = this.#worker;
    // Before its startup has passed nobody judges whether it is ready.
    const startedUp = phase.name === 'running' && (phase.ready || phase.unreadyReason !== '');
    let channels: OutputChannels | null | undefined;
    const attach = (): HostRun => {
      const { id: workerId, command, quotas } = this.spec;
      if (channels === undefined) channels = collector.resume(this.spec, run, mark);
      const request = { workerId, run, process, mark, command, channels, limits, limitsHold, quotas };
      return host.attach(request, (report) => this.#report(run, withKnownExit(report, exit)));
    };
    const handles = { run, limits, startedUp, freeSince: null, endHooks: [] };
    try {
      this.#handles = { ...handles, host: attach() };
    } catch (error) {
      defect(error);
      const attached = (found: HostRun): void => this.#attached(run, limits, found);
      this.#handles = { ...handles, host: new AwaitedRun({ clock, process, attach, attached }) };
      return;
    }
    this.#limitsAreSet(run, this.#handles.host.limitReports());
  }

  /** At last; limits and hooks that were waiting for it. */
  #attached(run: number, limits: LimitsSpec | null, host: HostRun): void {
    const handles = this.#handlesOf(run);
    if (handles === null) return;
    handles.host = host;
    const { limits: wanted } = handles;
    const isSame = wanted === null || wanted === limits;
    this.#limitsAreSet(run, isSame ? host.limitReports() : host.setLimits(wanted));
    const { phase } = this.#worker;
    if (phase.name === 'running') this.#beginHooks({ kind: 'begin-hooks', run, process: phase.process });
  }

  #limitsAreSet(run: number, limits: readonly LimitReport[]): void {
    this.#memory.limitsAreSet(this.#spec, this.#worker);
    this.tell({ kind: 'limits-set', run, limits });
  }

  #accompany({ run, process, limits }: Effect & { kind: 'accompany' }): void {
    const { host, clock, events, collector } = this.#in;
    this.#runSpec = this.#spec;
    // Its files are read by themselves; what it writes anywhere else nobody hears.
    const output = collector.open(this.#spec, run);
    for (const stream of ['stdout', 'stderr'] as const) output.end(stream);
    const mayMove = this.#spec.unmanaged?.control.move === true;
    const request = { process, limits, mayMove };
    const accompanied = host.accompany(request, (report) => this.#report(run, report));
    this.#handles = { run, host: accompanied, limits, startedUp: false, freeSince: null, endHooks: [] };
    if (limits !== null) this.tell({ kind: 'limits-set', run, limits: accompanied.limitReports() });
    if (host.maySignal(process) || !host.isAlive(process)) return;
    const reason = `process ${process.pid} belongs to another user`;
    const event = { type: 'worker.monitor-only', payload: { reason } } as const;
    events.publish(event, clock.wallNow(), this.spec.id, run);
  }

  #report(run: number, report: RunReport): void {
    if (report.kind === 'spawned') {
      const limits = this.#handlesOf(run)?.host.limitReports() ?? [];
      this.tell({ ...report, run, limits });
    } else this.tell({ ...report, run });
  }

  #throttle({ run, percent }: Effect & { kind: 'throttle' }): void {
    const handles = this.#handlesOf(run);
    if (handles === null) return;
    if (percent === null) handles.freeSince = this.#in.clock.now();
    handles.host.throttle(percent);
  }

  #setLimits({ run, limits }: Effect & { kind: 'set-limits' }): void {
    const handles = this.#handlesOf(run);
    if (handles === null) return;
    handles.limits = limits;
    if (!(handles.host instanceof AwaitedRun)) this.#limitsAreSet(run, handles.host.setLimits(limits));
  }

  #follow(effect: Effect & { kind: 'follow' }): void {
    const handles = this.#handlesOf(effect.run);
    if (handles === null) return;
    if (handles.host.follow(effect.process)) {
      this.#writeFiles(effect);
      return;
    }
    const exit = { code: null, signal: null, coreDumped: false, usage: null };
    this.tell({ kind: 'exited', run: effect.run, exit, remaining: handles.host.members() });
  }

  #moveFiles(): void {
    const { phase, run } = this.#worker;
    this.#in.pidFiles?.remove(this.#spec, run);
    if (phase.name === 'running') this.#writeFiles({ kind: 'follow', run, process: phase.process });
  }

  #writeFiles({ run, process }: Effect & { kind: 'begin-hooks' | 'follow' }): void {
    this.#in.pidFiles?.write(this.spec, run, process, this.#in.ports.portOf(this.spec));
  }

  #beginHooks(effect: Effect & { kind: 'begin-hooks' }): void {
    const handles = this.#handlesOf(effect.run);
    // Nobody looks at what cannot be attached to yet.
    if (handles === null || handles.host instanceof AwaitedRun) return;
    const { host, clock, events, hooks, ports } = this.#in;
    const { run } = effect;
    const spec = (): WorkerSpec => this.#spec;
    const { phase } = this.#worker;
    const since = phase.name === 'running' ? phase.since : clock.now();
    const main = (): ProcessIdentity => {
      const { phase } = this.#worker;
      return phase.name === 'running' ? phase.process : effect.process;
    };
    handles.endHooks = hooks.map((hook) =>
      hook.begin({
        get spec() {
          return spec();
        },
        run,
        get limits() {
          return handles.limits;
        },
        get process() {
          return main();
        },
        since,
        startedUp: handles.startedUp,
        port: ports.portOf(this.#spec),
        host,
        clock,
        members: () => handles.host.members(),
        tree: handles.host,
        isHeldBack: (since) =>
          isHeldBack(this.#worker, run) ||
          (since !== undefined && handles.freeSince !== null && handles.freeSince >= since),
        tell: (fact) => this.tell({ ...fact, run }),
        publish: (event) => events.publish(event, clock.wallNow(), this.spec.id, run),
      }),
    );
  }

  #endHooks(how: RunEnding): void {
    const ends = this.#handles?.endHooks ?? [];
    if (this.#handles !== null) this.#handles.endHooks = [];
    for (const end of ends) end(how);
  }

  #setTimer(effect: Effect & { kind: 'set-timer' }): void {
    const { timer, run } = effect;
    this.#timers.get(timer)?.();
    const cancel = this.#in.clock.after(effect.delay, () => {
      this.#timers.delete(timer);
      this.tell({ kind: 'timer', run, timer });
    });
    this.#timers.set(timer, cancel);
  }
}

/** What an earlier master saw of the end says more than what this host can. */
function withKnownExit(report: RunReport, known: Exit | null): RunReport {
  return report.kind === 'exited' && known !== null && isUnknown(report.exit)
    ? { ...report, exit: known }
    : report;
}

/** What is asked of a tree that was stopped or slowed says nothing about it. */
function isHeldBack({ run, phase }: Worker, asked: number): boolean {
  return run === asked && phase.name === 'running' && phase.throttled.length > 0;
}
