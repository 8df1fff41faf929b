import type { Strategy } from '@hsu-master/core';
import { type Matcher, simple } from './matcher.ts';
import { tester } from './name.ts';
import { NOTHING } from './process.ts';

export function commandLine({ pattern }: Strategy & { kind: 'command-line' }): Matcher {
  const isMeant = tester(pattern);
  return simple(
    { ...NOTHING, argv: true },
    ({ argv }) => argv?.length !== 0 && isMeant((argv ?? []).join(' ')),
  );
}
