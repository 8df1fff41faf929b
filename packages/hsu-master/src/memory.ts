import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadNative } from '@hsu-master/native';

/**
 * Returns to the system what reading a configuration and starting the workers needed, and keeps the young generation from growing
 * again: a master at work makes little garbage. Holds the event loop for some tens of milliseconds. Figures:
 * docs/decisions/0002-memory-after-start.md.
 */
export function giveBackStartMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  // What V8 and the addon have freed lies with the C library. Without the addon it stays there.
  const loaded = loadNative();
  if (loaded.ok) loaded.native.trimMemory();
}
