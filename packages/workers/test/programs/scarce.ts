// G1: more workers than a limit of the system allows. What cannot start says so; what runs is supervised on.
import { readdirSync } from 'node:fs';
import { loadNative } from '@hsu-master/native';
import { createNativeHost } from '../../src/host/native.ts';
import { createNodeHost } from '../../src/host/node.ts';
import { realClock } from '../../src/real-clock.ts';
import { Watched } from '../host-watch.ts';

const [, , kind] = process.argv;
const environment = process.env;
const loaded = loadNative({});
const host =
  kind === 'native' && loaded.ok
    ? createNativeHost(loaded.native, { environment, reapOrphans: true, clock: realClock() })
    : createNodeHost({ environment, clock: realClock() });

const all = Array.from({ length: 200 }, () => new Watched(host, ['sleep', '600']));
await Promise.all(all.map((one) => one.until('an answer', () => one.reports.length > 0)));
const running = all.filter((one) => one.reports[0]?.kind === 'spawned');
const refused = all.flatMap(({ reports: [first] }) => (first?.kind === 'spawn-failed' ? [first] : []));
const descriptors = readdirSync('/proc/self/fd').length;

const [first, second, ...others] = running;
if (first === undefined || second === undefined) throw new Error('nothing runs');
const members = first.run.members().length;
first.run.signalTree('SIGTERM');
await first.over();
second.run.signalTree('SIGTERM');
await second.over();
const again = new Watched(host, ['sleep', '600']);
await again.first('spawned');
for (const { run } of [again, ...others]) run.signalTree('SIGKILL');
await Promise.all([again, ...others].map((one) => one.over()));

process.stdout.write(
  JSON.stringify({
    host: host.name,
    running: running.length,
    refused: refused.length,
    transient: refused.every(({ transient }) => transient),
    codes: [...new Set(refused.map(({ failure }) => failure.code))],
    message: refused[0]?.failure.message,
    descriptors,
    members,
  }),
);
host.close();
