import type { Exit } from '@hsu-master/core';
import type { Hold } from './hold.ts';

/** An exit with what the system tells of an end that was not ours: why it was killed, and what it was refused shortly before. */
export function explained(
  exit: Exit,
  hold: Pick<Hold, 'forksRefused' | 'oomKilled' | 'ranOutOfCpuTime'>,
): Exit {
  const forksRefused = hold.forksRefused() ?? null;
  const told = forksRefused === null ? exit : { ...exit, forksRefused };
  if (exit.signal !== 'SIGKILL' || exit.oomKilled !== undefined) return told;
  const oomKilled = hold.oomKilled();
  // That the whole system was short of memory may be another's story.
  const isCertain = oomKilled !== null && oomKilled !== 'system';
  const isOutOfTime = !isCertain && exit.usage !== null && hold.ranOutOfCpuTime(exit.usage);
  return isOutOfTime ? { ...told, oomKilled: null, outOfCpuTime: true } : { ...told, oomKilled };
}
