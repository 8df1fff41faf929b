import type {
  AccompanyRequest,
  AttachRequest,
  AttendRequest,
  Capability,
  Command,
  ExecOutcome,
  ExecRequest,
  Host,
  HostRun,
  LimitReport,
  LimitsSpec,
  MarkedTree,
  PortAnswer,
  ProcessIdentity,
  QuotaSpec,
  RunReport,
  SpawnRequest,
  TreeUsage,
  UsageDetail,
} from '@hsu-master/core';
import { HsuError } from '@hsu-master/core';
import { fakeExec } from './exec.ts';
import { type FakeProgram, fakeProgram } from './program.ts';
import { type Delay, type FakeManner, FakeRun, fakeLimits, identityOf } from './run.ts';
import type { FakeSystem } from './system.ts';

/** Which program a command stands for. */
export type FakePrograms = (command: Command, request: SpawnRequest | ExecRequest) => FakeProgram;

/** Programs by the first word of their command; an unknown word is a program that does not exist. */
export function programsByName(programs: Readonly<Record<string, FakeProgram>>): FakePrograms {
  return ({ argv: [name] }) =>
    programs[name] ??
    fakeProgram({
      spawnFailure: {
        failure: { code: 'E_EXEC_NOT_FOUND', message: `there is no fake program "${name}"` },
        transient: false,
      },
    });
}

/** The host port on a fake system. Several hosts may use one system, one after the other, as masters do. */
export class FakeHost implements Host {
  readonly name = 'fake';
  readonly system: FakeSystem;
  readonly #programs: FakePrograms;
  readonly #manner: FakeManner;
  readonly #runs = new Set<FakeRun>();
  #closed = false;

  /**
   * @param delay how long anything takes to be done or noticed; drawn anew for each step
   * @param differs whether it kills trees at their memory limit or limits are only watched, and whether it learns how a process ended
   * that it had only attached to; by default the first, not the second
   */
  constructor(
    system: FakeSystem,
    programs: FakePrograms,
    delay: Delay = () => 0,
    differs: Partial<Omit<FakeManner, 'delay'>> = {},
  ) {
    this.system = system;
    this.#programs = programs;
    this.#manner = { delay, enforces: true, tellsExits: false, ...differs };
  }

  capabilities(): readonly Capability[] {
    return [{ feature: 'processes', status: 'enforced', reason: 'they are data' }];
  }

  spawn(request: SpawnRequest, report: (report: RunReport) => void): HostRun {
    const run = new FakeRun(this.system, request.mark, report, this.#manner);
    if (this.#closed) return run;
    this.#runs.add(run);
    run.start(request, this.#programs(request.command, request));
    return run;
  }

  attach(request: AttachRequest, report: (report: RunReport) => void): HostRun {
    const run = new FakeRun(this.system, request.mark, report, this.#manner);
    if (this.#closed) return run;
    this.#runs.add(run);
    run.attach(request);
    return run;
  }

  accompany({ process, limits }: AccompanyRequest, report: (report: RunReport) => void): HostRun {
    const found = this.system.find(process.pid);
    // Whoever has its pid by now is a stranger.
    const mark = found?.startedAt === process.startedAt ? found.tree.mark : '';
    // What remains of it is not the business of who watches it.
    const alone = (news: RunReport): void => {
      if (news.kind === 'exited') report({ ...news, remaining: [] });
    };
    const run = new FakeRun(this.system, mark, alone, this.#manner);
    if (this.#closed) return run;
    this.#runs.add(run);
    run.attach({ process, limits, limitsHold: limits === null });
    return run;
  }

  maySignal(process: ProcessIdentity): boolean {
    return this.isAlive(process);
  }

  /** No simulation has anybody who watches. */
  attend(_request: AttendRequest, _report: (report: RunReport) => void): HostRun {
    throw new HsuError('E_UNSUPPORTED', 'a fake host runs nothing for those who watch');
  }

  exec(request: ExecRequest): { readonly outcome: Promise<ExecOutcome>; cancel(): void } {
    return fakeExec(this.system, request, this.#programs(request.command, request), this.#manner.delay);
  }

  isAlive(process: ProcessIdentity): boolean {
    return this.system.isAlive(process);
  }

  identify(pid: number): ProcessIdentity | null {
    const process = this.system.find(pid);
    return process === null ? null : identityOf(process);
  }

  findMarked(beginning: string): readonly MarkedTree[] {
    const found = new Map<string, MarkedTree>();
    for (const process of this.system.living()) {
      const { mark } = process.tree;
      if (mark.startsWith(beginning) && !process.hidden && !found.has(mark))
        found.set(mark, { mark, process: identityOf(process) });
    }
    return [...found.values()];
  }

  reservePort(port: number): PortAnswer {
    return this.system.reservePort(port);
  }

  explainLimits(limits: LimitsSpec): readonly LimitReport[] {
    return fakeLimits(limits, this.#manner.enforces);
  }

  setQuota({ kind, id, limits }: QuotaSpec): readonly LimitReport[] {
    return fakeLimits(limits, this.#manner.enforces).map((report) => ({ ...report, quota: { kind, id } }));
  }

  sample(runs: readonly HostRun[], detail: UsageDetail): readonly (TreeUsage | null)[] {
    return runs.map((run) => (run instanceof FakeRun ? run.usage(detail) : null));
  }

  /** Also what happens when the master is killed: nothing is reported any more, and no process ends but gated ones. */
  close(): void {
    this.#closed = true;
    for (const run of this.#runs) run.abandon();
    this.#runs.clear();
  }
}
