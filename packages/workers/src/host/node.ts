import type { ChildProcess, StdioOptions } from 'node:child_process';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type {
  Capability,
  Clock,
  Exit,
  Host,
  Milliseconds,
  OutputStream,
  PortAnswer,
  RunReport,
} from '@hsu-master/core';
import { fileAccounts, ownRights } from './accounts.ts';
import { reportsWithoutAddon } from './cgroup/plan.ts';
import { DescriptorGauge } from './descriptors.ts';
import { type Attempt, type Diagnosis, diagnose, opening, shellWarning } from './diagnose.ts';
import { inheritable, type MasterEnvironment } from './environment.ts';
import { portWithoutAddon } from './node-ports.ts';
import { NodeSystem } from './node-system.ts';
import type { Launch, Prepared } from './prepare.ts';
import { openProcessTable, type ProcessTable } from './process-table.ts';
import { inspectProgram } from './program-file.ts';
import { Tree } from './tree.ts';
import { capturedStreams, recordFailure, TreeHost } from './tree-host.ts';
import type { Leader, TreeRun } from './tree-run.ts';

/** How many bytes of one run’s output may be delivered and not yet consumed. */
const MAX_UNACKNOWLEDGED = 2 ** 20;
/** A detached pipe is read until nothing has come for this long. */
const QUIET: Milliseconds = 20;
/** But no longer than this many times: whoever holds it may write for ever. */
const MOST_QUIET_WAITS = 25;

const GAP = {
  gate: 'the program may begin before its run record is written: there is no gate without the addon',
  signals:
    'identity is checked before a signal, not held while it is sent; foreign processes are polled every 50 ms',
  orphans: 'what a worker leaves behind is adopted by init, not by the master',
  status: 'how a process ended that is not a child of the master stays unknown',
  output: 'workers write into pipes of the master, and get SIGPIPE when it is gone',
  settings: 'no umask, no supplementary groups, and the soft limit on open files is the one that Node raised',
  ports: 'a port is chosen that nobody has, and not held until the program listens on it',
  finding: 'processes that others started cannot be looked for: unmanaged units wait',
  lock: 'two masters on one state directory are not told apart: there is no flock without the addon',
} as const;

export interface NodeHostOptions {
  /** The variables that the master was given; workers inherit them. */
  readonly environment: MasterEnvironment;
  readonly clock: Clock;
}

/** Runs processes by means of node:child_process, for machines without the addon; on Windows it runs none, and says so. */
export function createNodeHost(options: NodeHostOptions): Host {
  return new NodeHost(openProcessTable(), options);
}

class NodeHost extends TreeHost {
  readonly name = 'node';
  readonly #table: ProcessTable;
  readonly #descriptors: DescriptorGauge;
  #living = 0;

  constructor(table: ProcessTable, { environment, clock }: NodeHostOptions) {
    super(new NodeSystem(table), clock, {
      inherited: inheritable(environment),
      accounts: fileAccounts,
      own: ownRights(),
    });
    this.#table = table;
    this.#descriptors = new DescriptorGauge(clock);
  }

  capabilities(): readonly Capability[] {
    const whole =
      this.#table.source === 'proc'
        ? 'members are found by process group, session, ancestry and HSU_RUN; what escapes all four is lost'
        : 'members are found by process group and ancestry, with ps; what leaves both is lost';
    return [
      { feature: 'spawn-gate', status: 'impossible', reason: GAP.gate },
      { feature: 'race-free-signals', status: 'watched', reason: GAP.signals },
      { feature: 'no-leaked-descriptors', status: 'watched', reason: 'Node opens its own close-on-exec' },
      { feature: 'adopt-orphans', status: 'impossible', reason: GAP.orphans },
      { feature: 'list-orphans', status: 'impossible', reason: GAP.orphans },
      { feature: 'exit-status-of-adopted-workers', status: 'impossible', reason: GAP.status },
      { feature: 'output-outlives-master', status: 'impossible', reason: GAP.output },
      { feature: 'umask-groups-nofile', status: 'impossible', reason: GAP.settings },
      { feature: 'whole-tree', status: 'watched', reason: whole },
      { feature: 'reserved-ports', status: 'impossible', reason: GAP.ports },
      { feature: 'find-processes', status: 'impossible', reason: GAP.finding },
      { feature: 'state-directory-lock', status: 'impossible', reason: GAP.lock },
    ];
  }

