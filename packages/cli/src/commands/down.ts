import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import type { Awaited } from '../output/progress.ts';
import { printData, say } from '../output/print.ts';
import { withProgress } from './patience.ts';

/** How long the master's process may take to go after its last answer. */
const GOING = 10_000;
const LOOK_EVERY = 20;

/** More are counted only. */
const NAMED = 10;

/** `down`: ends all workers and the master; returns when both are gone. */
export async function down(asking: Asking): Promise<number> {
  const { client, to, format } = asking;
  const [master, { workers }] = await Promise.all([client.version(), client.workers()]);
  const alive = workers.filter(isAlive);
  if (format !== 'name') await say(to.err, announcement(alive));
  const awaited = (all: readonly Worker[]): Awaited => ({
    what: 'stopping',
    of: alive.length,
    left: all.filter(isAlive),
  });
  const { ending, isGone } = await withProgress(
    asking,
    awaited(workers),
    async () => awaited((await client.workers()).workers),
    async () => {
      const ended = await client.shutdown('hsu-master down');
      return { ending: ended, isGone: await gone(asking, master.pid) };
    },
  );
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

function isAlive({ process }: Worker): boolean {
  return process !== null;
}

function announcement(alive: readonly Worker[]): string {
  if (alive.length === 0) return 'stopping the master; no worker runs';
  const names = alive.slice(0, NAMED).map(({ id }) => id);
  const more = alive.length > NAMED ? ` and ${alive.length - NAMED} more` : '';
  return `stopping ${names.join(', ')}${more} and the master`;
}

/** Whether the master has gone in time. Of a process of this machine nobody else tells; one elsewhere answers no more. */
async function gone({ client, isElsewhere }: Asking, pid: number): Promise<boolean> {
  for (let waited = 0; waited < GOING; waited += LOOK_EVERY) {
    const isThere = isElsewhere
      ? await client.version().then(
          () => true,
          () => false,
        )
      : exists(pid);
    if (!isThere) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
  return false;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
