/** How a platform’s build was last shown to work. */
export type Proof = 'run natively' | 'run under Wine' | 'run under qemu' | 'compiled only' | 'not built yet';

/** Platforms and what ran there. */
export const PLATFORMS: readonly {
  readonly platform: string;
  readonly proof: Proof;
  readonly notes: string;
}[] = [
  {
    platform: 'Linux x64, glibc',
    proof: 'run natively',
    notes:
      'All suites; cgroup v1 and a hybrid hierarchy on the machine itself, cgroup v2, systemd as PID 1 and containers of runc in a virtual machine (QEMU without KVM, Debian’s kernel 6.1). The addon is built on the machine by node-gyp; kernel 5.3 or later (pidfd, clone3).',
  },
  {
    platform: 'Linux x64, musl',
    proof: 'run natively',
    notes:
      'The addon cross-compiled, on the musl of Debian (1.2.3), under a Node for glibc that a shim lets run on it, as there is none for musl in npm; not on Alpine. What runs is in `scripts/prebuilt/foreign.json`. musl gives no memory back on request.',
  },
  {
    platform: 'Linux arm64, glibc',
    proof: 'run under qemu',
    notes:
      'The addon cross-compiled, under the Node for arm64 by qemu-user: it loads, and its log pump passes its tests. The making of processes is not shown: qemu-user has no clone that shares memory and makes no thread; `scripts/prebuilt/foreign.json` names what else it cannot. Never run on an arm64 machine.',
  },
  {
    platform: 'Linux arm64, musl',
    proof: 'compiled only',
    notes: 'Cross-compiled; what it wants of musl is a checked list.',
  },
  {
    platform: 'macOS x64, arm64',
    proof: 'compiled only',
    notes:
      'Compiled and linked on Linux for macOS 11 and later; what it wants of libSystem is a checked list. Never run. What of it is portable is tested on Linux: hsu-launch, as which every child begins, the parser of process arguments, limits, the log pump without splice.',
  },
  {
    platform: 'Windows x64',
    proof: 'run under Wine',
    notes:
      'The wine suite: the addon cross-compiled by mingw and loaded by the real node.exe 24 under Wine 10; the host contract, processes in jobs, console events, the log pump, the control pipe, services, and the launcher from `run` to `down`. Never run on Windows itself. What Wine accepts and does not do is not shown: limits of jobs, CPU rates, accounting, Ctrl-Break to workers, access rights, WM_ENDSESSION, the preshutdown of a service. Built with MSVC by the release workflow only.',
  },
  {
    platform: 'Windows arm64',
    proof: 'compiled only',
    notes:
      'Its sources but for the Node-API glue compile for it on Linux by zig; not linked, not run anywhere.',
  },
];

/** What each host can do at best; `hsu-master run` names what is missing on the machine it runs on. */
export const FEATURES: Readonly<Record<string, { readonly native: string; readonly node: string }>> = {
  'spawn-gate': {
    native: 'enforced: no program begins before its run record is written',
    node: 'impossible: the record is written right after the start',
  },
  'race-free-signals': {
    native: 'enforced: pidfd',
    node: 'watched: the identity is compared just before the signal',
  },
  'no-leaked-descriptors': { native: 'enforced: close_range in the child', node: 'watched: close-on-exec' },
  'whole-tree': {
    native:
      'enforced by the cgroup where there is one; else watched: process group, session, mark, ancestry; other escapees are adopted and end with the master',
    node: 'watched: process group, session, mark, ancestry',
  },
  'birth-in-cgroup': {
    native:
      'enforced from Linux 5.7 on: clone3; else a process enters its cgroup before it waits at its gate',
    node: 'impossible',
  },
  cgroup2: {
    native:
      'enforced where the master may make groups: as root, in a delegated cgroup, in a scope that systemd gives',
    node: 'impossible',
  },
  cgroup1: { native: 'enforced per controller where the master may make groups', node: 'impossible' },
  'kill-tree': {
    native:
      'enforced: cgroup.kill (Linux 5.14), else SIGKILL to all in a frozen group, else to each member that is known',
    node: 'watched: SIGKILL to each member that is known',
  },
  'freeze-tree': {
    native: 'enforced: cgroup.freeze, the freezer of v1; else SIGSTOP to each member that is known',
    node: 'watched: SIGSTOP to each member that is known',
  },
  'adopt-orphans': { native: 'enforced: child subreaper, in `run`', node: 'impossible: init adopts them' },
  'list-orphans': { native: 'enforced: the kernel’s list of children', node: 'impossible' },
  'exit-status-of-adopted-workers': {
    native: 'enforced from Linux 6.15 on, or where the master is their parent; else unknown',
    node: 'impossible: unknown',
  },
  'switch-user': { native: 'enforced for root; else only the master’s own user', node: 'the same' },
  'protected-master': {
    native: 'enforced with CAP_SYS_RESOURCE, in `run`: oom_score_adj −900; workers keep theirs',
    node: 'impossible',
  },
  'output-outlives-master': {
    native: 'enforced: FIFOs that workers hold themselves, emptied by splice',
    node: 'impossible: workers get SIGPIPE when the master is gone',
  },
  'reserved-ports': {
    native: 'enforced: a port is held until its worker listens on it, or passed as a socket that listens',
    node: 'impossible: a port is chosen that is free at the moment',
  },
  'find-processes': {
    native: 'enforced: unmanaged units are found by any strategy, as far as the master may look',
    node: 'impossible: unmanaged units wait, and say so',
  },
  'umask-groups-nofile': { native: 'enforced', node: 'impossible' },
  'state-directory-lock': { native: 'enforced: flock', node: 'impossible: two masters are not told apart' },
};
