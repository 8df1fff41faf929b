import { constants } from 'node:os';
import type { NativeFailure, NativeSignalResult, NativeStep } from './native.ts';

/** In the order of `Step` in native/linux/src/launch.h, each with the call that can fail in it. */
const steps: readonly (readonly [NativeStep, string])[] = [
  ['pipe', 'pipe2'],
  ['socketpair', 'socketpair'],
  ['clone', 'clone3'],
  ['pidfd', 'recvmsg'],
  ['setsid', 'setsid'],
  ['chdir', 'chdir'],
  ['groups', 'setgroups'],
  ['group', 'setresgid'],
  ['user', 'setresuid'],
  ['umask', 'umask'],
  ['rlimit', 'prlimit'],
  ['stdio', 'dup3'],
  ['exec', 'execve'],
  ['gate', 'read'],
  ['parent-death', 'prctl'],
  ['cgroup', 'open'],
  ['cgroup', 'clone3'],
  ['cgroup', 'write'],
  ['nice', 'setpriority'],
  ['affinity', 'sched_setaffinity'],
  ['scheduler', 'sched_setscheduler'],
  ['io-priority', 'ioprio_set'],
  ['oom-score', 'open'],
  ['oom-score', 'write'],
  ['no-new-privs', 'prctl'],
  ['pidfd', 'pidfd_open'],
  ['channel', 'open'],
  ['cgroup', 'mkdir'],
  ['listen', 'bind'],
  ['listen', 'listen'],
];

/** From here on a step is a resource limit, in the order of `<sys/resource.h>`. */
const firstResource = 32;
const resources = [
  'CPU',
  'FSIZE',
  'DATA',
  'STACK',
  'CORE',
  'RSS',
  'NPROC',
  'NOFILE',
  'MEMLOCK',
  'AS',
  'LOCKS',
  'SIGPENDING',
  'MSGQUEUE',
  'NICE',
  'RTPRIO',
  'RTTIME',
];

// Of two names for one number the first is the customary one: EAGAIN, not EWOULDBLOCK.
const errnoNames = new Map<number, string>(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, value]) => [value, name]),
);
// A few that an exec can answer and Node has no name for.
const nameless: Readonly<Partial<Record<NodeJS.Platform, readonly (readonly [number, string])[]>>> = {
  linux: [
    [80, 'ELIBBAD'],
    [81, 'ELIBSCN'],
    [82, 'ELIBMAX'],
    [83, 'ELIBEXEC'],
    [87, 'EUSERS'],
  ],
  darwin: [
    [85, 'EBADEXEC'],
    [86, 'EBADARCH'],
    [88, 'EBADMACHO'],
  ],
};
for (const [value, name] of nameless[process.platform] ?? []) errnoNames.set(value, name);

/** The name of an errno, `'ENOENT'`; `'E200'` for one that has none. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `E${errno}`;
}

function stepFrom(step: number): readonly [NativeStep, string] {
  const resource = resources[step - firstResource];
  return resource === undefined
    ? (steps[step] ?? ['gate', 'read'])
    : ['rlimit', `prlimit(RLIMIT_${resource})`];
}

export function failureFrom(step: number, errno: number): NativeFailure {
  const [name, call] = stepFrom(step);
  return { step: name, errno, code: errnoName(errno), call };
}

export function signalResult(errno: number): NativeSignalResult {
  return errno === 0 ? { ok: true } : { ok: false, errno, code: errnoName(errno) };
}

/** Gives an error of the addon the `code` that Node's own system errors have. */
export function nameError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) return error;
  const code = errnoName(errno);
  return Object.assign(error, { code, message: `${error.message}: ${code}` });
}

export function closedError(): Error {
  return Object.assign(new Error('the engine is closed'), { code: 'ERR_CLOSED' });
}
