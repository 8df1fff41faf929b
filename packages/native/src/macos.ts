import type { Probe } from './addon.ts';
import { errnoName } from './failure.ts';
import type { NativeCapability } from './native.ts';

/** Soft limit on open files that launchd and shells give a program that asks for nothing, which Node raises for itself. */
export const MACOS_NOFILE = 256;

/** What the addon does on macOS, where it was compiled and linked, and has never been run: see docs/platforms.md. */
export function macosCapabilities(probe: Probe): readonly NativeCapability[] {
  const gate = probe.clone3;
  const enforced = (feature: string, reason: string) => ({ feature, status: 'enforced', reason }) as const;
  const watched = (feature: string, reason: string) => ({ feature, status: 'watched', reason }) as const;
  const impossible = (feature: string, reason: string) =>
    ({ feature, status: 'impossible', reason }) as const;
  return [
    gate === 0
      ? enforced(
          'spawn-gate',
          'posix_spawn of hsu-launch, which waits at its gate and then becomes the program',
        )
      : impossible(
          'spawn-gate',
          `hsu-launch beside the addon cannot be run: ${errnoName(gate)}; nothing can be started`,
        ),
    watched(
      'race-free-signals',
      'there are no descriptors of processes: the identity is compared just before a signal',
    ),
    enforced('no-leaked-descriptors', 'POSIX_SPAWN_CLOEXEC_DEFAULT'),
    impossible('birth-in-cgroup', 'there are no groups of processes that hold their members'),
    impossible('adopt-orphans', 'there is no subreaper: launchd adopts orphans'),
    impossible('list-orphans', 'there is no subreaper: launchd adopts orphans'),
    watched('exit-status-of-adopted-workers', 'NOTE_EXITSTATUS, of processes that the master may signal'),
    watched(
      'output-outlives-master',
      'FIFOs that workers hold themselves; there is no splice, so a kill of the master can lose up to 64 KiB of each stream',
    ),
    impossible(
      'die-with-master',
      'nothing ends a helper when the master is killed: exec probes and hooks that are under way run to their end',
    ),
    impossible(
      'sandbox',
      'sandbox_init is deprecated and takes no profile of ours; a worker is confined by `sandbox-exec -f PROFILE PROGRAM` as its command',
    ),
  ];
}
