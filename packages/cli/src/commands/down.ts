import type { Worker } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { ASK_EXIT_CODES } from '../exit-codes.ts';
import { printData, say } from '../output/print.ts';
import type { Awaited } from '../output/progress.ts';
import type { Surroundings } from '../surroundings.ts';
import { withProgress } from './patience.ts';

/** How long the master's process may take to go after its last answer. */
const GOING = 10_000;
const LOOK_EVERY = 20;

/** More are counted only. */
const NAMED = 10;

/** `down`: ends all workers and the master; returns when both are gone. */
export async function down(asking: Asking, { yes }: { readonly yes?: boolean } = {}): Promise<number> {
  const { client, to, format } = asking;
  const [master, { workers }] = await Promise.all([client.version(), client.workers()]);
  const alive = workers.filter(isAlive);
  const all = alive.length === 0 ? 'the master; no worker runs' : `${namesOf(alive)} and the master`;
  if (yes !== true && alive.length > 0 && !(await isAgreed(to, `stop ${all} (${master.configFile})?`))) {
    await say(to.err, 'nothing was stopped');
    return ASK_EXIT_CODES.failed.code;
  }
  if (format !== 'name') await say(to.err, `stopping ${all}`);
  const awaited = (those: readonly Worker[]): Awaited => ({
    what: 'stopping',
    of: alive.length,
    left: those.filter(isAlive),
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

function namesOf(alive: readonly Worker[]): string {
  const names = alive.slice(0, NAMED).map(({ id }) => id);
  return `${names.join(', ')}${alive.length > NAMED ? ` and ${alive.length - NAMED} more` : ''}`;
}

/** Where nobody sits in front of it nobody is asked. */
async function isAgreed({ err, keys }: Surroundings, question: string): Promise<boolean> {
  if (keys === null) return true;
  await err.write(`${question} [y/N] `);
  const key = await new Promise<string>((resolve) => {
    const close = keys.listen((pressed) => {
      if (pressed === '') return;
      close();
      resolve(pressed);
    });
  });
  const isYes = /^y/i.test(key);
  await err.write(isYes ? 'yes\n' : 'no\n');
  return isYes;
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
