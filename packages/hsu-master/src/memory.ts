import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Keeps the young generation at its first size: a master makes little garbage, and V8 would let it grow to many times that
 * during a large start and keep it. Figures: docs/decisions/0002-memory-after-start.md.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Returns to the system what reading a configuration and starting the workers needed and nothing needs any more. */
export function giveBackStartMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
