import type { Strategy } from '@hsu-master/core';
import { type Matcher, simple } from './matcher.ts';
import { NOTHING } from './process.ts';

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function port({ protocol, port: wanted, address }: Strategy & { kind: 'port' }): Matcher {
  return simple({ ...NOTHING, ports: [{ protocol, port: wanted }] }, ({ listeners }) =>
    (listeners ?? []).some(
      (one) =>
        one.protocol === protocol &&
        one.port === wanted &&
        // Who listens on all addresses listens on this one as well.
        (address === null || one.address === address || ANY.has(one.address)),
    ),
  );
}
