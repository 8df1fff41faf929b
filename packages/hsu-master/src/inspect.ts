import type { Host } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { createNativeHost, createNodeHost, realClock } from '@hsu-master/workers';
import { type ContainmentMode, containmentOf, PROTECTED } from './containment.ts';

/** A host to be asked what it can do; it starts nothing and leaves no trace. */
export interface Inspected {
  readonly host: Host;
  /** Why the addon could not be loaded; null where it was. */
  readonly lacksAddon: string | null;
  close(): void;
}

/** Opens the host that `run` would have here. This process may be moved to other cgroups and back for that. */
export function inspectHost(
  environment: Readonly<Record<string, string | undefined>>,
  mode: ContainmentMode,
): Inspected {
  const loaded = loadNative();
  const clock = realClock();
  // Not by the name of a master that may be running.
  const containment = loaded.ok ? containmentOf(mode, `inspect-${process.pid}`) : undefined;
  const options = { environment, clock, reapOrphans: true, oomScoreAdj: PROTECTED };
  const host = loaded.ok
    ? createNativeHost(loaded.native, containment === undefined ? options : { ...options, containment })
    : createNodeHost({ environment, clock });
  return { host, lacksAddon: loaded.ok ? null : loaded.reason, close: () => host.close() };
}
