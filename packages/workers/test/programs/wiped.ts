// Daemons that no rule can claim: they blank their environment, fork twice and have lost their program at once. First they are
// left by the only worker there is, then by one of two.
import type { ProcessIdentity } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { creature } from '@hsu-master/testkit';
import { createNativeHost } from '../../src/host/native.ts';
import { procTable } from '../../src/host/process-table.ts';
import { realClock } from '../../src/real-clock.ts';
import { Watched } from '../host-watch.ts';

const loaded = loadNative({});
if (!loaded.ok) throw new Error(loaded.reason);
const named: ProcessIdentity[] = [];
const host = createNativeHost(loaded.native, {
  environment: process.env,
  reapOrphans: true,
  clock: realClock(),
  onStray: (stray) => void named.push(stray),
});

const WIPED = creature('wipe', 'child', '{', 'session', 'child', '{', 'session', 'sleep', '}', '}');

/** How many runs knew that they had left a daemon. */
async function claimedOf(runs: number): Promise<number> {
  let claimed = 0;
  for (let run = 0; run < runs; run += 1) {
    const watched = new Watched(host, WIPED);
    const { remaining } = await watched.first('exited');
    if (remaining.length > 0) {
      claimed += 1;
      watched.run.signalTree('SIGKILL');
    }
    await watched.over();
  }
  return claimed;
}

const alone = await claimedOf(20);
const namedAlone = named.length;
const other = new Watched(host, ['sleep', '600']);
await other.first('spawned');
const besideAnother = await claimedOf(20);
other.run.signalTree('SIGKILL');
await other.over();

const key = ({ pid, startedAt }: ProcessIdentity) => `${pid} ${startedAt}`;
/** Whoever is still a child of this process, by the system’s own table. */
const left = () =>
  procTable
    .rows()
    .filter(({ ppid, state }) => ppid === process.pid && state !== 'Z')
    .map(key);
const names = new Set<string>();
const isNamed = () => {
  for (const one of named) names.add(key(one));
  return left().every((one) => names.has(one));
};
const deadline = Date.now() + 10_000 * Number(process.env.HSU_TIME_FACTOR ?? 1);
while (!isNamed() && Date.now() < deadline) await new Promise((resolve) => void setTimeout(resolve, 20));
process.stdout.write(
  JSON.stringify({
    alone,
    namedAlone,
    unnoticed: Math.max(0, 20 - besideAnother - left().length),
    unnamed: left().filter((one) => !names.has(one)).length,
    namedTwice: named.length - names.size,
    otherLost: other.reports.some((report) => report.kind === 'exited' && report.remaining.length > 0),
    survivors: (await host.endStrays(1000)).length,
  }),
);
host.close();
