// Programs that fork twice and end at once, over and over: each leaves one daemon, which its run must know about.
import { loadNative } from '@hsu-master/native';
import { creature } from '@hsu-master/testkit';
import { createNativeHost } from '../../src/host/native.ts';
import { createNodeHost } from '../../src/host/node.ts';
import { procTable } from '../../src/host/process-table.ts';
import { realClock } from '../../src/real-clock.ts';
import { Watched } from '../host-watch.ts';

const [, , kind, workers = '60', runsOfEach = '30'] = process.argv;
const loaded = loadNative({});
const clock = realClock();
const environment = process.env;
const host =
  kind === 'native' && loaded.ok
    ? createNativeHost(loaded.native, { environment, reapOrphans: true, clock })
    : createNodeHost({ environment, clock });

const DAEMONS = [
  creature('child', '{', 'session', 'child', '{', 'session', 'sleep', '}', 'exit', '0', '}', 'exit', '0'),
  // A program that is just becoming another one has no environment to look at.
  ['sh', '-c', 'setsid sh -c "setsid sleep 777 & exit" & exit 0'],
];

let clean = 0;
let runs = 0;
async function work(argv: readonly string[]): Promise<void> {
  for (let run = 0; run < Number(runsOfEach); run += 1) {
    const watched = new Watched(host, argv);
    const { remaining } = await watched.first('exited');
    runs += 1;
    if (remaining.length === 0) clean += 1;
    else watched.run.signalTree('SIGKILL');
    await watched.over();
  }
}
await Promise.all(
  Array.from({ length: Number(workers) }, (_, at) => work(DAEMONS[at % DAEMONS.length] as string[])),
);
// Only what bears a mark of this very process is its own.
const own = (pid: number) =>
  procTable.variableOf(pid, 'HSU_RUN')?.startsWith(`host-test-${process.pid}-`) === true;
const survivors = procTable
  .rows()
  .filter(({ pid, state }) => pid !== process.pid && state !== 'Z' && own(pid));
for (const { pid } of survivors) process.kill(pid, 'SIGKILL');
process.stdout.write(JSON.stringify({ host: host.name, runs, clean, survivors: survivors.length }));
host.close();
