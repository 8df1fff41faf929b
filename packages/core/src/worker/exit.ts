import type { Bytes, Milliseconds } from '../units.ts';
import type { SignalName } from './spec.ts';

/** A process that cannot be confused with another: a bare pid can be reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The kernel’s own start time, in its own unit; compared, never computed with. */
  readonly startedAt: string;
}

/** What a process used during its whole life, itself and the children that it waited for. */
export interface ExitUsage {
  readonly userTime: Milliseconds;
  readonly systemTime: Milliseconds;
  /** null where the system cannot tell it from what the process was before its program began. */
  readonly maxRss: Bytes | null;
}

/** How a process ended. Exactly one of `code` and `signal` is set, or neither where the system cannot tell. */
export interface Exit {
  readonly code: number | null;
  readonly signal: SignalName | null;
  readonly coreDumped: boolean;
  /**
   * The kernel killed it for want of memory: at its own limit, at that of a budget which it shares, or the whole system’s. Absent or
   * null: not known to be so.
   */
  readonly oomKilled?: 'limit' | 'quota' | 'system' | null;
  /** The kernel killed it by SIGKILL since its CPU time was over: it had caught SIGXCPU and gone on. Absent: not known to be so. */
  readonly outOfCpuTime?: true;
  /**
   * Shortly before, the kernel had refused its tree a process or thread: at its own limit, or at that of a budget which it shares. Absent:
   * not known to be so.
   */
  readonly forksRefused?: 'limit' | 'quota';
  readonly usage: ExitUsage | null;
}

/** One exit in words, as a terminal shows it: `exit 1`, `killed by SIGKILL`, `exit unknown`. */
export function describeExit(exit: Exit): string {
  if (exit.signal !== null)
    return `killed by ${exit.signal}${exit.coreDumped ? ' (core dumped)' : ''}${describeKill(exit)}`;
  if (exit.code === null) return 'exit unknown';
  const known = WINDOWS_STATUS.get(exit.code >>> 0);
  if (known !== undefined) return `exit 0x${(exit.code >>> 0).toString(16).toUpperCase()} (${known})`;
  const signal = SHELL_SIGNALS[exit.code - 128];
  return signal === undefined ? `exit ${exit.code}` : `exit ${exit.code} (${signal} in a shell’s convention)`;
}

const OOM_WORDS: Readonly<Record<NonNullable<Exit['oomKilled']>, string>> = {
  limit: ' (out of memory: at its limit)',
  quota: ' (out of memory: at a limit that it shares)',
  system: ' (out of memory: the system’s)',
};

function describeKill({ signal, oomKilled, outOfCpuTime }: Exit): string {
  // RLIMIT_CPU, ours or another’s.
  if (signal === 'SIGXCPU' || outOfCpuTime === true) return ' (out of CPU time)';
  return oomKilled === undefined || oomKilled === null ? '' : OOM_WORDS[oomKilled];
}

/** Whether an exit counts as success. An end by signal or of unknown code never does. */
export function isSuccess(exit: Exit, successCodes: readonly number[]): boolean {
  return exit.code !== null && successCodes.includes(exit.code);
}

/** Whether the system could not tell how it ended. */
export function isUnknown({ code, signal }: Exit): boolean {
  return code === null && signal === null;
}

/** NTSTATUS values that Windows programs end with; source: ntstatus.h. */
const WINDOWS_STATUS: ReadonlyMap<number, string> = new Map([
  [0x40010004, 'ended by a debugger'],
  [0x80000003, 'breakpoint'],
  [0xc0000005, 'access violation'],
  [0xc0000006, 'a page could not be read'],
  [0xc0000017, 'no memory'],
  [0xc000001d, 'illegal instruction'],
  [0xc0000025, 'exception that cannot be continued'],
  [0xc0000044, 'quota exceeded'],
  [0xc000007b, 'a DLL is not for this kind of program'],
  [0xc0000094, 'integer division by zero'],
  [0xc00000fd, 'stack overflow'],
  [0xc0000135, 'DLL not found'],
  [0xc0000138, 'DLL lacks a function'],
  [0xc0000139, 'DLL lacks an entry point'],
  [0xc000013a, 'Ctrl-C'],
  [0xc0000142, 'DLL initialisation failed'],
  [0xc0000374, 'heap corruption'],
  [0xc0000409, 'stack buffer overrun or fast fail'],
  [0xc000042b, 'fatal assertion'],
  [0xe06d7363, 'uncaught C++ exception'],
  [0xe0434352, 'uncaught .NET exception'],
]);

const SHELL_SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};
