// Ten awkward workers of four processes each, under a master that adopts; then nothing of them may live.
import { loadNative } from '@hsu-master/native';
import { creature } from '@hsu-master/testkit';
import { createNativeHost } from '../../src/host/native.ts';
import { realClock } from '../../src/real-clock.ts';
import { Watched } from '../host-watch.ts';

const loaded = loadNative({});
if (!loaded.ok) throw new Error(loaded.reason);
const { native } = loaded;
const host = createNativeHost(native, { environment: process.env, reapOrphans: true, clock: realClock() });

const AWKWARD = creature(
  ...'child { ignore TERM print stubborn sleep }'.split(' '),
  ...'child { session print apart sleep }'.split(' '),
  ...'orphan { session print daemon sleep }'.split(' '),
  'sleep',
);
const runs = Array.from({ length: 10 }, () => new Watched(host, AWKWARD));
for (const run of runs) for (const word of ['stubborn', 'apart', 'daemon']) await run.says(word);
const before = runs.flatMap((run) => run.run.members());

for (const { run } of runs) run.signalTree('SIGTERM');
const remaining: number[] = [];
for (const run of runs) remaining.push((await run.first('exited')).remaining.length);
// The stubborn one of each must still be there: SIGTERM goes to all, and only it ignores it.
await Promise.all(
  runs.map((run) => run.until('stubborn alone', () => run.run.members().length === 1)).map(poke),
);
for (const { run } of runs) run.signalTree('SIGKILL');
await Promise.all(runs.map((run) => run.over()));

const survivors = before.filter((process) => host.isAlive(process));
const kinds = new Set(runs.map((run) => run.reports.map(({ kind }) => kind).join(' ')));

// What no rule can claim: a daemon that wiped its environment before anybody looked, and may be of either of two runs.
const bystander = new Watched(host, ['sleep', '600']);
await bystander.first('spawned');
const wiped = new Watched(
  host,
  creature('orphan', '{', 'session', 'wipe', 'ignore', 'TERM', 'pid', 'sleep', '}', 'sleep'),
);
await wiped.says('\n');
wiped.run.signalTree('SIGTERM');
const { remaining: unclaimed } = await wiped.first('exited');
const strays = host.strays();
bystander.run.signalTree('SIGKILL');
await bystander.over();
const straySurvivors = await host.endStrays(50);
const zombies = native.processTable().filter(({ ppid, state }) => ppid === process.pid && state === 'Z');

process.stdout.write(
  JSON.stringify({
    before: before.length,
    survivors: survivors.length,
    kinds: [...kinds],
    unclaimed: unclaimed.length,
    strays: strays.map(({ pid }) => pid),
    wipedPid: Number(wiped.output.text('stdout')),
    straySurvivors: straySurvivors.length,
    straysLeft: host.strays().length,
    zombies: zombies.length,
  }),
);
host.close();

/** `until` looks when there is news; members go without any, so it is made to look. */
async function poke(done: Promise<void>): Promise<void> {
  const timer = setInterval(() => {
    for (const run of runs) run.output.onNews();
  }, 20);
  try {
    await done;
  } finally {
    clearInterval(timer);
  }
}
