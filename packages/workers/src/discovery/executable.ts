import type { Strategy } from '@hsu-master/core';
import type { Matcher } from './matcher.ts';
import { NOTHING } from './process.ts';

/** A program that was replaced while it ran is still called by the path where it was. */
export function isProgram(exe: string | null | undefined, path: string): boolean {
  return exe === path || exe === `${path} (deleted)`;
}

export function executable({ path }: Strategy & { kind: 'executable' }): Matcher {
  return {
    needs: { ...NOTHING, exe: true },
    begin(tools) {
      const wanted = tools.realPath(path);
      return { pids: null, absent: '', matches: ({ exe }) => isProgram(exe, wanted) };
    },
  };
}