  reservePort(port: number): PortAnswer {
    return portWithoutAddon(port, this.clock.random());
  }

  protected launch(launch: Launch, report: (report: RunReport) => void): TreeRun {
    const leader = new NodeLeader(launch, this.clock);
    const run = this.newRun(leader, report);
    if (process.platform === 'win32') {
      this.failLater(run, launch, onWindows(launch));
      return run;
    }
    const prepared = this.prepare(launch);
    const refusal = prepared.ok ? this.#refuse(launch, prepared) : prepared.diagnosis;
    if (!prepared.ok || refusal !== null) {
      this.failLater(run, launch, refusal as Diagnosis);
      return run;
    }
    if (launch.limits !== null) run.goWithout(reportsWithoutAddon(launch.limits));
    this.#start(run, leader, launch, prepared);
    return run;
  }

  /** What would go wrong without anybody noticing, because a shell would be asked to make sense of it. */
  #refuse(launch: Launch, { attempt, credentials }: Prepared): Diagnosis | null {
    const { command } = launch;
    const required = [launch.limits, ...launch.quotas.map((quota) => quota.limits)].filter(
      (limits) => limits?.required,
    );
    const lacking = required.flatMap((limits) => (limits === null ? [] : reportsWithoutAddon(limits)));
    if (lacking.length > 0) {
      const names = [...new Set(lacking.map(({ limit }) => limit))].join(', ');
      const message = `${opening(attempt)}: ${names} cannot be enforced without the addon, and limits.required asks for it`;
      return { failure: { code: 'E_LIMIT_REQUIRED', message }, transient: false };
    }
    const unsupported = (what: string): Diagnosis => {
      const message = `${opening(attempt)}: ${what} cannot be set without the addon`;
      return { failure: { code: 'E_UNSUPPORTED', message }, transient: false };
    };
    if (launch.listens.length > 0) return unsupported('a socket that listens');
    if (command.umask !== null) return unsupported('a umask');
    const changes = credentials.uid !== null || credentials.gid !== null || credentials.groups !== null;
    const wanted = credentials.groups ?? this.setting.own.groups;
    // Node drops all supplementary groups whenever it changes user or group, and never otherwise.
    if (changes && wanted.some((group) => group !== credentials.gid))
      return unsupported('supplementary groups');
    if (this.#descriptors.isShort(this.#living, 0)) {
      return diagnose(attempt, { step: 'unknown', code: 'EMFILE', call: 'spawn' });
    }
    const program = inspectProgram(posix.resolve(command.cwd, attempt.file));
    const wrong =
      program.kind === 'empty' ||
      program.kind === 'garbage' ||
      program.kind === 'foreign' ||
      (program.kind === 'elf' && program.architecture !== process.arch && program.architecture !== 'ia32');
    return wrong ? diagnose(attempt, { step: 'exec', code: 'ENOEXEC', call: 'spawn' }) : null;
  }

  #start(run: TreeRun, leader: NodeLeader, launch: Launch, { attempt, credentials }: Prepared): void {
    let child: ChildProcess;
    try {
      // Loaded here, because the native host needs nothing of it and every start would pay.
      const { spawn } = process.getBuiltinModule('node:child_process');
      child = spawn(attempt.file, launch.command.argv.slice(1), {
        argv0: launch.command.argv[0],
        cwd: launch.command.cwd,
        env: { ...attempt.env },
        detached: true,
        stdio: stdioOf(launch),
        ...(credentials.uid === null ? {} : { uid: credentials.uid }),
        ...(credentials.gid === null ? {} : { gid: credentials.gid }),
      });
    } catch (error) {
      this.failLater(run, launch, explain(attempt, error));
      return;
    }
    child.once('error', (error) => {
      if (child.pid === undefined) this.failLater(run, launch, explain(attempt, error));
    });
    if (child.pid !== undefined) this.#take(run, leader, launch, attempt, child, child.pid);
  }

  #take(
    run: TreeRun,
    leader: NodeLeader,
    launch: Launch,
    attempt: Attempt,
    child: ChildProcess,
    pid: number,
  ): void {
    this.#living += 1;
    // It cannot have been reaped within this stretch of code, so this row is its own.
    const process = { pid, startedAt: this.#table.row(pid)?.startedAt ?? 'unknown' };
    run.plant(new Tree(process, launch.mark));
    leader.take(child, pid);
    let refusal: Diagnosis | null = null;
    try {
      launch.record(process);
    } catch (error) {
      refusal = recordFailure(attempt, error);
      leader.signalGroup(9);
    }
    const text = inspectProgram(posix.resolve(launch.command.cwd, attempt.file)).kind === 'text';
    if (refusal === null) queueMicrotask(() => run.spawned(text ? shellWarning(attempt) : null));
    child.once('exit', (code, signal) => {
      this.#living -= 1;
      leader.reaped();
      if (refusal === null) run.leaderExited(exitOf(code, signal), false);
      else run.spawnFailed(refusal.failure, refusal.transient);
    });
  }
}

