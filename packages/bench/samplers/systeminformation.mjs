// Its process list, which is of all processes; there is no call for some of them by pid.
import { processes } from 'systeminformation';
import { everySecond } from './every-second.mjs';

await everySecond(async (pids) => {
  const { list } = await processes();
  const known = new Set(list.map(({ pid }) => pid));
  return pids.filter((pid) => known.has(pid)).length;
});
