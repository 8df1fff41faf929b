// Calls all that the addon exports: `threads` in worker threads that are ended in the midst of a call; `twice` with the addon loaded a second
// time from another file; `collected` with objects that nobody refers to. Says so in one line.
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { addonFile, call, callAll, enter, load, make, OBJECTS, type WholeAddon } from './calls.ts';

const say = (...words: readonly unknown[]): boolean => process.stdout.write(`${words.join(' ')}\n`);
const EXITED = 2;
/** Numbers of an event. */
const WIDTH = 9;

/** Tells before each call how many there were. */
function inWorker(told: Int32Array): never {
  for (;;) {
    const place = enter(load());
    callAll(place, () => {
      Atomics.add(told, 0, 1);
      Atomics.notify(told, 0);
    });
    place.leave();
  }
}

async function reached(told: Int32Array, count: number): Promise<void> {
  for (let now = Atomics.load(told, 0); now < count; now = Atomics.load(told, 0)) {
    const waited = Atomics.waitAsync(told, 0, now);
    if (waited.async) await waited.value;
  }
}

/** Each is ended at another call, after a whole round of them, while the main thread calls, too. */
async function threads(): Promise<void> {
  const place = enter(load());
  const all = callAll(place);
  const one = async (at: number): Promise<void> => {
    const told = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: told });
    await reached(told, all + at);
    await worker.terminate();
  };
  await Promise.all([3, 20, 37].map(one));
  say('threads', callAll(place) === all);
}

/** Runs a program; the engine's only reference is its own. */
function exitOf(addon: WholeAddon): Promise<number> {
  return new Promise((resolve) => {
    const engine = new addon.Engine({
      maxUnacknowledgedBytes: 1,
      onEvents(numbers) {
        for (let at = 0; at < numbers.length; at += WIDTH)
          if (numbers[at] === EXITED) resolve(numbers[at + 2] ?? -1);
      },
    });
    const creature = `${process.env['HSU_ZOO']}\\creature.exe`;
    const made = engine.spawn({
      application: creature,
      commandLine: `"${creature}" exit 7`,
      environment: `SystemRoot=${process.env['SystemRoot'] ?? ''}\0`,
      directory: 'C:\\',
      stdout: 1,
      stderr: 1,
      stdoutChannel: '',
      stderrChannel: '',
      console: 0x0800_0000,
      jobs: [],
    });
    engine.release(made[0], true, 0);
  });
}

async function twice(): Promise<void> {
  const copy = join(mkdtempSync(join(tmpdir(), 'hsu-twice-')), 'copy.node');
  copyFileSync(addonFile(), copy);
  const addons = [load(), load(copy)];
  if (addons[0] === addons[1]) throw new Error('it was not loaded again');
  const codes = await Promise.all(addons.map(exitOf));
  for (const addon of addons) callAll(enter(addon));
  say('twice', ...codes);
}

async function collected(): Promise<void> {
  const addon = load();
  const exit = exitOf(addon);
  for (const name of OBJECTS) make(addon, name);
  for (let round = 0; round < 10; round += 1) globalThis.gc?.();
  const code = await exit;
  call(enter(addon), 'Engine.createJob');
  say('collected', code);
}

if (!isMainThread) inWorker(workerData as Int32Array);
await { threads, twice, collected }[process.argv[2] as 'threads']();
process.exit(0);
