// A master on a console of its own that its workers share: three of them come and go, the last lives until the master hears Ctrl-C. Tells on
// each line what it has seen.
import { loadNative } from '@hsu-master/native';
import { createWindowsHost } from '../src/host/windows/host.ts';
import { realClock } from '../src/real-clock.ts';
import { commandOf, Watched } from './watched.ts';

const loaded = loadNative({});
if (!loaded.ok || loaded.windows === null) throw new Error(loaded.ok ? 'no Windows' : loaded.reason);
const { native, windows } = loaded;
const options = { environment: process.env, clock: realClock(), console: 'shared' } as const;
const host = createWindowsHost(native, windows, options);
const say = (...words: readonly unknown[]): boolean => process.stdout.write(`${words.join(' ')}\n`);

async function start(): Promise<Watched> {
  const creature = `${process.env['HSU_ZOO']}\\creature.exe`;
  const watched = new Watched(host, commandOf([creature, 'print', 'up', 'sleep']));
  await watched.says('up');
  const { pid } = await watched.spawned();
  say('shares', windows.consolePids().has(pid) && windows.consolePids().has(process.pid));
  return watched;
}

for (let round = 1; round <= 3; round += 1) {
  const { run, over } = await start().then((one) => ({ run: one.run, over: one.over() }));
  run.signalTree('SIGKILL');
  await over;
}
const last = await start();
process.once('SIGINT', () => {
  say('Ctrl-C, its workers:', last.run.members().length);
  last.run.signalTree('SIGKILL');
  void last.over().then(() => {
    say('on its console:', windows.consolePids().size);
    host.close();
    process.exit(0);
  });
});
say('ready');
setInterval(() => {}, 1000);
