import {
  type Clock,
  type Decision,
  decide,
  type Effect,
  type EventStream,
  type Host,
  type HostRun,
  HsuError,
  isSame,
  type Journal,
  type LimitReport,
  type LimitsSpec,
  type Message,
  type Milliseconds,
  needsRestart,
  newWorker,
  type OutputCollector,
  type ProcessIdentity,
  type QuotaSpec,
  type RunHook,
  type RunReport,
  type TicketOutcome,
  type Worker,
  type WorkerMemo,
  type WorkerSpec,
} from '@hsu-master/core';
import { AwaitedRun, attachOrAwait } from './awaited-run.ts';
import { controlProcess } from './kinds/control-process.ts';
import type { Mailbox } from './mailbox.ts';
import { Memory } from './memory.ts';
import { accompany, attachment, spawn } from './openings.ts';
import type { PidFiles } from './pid-files/pid-files.ts';
import type { Ports } from './ports/ports.ts';
import { hasStartedUp, RunHandles } from './run-handles.ts';
import type { SpawnQueue } from './spawn-queue.ts';
import { Timers } from './timers.ts';

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
  /** Whether the supervisor is in its final stop, and what that leaves of a grace. */
  isEnding(): boolean;
  graceLeft(grace: Milliseconds | null): Milliseconds | null;
  settle(ticket: number, outcome: TicketOutcome): void;
  /** Publishes what cannot have happened. */
  defect(error: unknown): void;
  /** Called after each turn that changed the worker. */
  turned(actor: WorkerActor, before: Worker): void;
}

/** Whatever was limited is not any more. */
const NO_LIMITS = { values: {}, affinity: null, scheduler: null } as const;

/** One worker: keeps its state, publishes its events, performs its effects. All of its rules are in core’s `decide`. */
export class WorkerActor {
  #spec: WorkerSpec;
  readonly #in: Surroundings;
  readonly #memory: Memory;
  /** By which its present or last run was begun, but for what could be changed since. */
  #runSpec: WorkerSpec;
  readonly #timers: Timers;
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
    this.#timers = new Timers(surroundings.clock, (run, timer) => this.tell({ kind: 'timer', run, timer }));
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
    this.#handles?.endHooks('left');
    const { phase } = this.#worker;
    if (phase.name === 'running' && phase.throttled.length > 0) this.#handles?.host.throttle(null);
  }

  /** The master has ended: what is left of the worker is left alone. */
  abandon(): void {
    this.#handles?.giveUp();
    this.#timers.clearAll();
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
      case 'control':
        this.#control(effect);
        return;
      case 'signal-tree':
        this.#handlesOf(effect.run)?.host.signalTree(effect.signal, this.#in.graceLeft(effect.grace));
        return;
      case 'set-limits':
        this.#setLimits(effect);
        return;
      case 'throttle':
        this.#handlesOf(effect.run)?.throttle(effect.percent);
        return;
      case 'follow':
        this.#follow(effect);
        return;
      case 'survey':
        this.#survey(effect.run);
        return;
      case 'close-run':
        this.#close(effect.run);
        return;
      case 'begin-hooks':
        this.#writeFiles(effect);
        this.#handlesOf(effect.run)?.beginHooks(effect.process);
        return;
      case 'renew-hooks':
        this.#handlesOf(effect.run)?.renewHooks(effect.process);
        return;
      case 'end-hooks':
        this.#handles?.endHooks(this.#worker.phase.name === 'stopping' ? 'asked' : 'gone');
        return;
      case 'set-timer':
        this.#timers.set(effect);
        return;
      case 'clear-timer':
        this.#timers.clear(effect.timer);
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

  #hold(begun: ConstructorParameters<typeof RunHandles>[2]): void {
    this.#handles = new RunHandles(this.#in, this, begun);
  }

  #spawn(effect: Effect & { kind: 'spawn' }): void {
    const { run, limits } = effect;
    const { phase } = this.#worker;
    if (phase.name === 'starting' && phase.end !== null && phase.end !== 'restart') {
      const message = `worker "${this.spec.id}": stopped before it was started`;
      this.tell({ kind: 'spawn-failed', run, failure: { code: 'E_SUPERSEDED', message }, transient: true });
      return;
    }
    this.#runSpec = this.#spec;
    try {
      const trace = this.#memory.traceOf(this.#spec, run);
      const host = spawn(this.#in, this.#spec, effect, trace, (report) => this.#report(run, report));
      this.#hold({ run, host, limits, startedUp: false });
    } catch (error) {
      const message = `worker "${this.spec.id}": ${error instanceof Error ? error.message : String(error)}`;
      const code = error instanceof HsuError ? error.code : 'E_INTERNAL';
      this.tell({ kind: 'spawn-failed', run, failure: { code, message }, transient: true });
    }
  }

  #attach(effect: Effect & { kind: 'attach' }): void {
    const { run, process, limits } = effect;
    const { clock, defect } = this.#in;
    const startedUp = hasStartedUp(this.#worker);
    const attach = attachment(this.#in, this, effect, (report) => this.#report(run, report));
    const attached = (found: HostRun): void => this.#attached(run, limits, found);
    const tree = attachOrAwait({ clock, process, attach, attached, refused: defect });
    this.#hold({ run, host: tree, limits, startedUp });
    if (!(tree instanceof AwaitedRun)) this.#limitsAreSet(run, tree.limitReports());
  }

  /** At last; limits and hooks that were waiting for it. */
  #attached(run: number, limits: LimitsSpec | null, host: HostRun): void {
    const handles = this.#handlesOf(run);
    if (handles === null) return;
    this.#limitsAreSet(run, handles.attached(host, limits));
    const { phase } = this.#worker;
    if (phase.name === 'running') handles.beginHooks(phase.process);
  }

  #limitsAreSet(run: number, limits: readonly LimitReport[]): void {
    this.#memory.limitsAreSet(this.#spec, this.#worker);
    this.tell({ kind: 'limits-set', run, limits });
  }

  #accompany(effect: Effect & { kind: 'accompany' }): void {
    const { run, process, limits } = effect;
    const { host, clock, events } = this.#in;
    this.#runSpec = this.#spec;
    const accompanied = accompany(this.#in, this.#spec, effect, (report) => this.#report(run, report));
    this.#hold({ run, host: accompanied, limits, startedUp: false });
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

  #setLimits({ run, limits }: Effect & { kind: 'set-limits' }): void {
    const reports = this.#handlesOf(run)?.setLimits(limits) ?? null;
    if (reports !== null) this.#limitsAreSet(run, reports);
  }

  #control({ run, action }: Effect & { kind: 'control' }): void {
    const mark = `${this.#in.masterId}.${this.spec.id}.${run}`;
    controlProcess(this.#in.host, this.spec, { action, mark }, (reason) =>
      this.tell({ kind: 'control-failed', run, action, reason }),
    );
  }

  #survey(run: number): void {
    this.tell({ kind: 'surveyed', run, members: this.#handlesOf(run)?.host.members() ?? [] });
  }

  #close(run: number): void {
    this.#handlesOf(run)?.host.detachOutput();
    this.#in.journal.forgetRun(this.spec.id, run);
    this.#in.pidFiles?.remove(this.spec, run);
    this.#handles = null;
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
}
