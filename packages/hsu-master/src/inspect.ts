import type { Clock, Host } from '@hsu-master/core';
import { type LoadedNative, loadNative } from '@hsu-master/native';
import { createNativeHost, createNodeHost, createWindowsHost, realClock } from '@hsu-master/workers';
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
  const host = loaded.ok
    ? nativeHost(loaded, environment, clock, mode)
    : createNodeHost({ environment, clock });
  return { host, lacksAddon: loaded.ok ? null : loaded.reason, close: () => host.close() };
}

function nativeHost(
  { native, windows }: LoadedNative & { readonly ok: true },
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  mode: ContainmentMode,
): Host {
  if (windows !== null) return createWindowsHost(native, windows, { environment, clock });
  const containment = containmentOf(mode, `inspect-${process.pid}`);
  const options = { environment, clock, reapOrphans: true, oomScoreAdj: PROTECTED };
  return createNativeHost(native, containment === undefined ? options : { ...options, containment });
}
