import type { Strategy } from '@hsu-master/core';
import type { Matcher } from './matcher.ts';
import { NOTHING } from './process.ts';

export function openFile(
  { path }: Strategy & { kind: 'open-file' },
  realPath: (path: string) => string,
): Matcher {
  const wanted = realPath(path);
  return {
    needs: { ...NOTHING, files: [wanted] },
    begin: () => ({ pids: null, absent: '', matches: ({ files }) => files?.includes(wanted) === true }),
  };
}
