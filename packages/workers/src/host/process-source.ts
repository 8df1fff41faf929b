import type { Native, NativeProcess, NativeProcessQuery } from '@hsu-master/native';
import type { Needs, ProcessInfo, ProcessSource } from '../discovery/process.ts';

/** The table of processes as the addon shows it. */
export function nativeSource(native: Native): ProcessSource {
  return {
    look(needs, pids) {
      const { processes, hidden } = native.lookAtProcesses(queryOf(needs, pids));
      return { processes: processes.map((process) => new Seen(process)), hidden };
    },
  };
}

function queryOf(needs: Needs, pids: readonly number[] | null): NativeProcessQuery {
  const { argv, exe, cwd, user, environment, ports, files } = needs;
  const query = { argv, exe, cwd, user, environment, ...(pids === null ? {} : { pids }) };
  return {
    ...query,
    ...(ports.length === 0 ? {} : { ports }),
    ...(files.length === 0 ? {} : { files }),
  };
}

/** Its texts are made when they are asked for, once. */
class Seen implements ProcessInfo {
  readonly #process: NativeProcess;
  #argv: readonly string[] | null | undefined;
  readonly pid: number;
  readonly ppid: number;
  readonly startedAt: string;

  constructor(process: NativeProcess) {
    this.#process = process;
    this.pid = process.pid;
    this.ppid = process.ppid;
    this.startedAt = process.startTime;
  }

  get state(): string {
    return this.#process.state;
  }

  get isKernelThread(): boolean {
    return this.#process.isKernelThread;
  }

  get name(): string {
    return this.#process.name;
  }

  get argv() {
    this.#argv ??= this.#process.argv;
    return this.#argv;
  }

  get exe() {
    return this.#process.exe;
  }

  get cwd() {
    return this.#process.cwd;
  }

  get user() {
    return this.#process.user;
  }

  get environment() {
    return this.#process.environment;
  }

  get listeners() {
    return this.#process.listeners;
  }

  get files() {
    return this.#process.files;
  }

  get losses() {
    return this.#process.losses;
  }
}
