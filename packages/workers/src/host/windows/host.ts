import type {
  AttachRequest,
  Capability,
  Clock,
  HostRun,
  LimitReport,
  LimitsSpec,
  OutputStream,
  PortAnswer,
  ProcessIdentity,
  QuotaSpec,
  RunOutput,
  RunReport,
  TreeUsage,
  UsageDetail,
} from '@hsu-master/core';
import type {
  Native,
  NativeHandle,
  WindowsEngine,
  WindowsEvent,
  WindowsNative,
  WindowsSpawned,
} from '@hsu-master/native';
import type { Diagnosis } from '../diagnose.ts';
import { inheritable, type MasterEnvironment } from '../environment.ts';
import type { Hold } from '../hold.ts';
import type { Launch } from '../prepare.ts';
import { Tree } from '../tree.ts';
import { capturedStreams, recordFailure, TreeHost } from '../tree-host.ts';
import { TreeRun } from '../tree-run.ts';
import { WINDOWS_CAPABILITIES } from './capabilities.ts';
import { diagnoseForWindows } from './diagnose.ts';
import { JobHold } from './job-hold.ts';
import { WindowsLeader } from './leader.ts';
import { planJob, reportsOfQuota } from './limits.ts';
import { portOfWindows } from './ports.ts';
import { type PreparedForWindows, prepareForWindows } from './prepare.ts';
import { WindowsSystem } from './system.ts';
import { usageOfJob } from './usage.ts';

/** Bytes of output that may be on their way to those who consume it. */
const MAX_UNACKNOWLEDGED = 8 * 2 ** 20;

const RAISES_PRIORITY = 'SeIncreaseBasePriorityPrivilege';

export interface WindowsHostOptions {
  /** The variables that the master was given; workers inherit them. */
  readonly environment: MasterEnvironment;
  readonly clock: Clock;
  /** Whether workers have a console of their own (the default), or share the master’s, as far as it has one, each in a process group of its own. */
  readonly console?: 'own' | 'shared';
}

/** Runs processes by means of the Windows addon: each run in a job of its own. */
export function createWindowsHost(
  native: Native,
  windows: WindowsNative,
  options: WindowsHostOptions,
): WindowsHost {
  let host: JobHost | null = null;
  const engine = windows.openEngine({
    onEvents: (events) => host?.hear(events),
    maxUnacknowledgedBytes: MAX_UNACKNOWLEDGED,
  });
  const system = new WindowsSystem(native, windows, engine, options.clock);
  host = new JobHost(native, windows, engine, system, options);
  return host;
}

export type WindowsHost = TreeHost;

/** One spawned process as long as the engine tells anything about it. */
interface Child {
  readonly run: TreeRun;
  readonly process: ProcessIdentity;
  readonly output: RunOutput;
  readonly open: Set<OutputStream>;
  /** Why it was never let go. */
  readonly refusal: Diagnosis | null;
  ended: boolean;
}

type ChildEvent = Extract<WindowsEvent, { handle: NativeHandle }>;

class JobHost extends TreeHost {
  readonly name = 'windows';
  readonly #native: Native;
  readonly #windows: WindowsNative;
  readonly #engine: WindowsEngine;
  readonly #system: WindowsSystem;
  readonly #console: 'own' | 'shared';
  readonly #children = new Map<NativeHandle, Child>();
  readonly #holds = new Map<number, JobHold>();
  #mayRaise: boolean | null = null;

  constructor(
    native: Native,
    windows: WindowsNative,
    engine: WindowsEngine,
    system: WindowsSystem,
    { environment, clock, console = 'own' }: WindowsHostOptions,
  ) {
    const nobody = { user: () => null, group: () => null };
    const own = { uid: 0, gid: 0, groups: [], maySwitch: false };
    super(system, clock, { inherited: inheritable(environment), accounts: nobody, own });
    this.#native = native;
    this.#windows = windows;
    this.#engine = engine;
    this.#system = system;
    // Windows would give a new console, with a window, to who is to share one that is not there.
    this.#console = windows.consolePids().size > 0 ? console : 'own';
  }

