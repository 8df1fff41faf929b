// All pids in one call, as its documentation has it for several processes.
import pidusage from 'pidusage';
import { everySecond } from './every-second.mjs';

await everySecond(async (pids) => {
  const usage = await pidusage(pids);
  return pids.filter((pid) => usage[pid]?.memory >= 0).length;
});
