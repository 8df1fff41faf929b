import type { Strategy } from '@hsu-master/core';
import { type Matcher, simple } from './matcher.ts';
import { tester } from './name.ts';
import { NOTHING } from './process.ts';

export function environment({ name, value, pattern }: Strategy & { kind: 'environment' }): Matcher {
  const isMeant = pattern === null ? () => true : tester(pattern);
  return simple({ ...NOTHING, environment: true }, (process) => {
    const held = process.environment?.get(name);
    return held !== undefined && (value === null || held === value) && isMeant(held);
  });
}
