import type { NativeLimits, NativeProcessLimits } from '../src/index.ts';

export const noProcessLimits: NativeProcessLimits = {
  rlimits: [],
  nice: null,
  affinity: null,
  scheduler: null,
  ioPriority: null,
  oomScoreAdj: null,
};

/** What a spawn is limited to: nothing but what is given. */
export function limits(change: Partial<NativeLimits>): NativeLimits {
  return { ...noProcessLimits, cgroup: null, makeCgroup: false, joins: [], noNewPrivs: false, ...change };
}
