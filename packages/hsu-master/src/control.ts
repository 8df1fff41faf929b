import { constants } from 'node:os';
import {
  type Audit,
  type BasedOn,
  type Caller,
  type Clock,
  type Control,
  type Ending,
  explain,
  HsuError,
  type Order,
  type SignalName,
  select,
  signalRefusal,
  type TicketOutcome,
  type Tokens,
  type UsageView,
  type Validation,
  type WallTime,
  type WorkerId,
  type WorkerSpec,
  type WorkerView,
} from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { realClock, type WorkerSnapshot } from '@hsu-master/workers';
import { Execs } from './control-exec.ts';
import { WorkerHistory } from './control-history.ts';
import { logReader } from './control-logs.ts';
import { processesOf } from './control-processes.ts';
import { Tickets } from './control-tickets.ts';
import { detailOf, environmentOf, usageOf, Views } from './control-views.ts';
import { load, type Master } from './create-master.ts';
import { ownVersion } from './version.ts';

export interface ControlOptions {
  readonly master: Master;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Hears of orders and of the end. */
  readonly audit: Audit;
  readonly tokens: Tokens;
  /** Ends the master; called once. */
  shutdown(reason: string): Promise<Ending>;
}

/** A sample that is younger than this is shown again: several who watch cost as much as one. */
const FRESH = 900;

/** How many lines of stderr an explanation quotes. */
const LAST_WORDS = 5;

/** The door to a master for all surfaces. */
export function createControl(options: ControlOptions): Control {
  return new MasterControl(options);
}

class MasterControl implements Control {
  readonly events: Control['events'];
  readonly logs: Control['logs'];
  readonly tokens: Tokens;
  readonly #options: ControlOptions;
  readonly #master: Master;
  readonly #clock: Clock = realClock();
  readonly #startedAt: WallTime;
  readonly #history: WorkerHistory;
  readonly #views: Views;
  readonly #tickets: Tickets;
  readonly #execs: Execs;
  readonly #usages = new Map<WorkerId, { readonly at: number; readonly view: UsageView | null }>();
  #ended: Promise<Ending> | null = null;

  constructor(options: ControlOptions) {
    const { master } = options;
    this.#options = options;
    this.#master = master;
    this.#startedAt = this.#clock.wallNow();
    this.#history = new WorkerHistory(master.events);
    master.events.subscribe(({ type, workerId }) => {
      if (type === 'worker.removed' && workerId !== null) this.#usages.delete(workerId);
    });
    this.#views = new Views(this.#clock, this.#history);
    this.#tickets = new Tickets(master.id, this.#clock);
    this.#execs = new Execs(() => master.host(), master.id);
    this.events = master.events;
    this.tokens = options.tokens;
    this.logs = logReader(() => master.specs());
  }

  master(): ReturnType<Control['master']> {
    const { id, config, places, lacksAddon } = this.#master;
    return {
      id,
      version: ownVersion(),
      pid: process.pid,
      startedAt: this.#startedAt,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      configFile: config.file,
      stateDirectory: places.stateDirectory,
      logDirectory: places.logDirectory,
      lacksAddon,
    };
  }

  workers(selection: Parameters<Control['workers']>[0], usage: boolean): readonly WorkerView[] {
    return select(this.#master.specs(), selection).map((spec) =>
      this.#view(spec, this.#master.worker(spec.id), usage),
    );
  }

  worker(id: WorkerId): WorkerView {
    return this.#view(this.#spec(id), this.#master.worker(id), true);
  }

  detail(id: WorkerId): ReturnType<Control['detail']> {
    const dependents = this.#master
      .specs()
      .filter(({ dependsOn }) => dependsOn.some((dependency) => dependency.id === id));
    const spec = this.#spec(id);
    return detailOf(
      spec,
      dependents.map((dependent) => dependent.id),
      this.#master.members(id),
    );
  }

