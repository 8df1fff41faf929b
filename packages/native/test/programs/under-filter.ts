import { openSync, readdirSync, readFileSync } from 'node:fs';
import { loadNative, type NativeEvent } from '../../src/index.ts';
import { options } from './run.ts';

const loaded = loadNative();
if (!loaded.ok) {
  process.stdout.write(`${loaded.reason}\n`);
  process.exit();
}
const events: NativeEvent[] = [];
let told = (): void => undefined;
const engine = loaded.native.openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1 << 20,
  onEvents(batch) {
    events.push(...batch);
    told();
  },
});

/** Waits for an event of that handle. */
async function event<T extends NativeEvent['type']>(handle: number, type: T) {
  for (;;) {
    const found = events.find((each) => each.type === type && 'handle' in each && each.handle === handle);
    if (found) return found as Extract<NativeEvent, { type: T }>;
    await new Promise<void>((resolve) => {
      told = resolve;
    });
  }
}

function start(file: string, argv: string[], captured = true): { handle: number; pid: number } {
  const stream = captured ? 'capture' : 'null';
  const result = engine.spawn(options(file, argv, { stdout: stream, stderr: stream }));
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

process.stdout.write(''); // Node opens a descriptor for that
openSync('/dev/null', 'r'); // one more to leak
const before = readdirSync('/proc/self/fd').length;
const waiting = start('/bin/true', ['true']);
const sleeper = start('/bin/sh', ['sh', '-c', 'kill -STOP $$; sleep 60']);
engine.release(sleeper.handle, true);
await event(sleeper.handle, 'execed');
// Stopped by itself it has its libraries loaded, which it opens as further descriptors for a moment.
while (!/^State:\tT/m.test(readFileSync(`/proc/${sleeper.pid}/status`, 'utf8'))) {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
process.stdout.write(`child has ${readdirSync(`/proc/${sleeper.pid}/fd`).join(' ')}\n`);
engine.signal(sleeper.handle, 9);
await event(sleeper.handle, 'exited');
await event(sleeper.handle, 'output-end');

const missing = start('/no/such/program', ['x'], false);
engine.release(missing.handle, true);
const failed = await event(missing.handle, 'exec-failed');
engine.release(waiting.handle, false);
const left = await event(waiting.handle, 'exec-failed');
while (events.filter((each) => each.type === 'output-end').length < 4) {
  await new Promise<void>((resolve) => {
    told = resolve;
  });
}
// The capture thread brings an epoll and an eventfd of its own.
process.stdout.write(`master leaks ${readdirSync('/proc/self/fd').length - before - 2}\n`);
process.stdout.write(`no-such-program ${failed.failure.code}\n`);
if (left.failure.code === 'ECANCELED') process.stdout.write('sibling left its gate\n');
engine.close();
