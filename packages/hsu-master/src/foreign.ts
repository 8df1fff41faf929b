import type { Clock, Host, ProcessFinder } from '@hsu-master/core';
import type { Native } from '@hsu-master/native';
import { createFinder, finderTools, nativeSource } from '@hsu-master/workers';

/** Looks for processes that others start; null: that takes the addon. */
export function finderOf(
  native: Native | null,
  { host, clock, mark }: { readonly host: Host; readonly clock: Clock; readonly mark: string },
): ProcessFinder | null {
  if (native === null) return null;
  const userId = (nameOrId: string) => native.lookupUser(nameOrId)?.uid ?? null;
  const tools = finderTools({ host, userId, mark });
  return createFinder({ source: nativeSource(native), tools, clock, ownPid: process.pid });
}
