import type {
  AccompanyRequest,
  AttachRequest,
  Capability,
  Clock,
  Host,
  HostRun,
  LimitReport,
  LimitsSpec,
  Milliseconds,
  OutputStream,
  PortAnswer,
  ProcessIdentity,
  QuotaSpec,
  RunReport,
  TreeUsage,
  UsageDetail,
} from '@hsu-master/core';
import type {
  Native,
  NativeEngine,
  NativeEvent,
  NativeFailure,
  NativeHandle,
  NativeSpawned,
} from '@hsu-master/native';
import { credentialsOf, ownRights, switchingUsers } from './accounts.ts';
import { Births } from './births.ts';
import { type Containment, withoutGroups } from './cgroup/acquire.ts';
import { type Child, Children } from './children.ts';
import { type Contained, Containing } from './containing.ts';
import { DescriptorGauge } from './descriptors.ts';
import { diagnose } from './diagnose.ts';
import { EngineLeader, spawnOptions } from './engine-leader.ts';
import { inheritable, type MasterEnvironment } from './environment.ts';
import type { Hold } from './hold.ts';
import { NativeSystem } from './native-system.ts';
import type { Launch, Prepared } from './prepare.ts';
import { Protection } from './protection.ts';
import { Sampling } from './sampling.ts';
import { endStrays } from './strays.ts';
import { Tree } from './tree.ts';
import { capturedStreams, recordFailure, TreeHost } from './tree-host.ts';
import { TreeRun } from './tree-run.ts';

/** How many bytes of output may be delivered and not yet consumed, all workers together. */
const MAX_UNACKNOWLEDGED = 8 * 2 ** 20;

/** A stray is named when it has lived this long after it was found: some only fork on their way out. */
const STRAY_PATIENCE: Milliseconds = 200;

const OUT_OF_DESCRIPTORS = { step: 'pipe', code: 'EMFILE', call: 'pipe2' } as const;

export interface NativeHostOptions {
  /** The variables that the master was given; workers inherit them. */
  readonly environment: MasterEnvironment;
  /** Whether the master adopts what workers leave behind. Only a program that spawns nothing by other means may say so. */
  readonly reapOrphans: boolean;
  readonly clock: Clock;
  /** The master’s own oom_score_adj, where it may be set; workers keep the value from before. Only for a process that is nothing but a master. */
  readonly oomScoreAdj?: number;
  /** An earlier program of this very process was a master: its children are the workers that are attached, and what they left. */
  readonly isSuccessor?: boolean;
  /** What holds the workers, see `acquireContainment`; released when the host is closed. Without it there are no cgroups. */
  readonly containment?: Containment;
  /**
   * Called once for each process that a look at the system showed to be inherited and of no run, if it still is a moment later: a
   * daemon that left its worker without a trace. It lives on until `endStrays`. Looks happen when a run ends, when a stray ends and
   * when members are asked for.
   */
  onStray?(process: ProcessIdentity): void;
}

/** A host that may also have inherited processes of nobody. */
export interface NativeHost extends Host {
  /** Living processes that the master inherited and that no run claims. */
  strays(): readonly ProcessIdentity[];
  /**
   * Kills and removes the groups that an earlier master of the same instance left and that no `attach` has claimed; how those ended
   * whom nobody has attached is not asked any more. Happens by itself before the first worker is started.
   */
  endForgotten(): void;
  /** Ends them: SIGTERM, after `grace` SIGKILL. Resolves with those that survived even that. */
  endStrays(grace: Milliseconds): Promise<readonly ProcessIdentity[]>;
  /** Tells nothing that happens from now on, and reaps nobody: who ends is left to the program that comes after. */
  rest(): void;
  /**
   * Runs another program in this process; the descriptors in `kept` stay open. Returns only where that fails, why: `ENOENT`, with
   * nothing changed but what `rest` has.
   */
  becomeProgram(program: NewProgram, kept: readonly number[]): string;
}

