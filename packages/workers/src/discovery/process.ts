import type { PortProtocol, ProcessIdentity } from '@hsu-master/core';

/** A socket that a process listens on. */
export interface Listener {
  readonly protocol: PortProtocol;
  readonly port: number;
  readonly address: string;
}

/** Why something of a process could not be read. */
export interface Loss {
  readonly field: string;
  readonly code: string;
}

/** One process of the system’s table. `undefined`: not asked for; `null`: not ours to read. */
export interface ProcessInfo extends ProcessIdentity {
  readonly ppid: number;
  /** One letter, as /proc/pid/stat has it. */
  readonly state: string;
  readonly isKernelThread: boolean;
  /** At most 15 bytes of it. */
  readonly name: string;
  readonly argv: readonly string[] | null | undefined;
  readonly exe: string | null | undefined;
  readonly cwd: string | null | undefined;
  /** The effective user’s number. */
  readonly user: number | null | undefined;
  readonly environment: ReadonlyMap<string, string> | null | undefined;
  readonly listeners: readonly Listener[] | null | undefined;
  /** Those of the asked files that it has open. */
  readonly files: readonly string[] | null | undefined;
  readonly losses: readonly Loss[];
}

/** What of each process is to be told; what is not asked for costs nothing. */
export interface Needs {
  readonly argv: boolean;
  readonly exe: boolean;
  readonly cwd: boolean;
  readonly user: boolean;
  readonly environment: boolean;
  readonly ports: 'all' | readonly { readonly protocol: PortProtocol; readonly port: number }[];
  readonly files: readonly string[];
}

/** One look at processes. */
export interface ProcessTable {
  readonly processes: readonly ProcessInfo[];
  /** Those of others are not shown to us at all. */
  readonly hidden: boolean;
}

/** The system’s table of processes. */
export interface ProcessSource {
  /** `pids` null: all that may be seen. */
  look(needs: Needs, pids: readonly number[] | null): ProcessTable;
}

/** Nothing but who is there. */
export const NOTHING: Needs = {
  argv: false,
  exe: false,
  cwd: false,
  user: false,
  environment: false,
  ports: [],
  files: [],
};

/** All that both ask. */
export function bothNeeds(a: Needs, b: Needs): Needs {
  return {
    argv: a.argv || b.argv,
    exe: a.exe || b.exe,
    cwd: a.cwd || b.cwd,
    user: a.user || b.user,
    environment: a.environment || b.environment,
    ports: a.ports === 'all' || b.ports === 'all' ? 'all' : [...a.ports, ...b.ports],
    files: [...new Set([...a.files, ...b.files])],
  };
}

/** Whether an answer to `given` answers `asked` as well. */
export function covers(given: Needs, asked: Needs): boolean {
  const flags = ['argv', 'exe', 'cwd', 'user', 'environment'] as const;
  if (flags.some((flag) => asked[flag] && !given[flag])) return false;
  if (asked.files.some((file) => !given.files.includes(file))) return false;
  const { ports } = given;
  if (ports === 'all') return true;
  if (asked.ports === 'all') return false;
  return asked.ports.every(({ protocol, port }) =>
    ports.some((one) => one.protocol === protocol && one.port === port),
  );
}

/** How a process calls itself, on one line: its arguments, or its name where it has none. */
export function titleOf({ argv, name }: Pick<ProcessInfo, 'argv' | 'name'>): string {
  const title = argv?.length ? argv.join(' ') : `[${name}]`;
  const line = title.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
