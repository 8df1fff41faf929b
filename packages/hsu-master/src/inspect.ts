import type { Host } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { createNativeHost, createNodeHost, realClock } from '@hsu-master/workers';

/** A host to be asked what it can do; it starts nothing and leaves no trace. */
export interface Inspected {
  readonly host: Host;
  /** Why the addon could not be loaded; null where it was. */
  readonly lacksAddon: string | null;
  close(): void;
}

/** Opens the host that `run` would have here. */
export function inspectHost(environment: Readonly<Record<string, string | undefined>>): Inspected {
  const loaded = loadNative();
  const clock = realClock();
  const host = loaded.ok
    ? createNativeHost(loaded.native, { environment, clock, reapOrphans: true })
    : createNodeHost({ environment, clock });
  return { host, lacksAddon: loaded.ok ? null : loaded.reason, close: () => host.close() };
}
