/** What is on file of the last runs: scripts/shown.json and scripts/prebuilt/verified.json. */
export interface Reports {
  /** By the names of suites. */
  readonly suites: Readonly<Record<string, SuiteReport>>;
  /** By the names of targets, as native/targets.json has them. */
  readonly verified: Readonly<Record<string, TargetReport>>;
}

interface SuiteReport {
  readonly target: string;
  /** `run natively`, `run under Wine`. */
  readonly how: string;
  readonly node: string;
  /** Tests that were left out, by the reason. */
  readonly left: Readonly<Record<string, readonly string[]>>;
}

interface TargetReport {
  /** By the folders whose tests ran with this target’s binary. */
  readonly ran: Readonly<Record<string, unknown>>;
  /** What could not be run, and why. */
  readonly cannot: Readonly<Record<string, string>>;
}

/** Platforms, the targets that are built for them, and what is to be known of them; what ran there is in the reports. */
export const PLATFORMS: readonly {
  readonly platform: string;
  readonly targets: readonly string[];
  readonly notes: string;
}[] = [
  {
    platform: 'Linux x64, glibc',
    targets: ['linux-x64-glibc'],
    notes:
      'cgroup v1 and a hybrid hierarchy on the machine itself, cgroup v2, systemd as PID 1 and containers of runc in a virtual machine (QEMU without KVM, Debian’s kernel 6.1). The addon is built on the machine by node-gyp; kernel 5.3 or later (pidfd, clone3).',
  },
  {
    platform: 'Linux x64, musl',
    targets: ['linux-x64-musl'],
    notes:
      'The addon cross-compiled, on the musl of Debian (1.2.3), under a Node for glibc that a shim lets run on it, as there is none for musl in npm; not on Alpine. musl gives no memory back on request.',
  },
  {
    platform: 'Linux arm64, glibc',
    targets: ['linux-arm64-glibc'],
    notes: 'The addon cross-compiled, under the Node for arm64. Never run on an arm64 machine.',
  },
  {
    platform: 'Linux arm64, musl',
    targets: ['linux-arm64-musl'],
    notes: 'Cross-compiled; what it wants of musl is a checked list.',
  },
  {
    platform: 'macOS x64, arm64',
    targets: ['darwin-x64', 'darwin-arm64'],
    notes:
      'Compiled and linked on Linux for macOS 11 and later; what it wants of libSystem is a checked list. Never run. What of it is portable is tested on Linux: hsu-launch, as which every child begins, the parser of process arguments, limits, the log pump without splice.',
  },
  {
    platform: 'Windows x64',
    targets: ['win32-x64'],
    notes:
      'The addon cross-compiled by mingw and loaded by the real node.exe under Wine 10; the host contract, processes in jobs, console events, the log pump, the control pipe, services, and the launcher through the lifecycle of workers. Never run on Windows itself. What Wine accepts and does not do is not shown: limits of jobs, CPU rates, accounting, Ctrl-Break to workers, access rights, WM_ENDSESSION, the preshutdown of a service. Built with MSVC by the release workflow only.',
  },
  {
    platform: 'Windows arm64',
    targets: ['win32-arm64'],
    notes: 'Never run.',
  },
];

/** How targets were last shown to work, by the reports of them. Where there is none, nothing is claimed. */
export function shownOf(targets: readonly string[], { suites, verified }: Reports): string {
  const shown = Object.entries(suites)
    .filter(([, { target }]) => targets.includes(target))
    .map(([suite, { how }]) => [how, suite] as const);
  const texts = [...new Set(shown.map(([how]) => how))].map((how) => {
    const names = shown.filter(([one]) => one === how).map(([, suite]) => `\`${suite}\``);
    return `${how}: suite ${names.join(', ')}`;
  });
  if (texts.length > 0) return texts.join('; ');
  const built = targets.map((target) => buildOf(target, verified[target]));
  return [...new Set(built)].join('; ');
}

function buildOf(target: string, report: TargetReport | undefined): string {
  if (report === undefined) return `nothing on file of ${target}`;
  const folders = Object.keys(report.ran).map((folder) => `\`${folder}\``);
  if (folders.length === 0) return 'compiled only';
  return `run ${target.includes('arm64') ? 'under qemu' : 'natively'}: tests of ${folders.join(', ')}`;
}

/** What the suites left out because of what they ran under, with the reason; reasons that begin so are a platform’s own. */
export function leftOut(
  { suites, verified }: Reports,
  targets: readonly string[],
): readonly (readonly [string, string])[] {
  const bySuite = Object.values(suites)
    .filter(({ target, how }) => targets.includes(target) && how !== 'run natively')
    .flatMap(({ left }) => Object.entries(left))
    .flatMap(([why, tests]) => tests.map((test) => [test, why] as const));
  return [...bySuite, ...targets.flatMap((target) => Object.entries(verified[target]?.cannot ?? {}))];
}

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
