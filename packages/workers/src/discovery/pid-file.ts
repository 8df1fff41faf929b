import type { Strategy } from '@hsu-master/core';
import type { Look, Matcher, Tools } from './matcher.ts';
import { NOTHING } from './process.ts';

/** Times of files and of the start of processes are compared with this much doubt. */
const DOUBT_MS = 2000;

const LARGEST_PID = 0x3f_ffff;

/** The pid in a pid file: the first word. Programs write more behind it, PostgreSQL its directory and port. */
export function pidIn(text: string): number | null {
  const word = /^\s*(\d{1,7})(?:\s|$)/.exec(text)?.[1];
  const pid = Number(word);
  return word === undefined || pid < 1 || pid > LARGEST_PID ? null : pid;
}

function nowhere(absent: string): Look {
  return { pids: [], absent, matches: () => false };
}

export function pidFile({ path, checkAge }: Strategy & { kind: 'pid-file' }): Matcher {
  return {
    needs: NOTHING,
    begin(tools: Tools) {
      const file = tools.readText(path);
      if (file === null) return nowhere(`there is no pid file ${path}, or it cannot be read`);
      const pid = pidIn(file.text);
      if (pid === null) return nowhere(`${path} holds no pid: ${JSON.stringify(file.text.slice(0, 40))}`);
      return {
        pids: [pid],
        absent: '',
        matches(process) {
          if (process.pid !== pid) return false;
          const beganAt = checkAge ? tools.beganAt(process) : null;
          if (beganAt === null || beganAt <= file.writtenAt + DOUBT_MS) return true;
          return `${path} is stale: process ${pid} began after it was written`;
        },
      };
    },
  };
}