/** What a process runs. */
export interface NewProgram {
  readonly file: string;
  /** With `argv[0]`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs processes by means of the addon. Throws what opening its engine throws, `EBUSY` for a second one that reaps orphans. */
export function createNativeHost(native: Native, options: NativeHostOptions): NativeHost {
  const { clock } = options;
  // There launchd adopts what workers leave behind.
  const reapOrphans = options.reapOrphans && process.platform !== 'darwin';
  // The engine needs somebody to tell before the host exists; it tells nothing before something was spawned or adopted.
  let host: EngineHost | null = null;
  const engine = native.openEngine({
    onEvents: (events) => host?.hear(events),
    subreaper: reapOrphans,
    maxUnacknowledgedBytes: MAX_UNACKNOWLEDGED,
  });
  const system = new NativeSystem(native, engine, clock, reapOrphans);
  host = new EngineHost(native, engine, system, options);
  return host;
}

/** A process that is being made. */
interface Begun {
  readonly run: TreeRun;
  readonly leader: EngineLeader;
  readonly launch: Launch;
  readonly prepared: Prepared;
}

const PORTS: Capability = {
  feature: 'reserved-ports',
  status: 'enforced',
  reason: 'a port is held from its choice on, over restarts, and nobody gets it by chance',
};

const FINDING: Capability = {
  feature: 'find-processes',
  status: 'enforced',
  reason: 'by what the table of processes, their files and their sockets show to this user',
};

const BY_GROUP: Capability = {
  feature: 'whole-tree',
  status: 'enforced',
  reason:
    'members are those of the cgroup; who has the right to leave it is found by group, session, ancestry and HSU_RUN',
};

class EngineHost extends TreeHost implements NativeHost {
  readonly name = 'native';
  readonly #native: Native;
  readonly #engine: NativeEngine;
  readonly #system: NativeSystem;
  readonly #protection: Protection;
  readonly #containing: Containing;
  readonly #sampling: Sampling;
  readonly #descriptors: DescriptorGauge;
  readonly #children: Children;
  readonly #births: Births;
  #forgotten = false;

  constructor(native: Native, engine: NativeEngine, system: NativeSystem, options: NativeHostOptions) {
    const { clock, environment, onStray, containment = withoutGroups('containment is off') } = options;
    const accounts = {
      user: (nameOrId: string) => native.lookupUser(nameOrId),
      group: (nameOrId: string) => native.lookupGroup(nameOrId),
    };
    const own = ownRights();
    const setting = { inherited: inheritable(environment), accounts, own };
    const tellStray = (stray: ProcessIdentity): void => {
      clock.after(STRAY_PATIENCE, () => {
        if (!this.closed && this.forest.isStray(stray)) onStray?.(stray);
      });
    };
    super(system, clock, setting, tellStray, options.isSuccessor);
    this.#native = native;
    this.#engine = engine;
    this.#births = new Births(engine);
    this.#children = new Children(engine, () => this.closed);
    this.#descriptors = new DescriptorGauge(clock);
    this.#system = system;
    this.#protection = new Protection(engine, options.oomScoreAdj);
    this.#containing = new Containing(native, containment, clock, own.uid);
    this.#sampling = new Sampling(this.#containing, this.forest, clock);
  }

  capabilities(): readonly Capability[] {
    const known = this.#system.capabilities(this.#native.capabilities());
    const held = known.map((one) =>
      one.feature === 'whole-tree' && this.#containing.groups.any ? BY_GROUP : one,
    );
    return [
      ...held,
      PORTS,
      FINDING,
      switchingUsers(this.setting.own),
      this.#protection.capability,
      ...this.#containing.capabilities(),
    ];
  }