/** The child process of one run: its group and its output. */
class NodeLeader implements Leader {
  readonly #launch: Launch;
  readonly #clock: Clock;
  readonly #open = new Map<OutputStream, Readable>();
  #pid: number | null = null;
  #unacknowledged = 0;
  #quiet = true;
  #detaching = false;

  constructor(launch: Launch, clock: Clock) {
    this.#launch = launch;
    this.#clock = clock;
  }

  /** Node returns once the process exists. */
  settle(): void {}

  take(child: ChildProcess, pid: number): void {
    this.#pid = pid;
    for (const stream of capturedStreams(this.#launch)) this.#read(stream, child[stream] as Readable);
  }

  reaped(): void {
    this.#pid = null;
  }

  signalGroup(signal: number): boolean {
    if (this.#pid === null) return false;
    try {
      process.kill(-this.#pid, signal);
      return true;
    } catch {
      return false;
    }
  }

  detachOutput(): void {
    if (this.#detaching) return;
    this.#detaching = true;
    this.#letGo(MOST_QUIET_WAITS);
  }

  /** Not at once: what is in the pipes has not been delivered yet. */
  #letGo(waits: number): void {
    if (this.#open.size === 0) return;
    this.#quiet = true;
    this.#clock.after(QUIET, () => {
      const done = (this.#quiet && this.#unacknowledged === 0) || waits === 0;
      if (!done) this.#letGo(waits - 1);
      else for (const readable of this.#open.values()) readable.destroy();
    });
  }

  #read(stream: OutputStream, readable: Readable): void {
    this.#open.set(stream, readable);
    readable.on('data', (chunk: Buffer) => this.#deliver(stream, chunk));
    // A pipe that breaks ends as one that is closed.
    readable.on('error', () => {});
    readable.once('close', () => {
      this.#open.delete(stream);
      this.#launch.output.end(stream);
    });
  }

  #deliver(stream: OutputStream, chunk: Buffer): void {
    this.#quiet = false;
    this.#unacknowledged += chunk.length;
    if (this.#unacknowledged >= MAX_UNACKNOWLEDGED)
      for (const readable of this.#open.values()) readable.pause();
    this.#launch.output.write(stream, chunk, () => {
      this.#unacknowledged -= chunk.length;
      if (this.#unacknowledged < MAX_UNACKNOWLEDGED)
        for (const readable of this.#open.values()) readable.resume();
    });
  }
}

/** Node knows no jobs: what a process there leaves behind, nobody would find to end it. */
function onWindows({ command, workerId }: Launch): Diagnosis {
  const subject = workerId === null ? null : `worker "${workerId}"`;
  const message = `${opening({ subject, command })}: on Windows no process is made without the addon`;
  return { failure: { code: 'E_UNSUPPORTED', message }, transient: false };
}

function stdioOf(launch: Launch): StdioOptions {
  return ['ignore', launch.captureStdout ? 'pipe' : 'ignore', launch.captureStderr ? 'pipe' : 'ignore'];
}

function explain(attempt: Attempt, error: unknown): Diagnosis {
  const { code = 'EIO', syscall = 'spawn' } = error as NodeJS.ErrnoException;
  return diagnose(attempt, { step: 'unknown', code, call: syscall.split(' ')[0] ?? syscall });
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  return { code, signal, coreDumped: false, usage: null };
}