  processes(id: WorkerId): ReturnType<Control['processes']> {
    return processesOf(this.#master.members(this.#spec(id).id));
  }

  dependencies(id: WorkerId): ReturnType<Control['dependencies']> {
    return this.#spec(id).dependsOn;
  }

  environment(id: WorkerId, reveal: boolean): ReturnType<Control['environment']> {
    return environmentOf(this.#spec(id), reveal);
  }

  limits(id: WorkerId): ReturnType<Control['limits']> {
    return this.#master.limits(this.#spec(id).id);
  }

  why(id: WorkerId): ReturnType<Control['why']> {
    const worker = this.worker(id);
    const lastWords = this.#master.lastLines(id, LAST_WORDS, 'stderr');
    const now = this.#clock.wallNow();
    return Promise.resolve(explain({ worker, events: this.#history.of(id), lastWords, now }));
  }

  order(id: WorkerId, order: Order, by: Caller): ReturnType<Control['order']> {
    const spec = this.#spec(id);
    const action = `worker.${order.kind}`;
    const told = order.kind === 'signal' ? `${order.signal} to ${order.to}` : null;
    try {
      const ordered = this.#tickets.take(id, order.kind, this.#give(spec, order));
      this.#options.audit.record({ by, action, on: id, result: 'done', why: told });
      return ordered;
    } catch (error) {
      const why = error instanceof HsuError ? error.code : 'E_INTERNAL';
      this.#options.audit.record({ by, action, on: id, result: 'failed', why });
      throw error;
    }
  }

  ticket(id: string): ReturnType<Control['ticket']> {
    return this.#tickets.find(id);
  }

  pending(): ReturnType<Control['pending']> {
    return this.#tickets.pending();
  }

  capabilities(): ReturnType<Control['capabilities']> {
    return this.#master.capabilities();
  }

  validate(text: string, file: string): Validation {
    const result = load({ file, text }, this.#options.environment, this.#master.places);
    const issues = result.ok ? result.config.warnings : result.issues;
    return {
      ok: result.ok,
      issues: issues.map(({ severity, line, column, path, message, hint }) => ({
        severity,
        line,
        column,
        path,
        message,
        hint,
      })),
      workers: result.ok ? result.config.workers.map(({ id }) => id) : [],
    };
  }

  config(): ReturnType<Control['config']> {
    return this.#master.configuration.view();
  }

  plan(source: Parameters<Control['plan']>[0]): ReturnType<Control['plan']> {
    return this.#master.configuration.plan(source);
  }

  apply(text: string, file: string, by: Caller, basedOn: BasedOn): ReturnType<Control['apply']> {
    return this.#changed('config.apply', file, by, (configuration) =>
      configuration.apply({ text, file }, by.name, basedOn),
    );
  }

  reload(by: Caller): ReturnType<Control['reload']> {
    return this.#changed('config.reload', 'master', by, (configuration) => configuration.reload(by.name));
  }

  create(written: object, by: Caller, basedOn: BasedOn): ReturnType<Control['create']> {
    const { id } = written as { readonly id?: unknown };
    return this.#changed('worker.create', typeof id === 'string' ? id : '', by, (configuration) =>
      configuration.create(written, by.name, basedOn),
    );
  }

  replace(id: WorkerId, written: object, by: Caller, basedOn: BasedOn): ReturnType<Control['replace']> {
    return this.#changed('worker.replace', id, by, (configuration) =>
      configuration.replace(id, written, by.name, basedOn),
    );
  }

  remove(id: WorkerId, by: Caller, basedOn: BasedOn): ReturnType<Control['remove']> {
    return this.#changed('worker.remove', id, by, (configuration) =>
      configuration.remove(id, by.name, basedOn),
    );
  }

  /** Has it changed, and written down who did it. */
  async #changed<T extends { readonly revision: number }>(
    action: string,
    on: string,
    by: Caller,
    change: (configuration: Master['configuration']) => Promise<T>,
  ): Promise<T> {
    const { audit } = this.#options;
    try {
      const accepted = await change(this.#master.configuration);
      audit.record({ by, action, on, result: 'done', why: `revision ${accepted.revision}` });
      return accepted;
    } catch (error) {
      const why = error instanceof HsuError ? error.code : 'E_INTERNAL';
      audit.record({ by, action, on, result: 'failed', why });
      throw error;
    }
  }

  exec(...[id, argv, signal]: Parameters<Control['exec']>): ReturnType<Control['exec']> {
    return this.#execs.start(this.#spec(id), argv, signal);
  }

  execSession(id: string): ReturnType<Control['execSession']> {
    return this.#execs.find(id);
  }

  shutdown(reason: string, by: Caller): Promise<Ending> {
    this.#options.audit.record({ by, action: 'master.shutdown', on: 'master', result: 'done', why: reason });
    this.#ended ??= this.#options.shutdown(`${reason} (${by.name})`);
    return this.#ended;
  }

  #spec(id: WorkerId): WorkerSpec {
    const spec = this.#master.spec(id);
    if (spec !== null) return spec;
    // Says which name may have been meant.
    select(this.#master.specs(), { patterns: [literal(id)], namespace: null });
    throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`, { id });
  }

  #view(spec: WorkerSpec, snapshot: WorkerSnapshot, usage: boolean): WorkerView {
    const sample = usage && snapshot.process !== null ? this.#usage(spec.id) : null;
    return this.#views.of(spec, snapshot, sample);
  }

  #usage(id: WorkerId): UsageView | null {
    const now = this.#clock.now();
    const known = this.#usages.get(id);
    if (known !== undefined && now - known.at < FRESH) return known.view;
    const sample = this.#master.usage(id, { pressure: false, descriptors: false, peak: false });
    const view = usageOf(sample);
    this.#usages.set(id, { at: now, view });
    return view;
  }

  #give(spec: WorkerSpec, order: Order): Promise<TicketOutcome> {
    switch (order.kind) {
      case 'start':
        return this.#master.startWorker(spec.id);
      case 'stop':
        return this.#master.stopWorker(spec.id);
      case 'restart':
        return this.#master.restartWorker(spec.id);
      case 'reset':
        return this.#master.resetWorker(spec.id);
      case 'kill':
        return this.#master.killWorker(spec.id);
      case 'signal':
        this.#signal(spec, order);
        return Promise.resolve({ kind: 'done', already: false });
    }
  }

  #signal(spec: WorkerSpec, { signal, to }: Order & { readonly kind: 'signal' }): void {
    const { id, unmanaged } = spec;
    const number = signalNumber(signal);
    const refusal = signalRefusal(spec, signal);
    if (refusal !== null) throw new HsuError(refusal.code, refusal.message, { id, signal });
    const { process: main } = this.#master.worker(id);
    // What others started is signalled alone: what descends from it is its own business.
    const targets =
      to === 'tree' && unmanaged === null ? this.#master.members(id) : main === null ? [] : [main];
    if (targets.length === 0)
      throw new HsuError('E_NOT_RUNNING', `worker "${id}" has no process now`, { id });
    const loaded = loadNative();
    for (const { pid, startedAt } of targets) {
      if (loaded.ok) loaded.native.signalProcess(pid, startedAt, number);
      else process.kill(pid, number);
    }
  }
}

/** A name that is no pattern, whatever is in it. */
function literal(id: string): string {
  return id.replace(/[*?/]/g, '_');
}

/** @throws HsuError E_REQUEST for a signal that this system has not */
function signalNumber(signal: SignalName): number {
  const number = (constants.signals as Readonly<Record<string, number>>)[signal];
  if (number === undefined) throw new HsuError('E_REQUEST', `there is no signal ${signal} here`, { signal });
  return number;
}