  capabilities(): readonly Capability[] {
    return [...this.#native.capabilities(), ...WINDOWS_CAPABILITIES];
  }

  reservePort(port: number): PortAnswer {
    const { processes } = this.#native.lookAtProcesses({ ports: 'all' });
    const used = new Set(processes.flatMap(({ listeners }) => (listeners ?? []).map((one) => one.port)));
    return portOfWindows(port, this.clock.random(), used);
  }

  override explainLimits(
    limits: LimitsSpec,
    of: 'worker' | 'quota',
    _quotas: readonly QuotaSpec[],
  ): readonly LimitReport[] {
    if (of === 'quota') return reportsOfQuota({ kind: 'group', id: '', limits }).map(withoutQuota);
    return planJob(limits, this.#means()).reports;
  }

  override setQuota(quota: QuotaSpec): readonly LimitReport[] {
    return reportsOfQuota(quota);
  }

  override sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[] {
    if (this.closed) return runs.map(() => null);
    const connections = detail.connections ? this.#windows.connections() : null;
    const at = this.clock.now();
    this.#system.table(true);
    return runs.map((run) => {
      const held = run instanceof TreeRun ? run.held : null;
      if (held === null || !(held.hold instanceof JobHold)) return null;
      const { hold } = held;
      const members = run.members();
      return usageOfJob({
        hold,
        members,
        at,
        detail,
        connections,
        system: this.#system,
        engine: this.#engine,
      });
    });
  }

  override close(): void {
    if (this.closed) return;
    super.close();
    this.#system.close();
    this.#children.clear();
    this.#holds.clear();
    this.#engine.close();
  }

  /** Takes the engine’s news. */
  hear(events: readonly WindowsEvent[]): void {
    for (const event of events) {
      if (this.closed) return;
      try {
        this.#hearOne(event);
      } catch (error) {
        // A defect of one listener must not cost the others their news.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  protected launch(launch: Launch, report: (report: RunReport) => void): TreeRun {
    const leader = new WindowsLeader(this.#engine, () => this.closed);
    const run = this.newRun(leader, report);
    const prepared = prepareForWindows(launch, this.setting.inherited);
    const refusal = prepared.ok ? this.#refuse(launch, prepared) : prepared.diagnosis;
    if (!prepared.ok || refusal !== null) {
      this.failLater(run, launch, refusal as Diagnosis);
      return run;
    }
    const made = this.#engine.createJob(jobName(launch.mark));
    if (!made.ok) {
      this.failLater(run, launch, jobFailure(prepared, made.failure.code));
      return run;
    }
    const hold = this.#holdBy(made.value, true, launch.quotas);
    hold.limit(launch.limits);
    run.holdBy(hold);
    leader.channels = launch.output.openChannels();
    const streams = leader.channels;
    const spawned = this.#engine.spawn({
      application: prepared.application,
      commandLine: prepared.commandLine,
      environment: prepared.environment,
      cwd: prepared.cwd,
      stdout: launch.captureStdout ? asStream(streams?.stdout) : 'null',
      stderr: launch.captureStderr ? asStream(streams?.stderr) : 'null',
      console: this.#console,
      jobs: [hold.job],
    });
    if (!spawned.ok) {
      this.failLater(run, launch, diagnoseForWindows(prepared.attempt, spawned.failure));
      return run;
    }
    leader.handle = spawned.value.handle;
    queueMicrotask(() => {
      if (!this.closed) this.#take(run, hold, launch, prepared, spawned.value);
    });
    return run;
  }

  /** Its job by the name that its mark gives it; a new one where nobody held that open. */
  protected override holdOf(
    { mark, process, limits, limitsHold, quotas }: AttachRequest,
    isAlive: boolean,
  ): Hold | null {
    const { pid, startedAt } = process;
    const found = this.#engine.openJob(jobName(mark));
    const job = found.ok ? found : this.#engine.createJob(jobName(mark));
    if (!job.ok) return null;
    const hold = this.#holdBy(job.value, false, quotas);
    if (!found.ok && isAlive && this.#engine.assign(job.value, pid, startedAt) === null)
      this.#engine.parkJob(job.value, pid, startedAt);
    if (!found.ok || limitsHold) hold.limit(limits);
    return hold;
  }

  #holdBy(job: number, killOnClose: boolean, quotas: readonly QuotaSpec[]): JobHold {
    const around = { engine: this.#engine, system: this.#system, means: this.#means() };
    const hold = new JobHold(around, job, { killOnClose, quotas });
    this.#holds.set(job, hold);
    return hold;
  }

  #means() {
    const { isWine, processors } = this.#windows.features;
    const mayRaisePriority = (): boolean => {
      this.#mayRaise ??= this.#windows.enablePrivilege(RAISES_PRIORITY);
      return this.#mayRaise;
    };
    return { isWine, processors, mayRaisePriority };
  }

  /** What must be enforced and is not. */
  #refuse({ limits, quotas, workerId }: Launch, { attempt }: PreparedForWindows): Diagnosis | null {
    if (workerId === null) return null;
    const own = limits?.required === true ? planJob(limits, this.#means()).reports : [];
    const shared = quotas.filter((quota) => quota.limits.required).flatMap(reportsOfQuota);
    const lacking = [...own, ...shared].filter(({ status }) => status !== 'enforced');
    if (lacking.length === 0) return null;
    const names = lacking
      .map(({ limit, status, reason }) => `${limit} is only ${status}: ${reason}`)
      .join('; ');
    const message = `worker "${workerId}": ${names}; limits.required asks for more (${attempt.file})`;
    return { failure: { code: 'E_LIMIT_REQUIRED', message }, transient: false };
  }

  /** The process is suspended: writes it down, then lets it go. */
  #take(
    run: TreeRun,
    hold: JobHold,
    launch: Launch,
    { attempt }: PreparedForWindows,
    { handle, pid, startTime }: WindowsSpawned,
  ): void {
    const process = { pid, startedAt: startTime };
    if (this.#console === 'shared') this.#system.asker.beganGroup(process);
    run.plant(new Tree(process, launch.mark));
    let refusal: Diagnosis | null = null;
    try {
      launch.record(process);
    } catch (error) {
      refusal = recordFailure(attempt, error);
    }
    const open = launch.output === null ? new Set<OutputStream>() : capturedStreams(launch);
    const child = { run, process, output: launch.output, open, refusal, ended: false };
    this.#children.set(handle, child);
    // A helper has no run record by which the next master could find it: it dies with this one.
    if (refusal === null && launch.workerId !== null) hold.letLive();
    const failure = this.#engine.release(handle, refusal === null);
    if (refusal !== null) return;
    run.spawned(
      failure === null
        ? null
        : `${failure.call} failed with ${failure.code}: its job is lost with the master`,
    );
  }

  #hearOne(event: WindowsEvent): void {
    if (event.type === 'job') {
      this.#holds.get(event.job)?.note(event.news);
      return;
    }
    if (event.type === 'watched-exited') {
      this.#system.hear(event);
      return;
    }
    const child = this.#children.get(event.handle);
    if (child !== undefined) this.#hearOf(child, event);
    else if (event.type === 'exited') this.#system.isRelay(event.handle, event.code);
  }

  #hearOf(child: Child, event: ChildEvent): void {
    switch (event.type) {
      case 'exited': {
        child.ended = true;
        this.#forgetIfDone(event.handle, child);
        const { run, refusal } = child;
        if (refusal !== null) run.spawnFailed(refusal.failure, refusal.transient);
        else run.leaderExited(this.#system.exitOf(child.process, event), false);
        return;
      }
      case 'output': {
        const { length } = event.data;
        child.output.write(event.stream, event.data, () => {
          if (!this.closed) this.#engine.acknowledge(length);
        });
        return;
      }
      default:
        child.open.delete(event.stream);
        this.#forgetIfDone(event.handle, child);
        child.output.end(event.stream);
    }
  }

  #forgetIfDone(handle: NativeHandle, child: Child): void {
    if (child.ended && child.open.size === 0) this.#children.delete(handle);
  }
}

function withoutQuota({ quota: _quota, ...report }: LimitReport): LimitReport {
  return report;
}

/** Known to the next master by the mark that the run record has. */
export function jobName(mark: string): string {
  return `Local\\hsu-run-${mark.replaceAll('\\', '/')}`;
}

function jobFailure({ attempt }: PreparedForWindows, code: string): Diagnosis {
  const who = attempt.subject === null ? '' : `${attempt.subject}: `;
  const message = `${who}its Job Object cannot be made: ${code}`;
  return { failure: { code: 'E_CONTAINMENT', message }, transient: code !== 'EEXIST' };
}

function asStream(fifo: string | null | undefined): 'capture' | { readonly fifo: string } {
  return fifo === null || fifo === undefined ? 'capture' : { fifo };
}
