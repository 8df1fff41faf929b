import type { SamplingSpec } from '@hsu-master/core';
import { patternOf, type Stage } from './stage.ts';

/** Keeps a share of the lines: the first entry that is about a line decides. `random` is uniform in [0, 1). */
export function sampling(specs: readonly SamplingSpec[], random: () => number): Stage {
  const entries = specs.map(({ pattern, share }) => ({
    pattern: pattern === null ? null : patternOf(pattern),
    share,
  }));
  return (record) => {
    const entry = entries.find(({ pattern }) => pattern === null || pattern.test(record.text));
    return entry === undefined || random() < entry.share ? record : null;
  };
}
