import { acquireContainment, type Containment } from '@hsu-master/workers';
import { EXIT_CODES } from './exit-codes.ts';

const MODES = ['auto', 'in-place', 'off'] as const;

/**
 * How workers are held where the system has cgroups. auto: this process may be moved into one of its own, and systemd may be asked for
 * it · in-place: only what can be had where this process is · off: process groups alone.
 */
export type ContainmentMode = (typeof MODES)[number];

/** The oom_score_adj of a master: killed well after any worker, and before what the system itself protects (-1000). */
export const PROTECTED = -900;

/** What holds the workers of the master with this name; undefined where nothing is wanted. */
export function containmentOf(mode: ContainmentMode, instance: string): Containment | undefined {
  if (mode === 'off') return undefined;
  const mayMove = mode === 'auto';
  return acquireContainment({ instance, mayMove, mayAskSystemd: mayMove });
}

/** What `--containment` says; null where it is none of the modes. */
export function containmentMode(written: string | undefined): ContainmentMode | null {
  return MODES.find((mode) => mode === (written ?? 'auto')) ?? null;
}

/** Says so and returns the exit code. */
export function refuseContainment(written: string | undefined): number {
  process.stderr.write(`hsu-master: --containment takes ${MODES.join(', ')}, not "${written}"\n`);
  return EXIT_CODES.usage.code;
}
