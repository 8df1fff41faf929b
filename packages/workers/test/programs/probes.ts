// A12: a thousand exec probes, some of which leave children behind; no zombie and no survivor.
import { loadNative } from '@hsu-master/native';
import { createNativeHost } from '../../src/host/native.ts';
import { realClock } from '../../src/real-clock.ts';
import { commandOf, newMark } from '../host-watch.ts';

const loaded = loadNative({});
if (!loaded.ok) throw new Error(loaded.reason);
const { native } = loaded;
const host = createNativeHost(native, { environment: process.env, reapOrphans: true, clock: realClock() });

const COUNT = 1000;
const answers = new Map<string, number>();
let next = 0;
async function probeOn(): Promise<void> {
  while (next < COUNT) {
    next += 1;
    const leaves = next % 50 === 0;
    const argv = leaves ? ['/bin/sh', '-c', '(setsid sleep 600 &) ; exit 3'] : ['/bin/true'];
    const request = { command: commandOf(argv), mark: newMark(), timeout: 30_000, maxOutput: 100 };
    const outcome = await host.exec(request).outcome;
    const answer = outcome.kind === 'exited' ? `exit ${outcome.exit.code}` : outcome.kind;
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
}
await Promise.all(Array.from({ length: 8 }, probeOn));

const mine = () => native.processTable().filter(({ ppid }) => ppid === process.pid);
const deadline = Date.now() + 10_000;
while (mine().length > 0 && Date.now() < deadline)
  await new Promise((resolve) => void setTimeout(resolve, 20));
process.stdout.write(
  JSON.stringify({ answers: Object.fromEntries(answers), left: mine(), strays: host.strays().length }),
);
host.close();
