import type { Strategy } from '@hsu-master/core';
import type { Matcher } from './matcher.ts';
import { NOTHING } from './process.ts';

export function directory({ path, below }: Strategy & { kind: 'directory' }): Matcher {
  return {
    needs: { ...NOTHING, cwd: true },
    begin(tools) {
      const wanted = tools.realPath(path);
      const inside = wanted === '/' ? '/' : `${wanted}/`;
      return {
        pids: null,
        absent: '',
        matches: ({ cwd }) => cwd === wanted || (below && cwd?.startsWith(inside) === true),
      };
    },
  };
}