  endForgotten(): void {
    // Those of runs that are still to be attached to are nobody’s only until then.
    if (this.#forgotten || this.closed || this.unattached.size > 0) return;
    this.#forgotten = true;
    this.#containing.groups.endForgotten();
    this.#engine.reapInherited();
  }

  override explainLimits(
    limits: LimitsSpec,
    of: 'worker' | 'quota',
    quotas: readonly QuotaSpec[],
  ): readonly LimitReport[] {
    return this.#containing.explain(limits, of, quotas);
  }

  override setQuota(quota: QuotaSpec): readonly LimitReport[] {
    return this.#containing.setQuota(quota);
  }

  override sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[] {
    return this.closed ? runs.map(() => null) : this.#sampling.sample(runs, detail);
  }

  reservePort(port: number): PortAnswer {
    const answer = this.#native.reservePort(port);
    if (!answer.ok)
      return { ok: false, taken: answer.code === 'EADDRINUSE', reason: `${answer.call}: ${answer.code}` };
    const release = once(() => this.#native.releasePort(answer.reservation));
    return { ok: true, port: answer.port, release };
  }

  strays(): readonly ProcessIdentity[] {
    return this.forest.strays();
  }

  endStrays(grace: Milliseconds): Promise<readonly ProcessIdentity[]> {
    return endStrays(this.forest, this.clock, grace);
  }

  rest(): void {
    if (!this.closed) this.#engine.rest();
  }

  becomeProgram({ file, argv, env }: NewProgram, kept: readonly number[]): string {
    this.#protection.lift();
    const why = this.#native.exec(file, argv, env, kept);
    this.#protection.restore();
    return why;
  }

  override close(): void {
    if (this.closed) return;
    super.close();
    this.#system.close();
    this.#children.clear();
    this.#births.forget();
    this.#engine.close();
    this.#sampling.close();
    this.#containing.close();
  }

  /** Takes the engine’s news. */
  hear(events: readonly NativeEvent[]): void {
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
    const leader = new EngineLeader(this.#engine, this.#births, () => this.closed);
    const run = this.newRun(leader, report);
    const prepared = this.prepare(launch);
    if (!prepared.ok) {
      this.failLater(run, launch, prepared.diagnosis);
      return run;
    }
    if (this.#descriptors.isShort(this.#children.count, this.#births.count)) {
      this.failLater(run, launch, diagnose(prepared.attempt, OUT_OF_DESCRIPTORS));
      return run;
    }
    const contained = this.#contain(run, launch, prepared, 'later');
    if (contained?.ok === false) {
      this.failLater(run, launch, contained);
      return run;
    }
    leader.channels = launch.output.openChannels();
    this.#create({ run, leader, launch, prepared }, contained);
    return run;
  }

  protected override holdOf(request: AttachRequest, isAlive: boolean): Hold {
    return this.#containing.found(request, isAlive, this.#uidOf(request));
  }

  /** The user that a command is for; null: the master’s, or not known. */
  #uidOf({ command }: AttachRequest): number | null {
    if (command === null) return null;
    try {
      const credentials = credentialsOf(command, this.setting.accounts, this.setting.own);
      return typeof credentials === 'string' ? null : credentials.uid;
    } catch {
      // A name service that does not answer.
      return null;
    }
  }

  protected override holdOfForeign(request: AccompanyRequest): Hold {
    const { pid } = request.process;
    const [seen] = this.#native.lookAtProcesses({ pids: [pid], user: true }).processes;
    return this.#containing.foreign(request, seen?.user === 0);
  }

  /** Helpers are held by nothing: they are ended with their runs, and have no limits. */
  #contain(run: TreeRun, launch: Launch, { credentials }: Prepared, how: 'now' | 'later'): Contained | null {
    if (launch.workerId === null) return null;
    this.endForgotten();
    const contained = this.#containing.begin(launch, launch.workerId, credentials.uid, how);
    if (contained.ok) run.holdBy(contained.run);
    return contained;
  }

  #create(begun: Begun, contained: (Contained & { readonly ok: true }) | null): void {
    const { launch, prepared, leader } = begun;
    const options = spawnOptions(launch, prepared, leader.channels, contained?.limits ?? null);
    this.#births.begin(options, (result, handle) => {
      if (result.ok) this.#born(begun, handle, result.value);
      else this.#unborn(begun, contained, result.failure);
    });
  }

  #born({ run, leader, launch, prepared }: Begun, handle: NativeHandle, spawned: NativeSpawned): void {
    leader.handle = handle;
    const open = leader.channels === null ? capturedStreams(launch) : new Set<OutputStream>();
    const { attempt } = prepared;
    this.#take({ run, attempt, output: launch.output, open, refusal: null, ended: false }, launch, spawned);
  }

  #unborn(begun: Begun, contained: (Contained & { readonly ok: true }) | null, failure: NativeFailure): void {
    const { run, launch, prepared } = begun;
    if (contained === null || failure.call !== 'mkdir') {
      this.failLater(run, launch, diagnose(prepared.attempt, failure));
      return;
    }
    // The name of its group is taken.
    const again = this.#contain(run, launch, prepared, 'now');
    contained.run.forgo();
    if (again?.ok === true) this.#create(begun, again);
    else if (again !== null) this.failLater(run, launch, again);
  }

  /** The process waits at its gate: writes it down, then lets it go. */
  #take(child: Child, launch: Launch, { handle, pid, startTime }: NativeSpawned): void {
    const process = { pid, startedAt: startTime };
    this.#children.add(handle, child);
    child.run.plant(new Tree(process, launch.mark));
    try {
      launch.record(process);
    } catch (error) {
      child.refusal = recordFailure(child.attempt, error);
    }
    this.#engine.release(handle, child.refusal === null);
  }

  #hearOne(event: NativeEvent): void {
    if (event.type === 'orphan-reaped') {
      this.forest.reaped(event.pid);
    } else if (event.type === 'watched-exited' || event.type === 'watched-status') {
      this.#system.hear(event);
    } else {
      this.#children.hear(event);
    }
  }
}

/** A second call would close what has the number by then. */
function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
