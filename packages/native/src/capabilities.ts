import type { Probe } from './addon.ts';
import { errnoName } from './failure.ts';
import type { NativeCapability } from './native.ts';

interface Feature {
  readonly feature: string;
  readonly probe: keyof Probe;
  readonly granted: string;
  readonly refused: string;
  /** What is left without it. */
  readonly otherwise: 'watched' | 'impossible' | 'enforced';
}

const features: readonly Feature[] = [
  {
    feature: 'race-free-signals',
    probe: 'pidfd',
    granted: 'signals and exits go through pidfds',
    refused: 'no pidfd (Linux 5.3)',
    otherwise: 'impossible',
  },
  {
    feature: 'spawn-gate',
    probe: 'clone3',
    granted: 'clone3 with shared memory, a gate before exec',
    refused: 'clone3 is refused; clone does the same',
    otherwise: 'enforced',
  },
  {
    feature: 'birth-in-cgroup',
    probe: 'cloneIntoCgroup',
    granted: 'clone3 makes a process inside its cgroup (v2)',
    refused: 'no CLONE_INTO_CGROUP (Linux 5.7); a process moves itself there before its gate',
    otherwise: 'enforced',
  },
  {
    feature: 'no-leaked-descriptors',
    probe: 'closeRange',
    granted: 'close_range in the child',
    refused: 'no close_range (Linux 5.9); descriptors are closed one by one',
    otherwise: 'enforced',
  },
  {
    feature: 'adopt-orphans',
    probe: 'subreaper',
    granted: 'child subreaper: what a worker leaves behind is adopted and reaped',
    refused: 'prctl(PR_SET_CHILD_SUBREAPER) is refused',
    otherwise: 'impossible',
  },
  {
    feature: 'list-orphans',
    probe: 'childrenList',
    granted: "the kernel lists the main thread's children",
    refused: 'the kernel lists no children by thread (CONFIG_PROC_CHILDREN): orphans are adopted, not reaped',
    otherwise: 'impossible',
  },
  {
    feature: 'exit-status-of-adopted-workers',
    probe: 'exitStatus',
    granted: 'PIDFD_GET_INFO tells how a process ended that is not our child',
    refused:
      'no PIDFD_GET_INFO with exit status (Linux 6.15): how a process of an earlier master ended is known only if its parent has not reaped it before we look',
    otherwise: 'watched',
  },
];

/**
 * What becomes of output when the master dies. A user’s pipes beyond a number of pages that the system sets are small, and stay so;
 * root’s never are.
 */
export function outputCapability(readText: (path: string) => string, isRoot: boolean): NativeCapability {
  const feature = 'output-outlives-master';
  const reason = 'FIFOs that workers hold themselves, emptied by splice';
  const pages = isRoot ? 0 : pagesOfPipes(readText);
  if (pages === 0) return { feature, status: 'enforced', reason };
  const channels = Math.floor(pages / PAGES_OF_PIPE);
  return {
    feature,
    status: 'enforced',
    reason: `${reason}; about ${channels} have their full size, those beyond hold 8 KiB (fs.pipe-user-pages-soft is ${pages})`,
  };
}

const PAGES_OF_PIPE = 16;

function pagesOfPipes(readText: (path: string) => string): number {
  try {
    return Number(readText('/proc/sys/fs/pipe-user-pages-soft')) || 0;
  } catch {
    return 0;
  }
}

export function capabilitiesFrom(probe: Probe): readonly NativeCapability[] {
  return features.map(({ feature, probe: name, granted, refused, otherwise }) =>
    probe[name] === 0
      ? { feature, status: 'enforced', reason: granted }
      : { feature, status: otherwise, reason: `${refused} (${errnoName(probe[name])})` },
  );
}
