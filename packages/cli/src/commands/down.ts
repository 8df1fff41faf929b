import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { withProgress } from './patience.ts';

/** How long the master's process may take to go after its last answer. */
const GOING = 10_000;

/** `down`: ends all workers and the master; returns when both are gone. */
export async function down({ client, to, format }: Asking): Promise<number> {
  const [master, { workers }] = await Promise.all([client.version(), client.workers()]);
  const alive = workers.filter(({ process }) => process !== null).map(({ id }) => id);
  const many =
    alive.length > 10 ? `${alive.slice(0, 10).join(', ')} and ${alive.length - 10} more` : alive.join(', ');
  await say(
    to.err,
    alive.length === 0 ? 'stopping the master; no worker runs' : `stopping ${many} and the master`,
  );
  const ending = await withProgress(
    to,
    () => 'waiting for their end',
    () => client.shutdown('hsu-master down'),
  );
  const isGone = await gone(master.pid);
  if (!(await printData(to.out, format, ending, [ending]))) {
    const { survivors } = ending;
    if (survivors.length > 0)
      await say(
        to.err,
        `alive after SIGKILL: ${survivors.map(({ pid }) => `pid ${pid}`).join(', ')}; they usually wait for a device`,
      );
    else if (isGone) await say(to.out, `master ${master.pid} is down`);
    else await say(to.err, `master ${master.pid} has ended its workers and is still there`);
  }
  return ending.survivors.length > 0 || !isGone ? 1 : 0;
}

/** Whether the process has gone in time; nobody else tells. */
async function gone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < GOING; waited += 20) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH';
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
