import { type FilterSpec, rankOf } from '@hsu-master/core';
import { patternOf, type Stage } from './stage.ts';

/** Keeps what the spec asks for. */
export function filter(spec: FilterSpec): Stage {
  const include = spec.include.map(patternOf);
  const exclude = spec.exclude.map(patternOf);
  const lowest = spec.minLevel === null ? 0 : rankOf(spec.minLevel);
  return (record) => {
    if (lowest > 0 && record.level !== null && rankOf(record.level) < lowest) return null;
    if (exclude.some((pattern) => pattern.test(record.text))) return null;
    if (include.length > 0 && !include.some((pattern) => pattern.test(record.text))) return null;
    return record;
  };
}
