import type { Strategy } from '@hsu-master/core';
import type { Matcher } from './matcher.ts';
import { NOTHING } from './process.ts';

export function user({ user: wanted }: Strategy & { kind: 'user' }): Matcher {
  return {
    needs: { ...NOTHING, user: true },
    begin(tools) {
      const id = tools.userId(wanted);
      const absent = id === null ? `there is no user "${wanted}"` : '';
      return { pids: id === null ? [] : null, absent, matches: (process) => process.user === id };
    },
  };
}
