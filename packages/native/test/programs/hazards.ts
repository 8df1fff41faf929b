// Calls all that the addon exports: `threads` in worker threads, some of which are ended in the midst of a call; `twice` with the addon
// loaded a second time from another file; `collected` with objects that nobody refers to; `ordinary` as whoever runs it.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { Addon, AddonEngine } from '../../src/addon.ts';
import { checkSpawn } from '../../src/check-spawn.ts';
import { addonFile, call, callAll, calls, enter, load, make } from '../hazards/calls.ts';
import { options } from './run.ts';

const names = Object.keys(calls);
const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Tells before each call which it is; the first number counts them. */
function inWorker(told: Int32Array): never {
  for (;;) {
    const place = enter(load());
    callAll(place, (at) => {
      Atomics.store(told, 1, at);
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

/** Three at a time beside the main thread; each is ended at another call, after a whole round of them all. */
async function threads(): Promise<void> {
  const ended: string[] = [];
  const one = async (at: number): Promise<void> => {
    const told = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: told });
    await reached(told, names.length + at);
    await worker.terminate();
    ended.push(names[Atomics.load(told, 1)] as string);
  };
  for (const at of [0, names.length / 2]) {
    const place = enter(load());
    const quarter = names.length / 6;
    await Promise.all([one(at), one(at + quarter), one(at + 2 * quarter), Promise.resolve(callAll(place))]);
    place.leave();
  }
  say(ended.length);
}

async function twice(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-twice-'));
  copyFileSync(addonFile(), join(folder, 'copy.node'));
  const addons = [load(), load(join(folder, 'copy.node'))];
  if (addons[0] === addons[1]) throw new Error('it was not loaded again');
  const exits = await Promise.all(addons.map((addon) => exitOf(addon)));
  for (const addon of addons) {
    const place = enter(addon);
    say(callAll(place).length);
    place.leave();
  }
  rmSync(folder, { recursive: true });
  say(exits);
}

/** Runs a program; the engine's only reference is its own. */
function exitOf(addon: Addon): Promise<number> {
  return new Promise((resolve) => {
    const exited = 2;
    const onEvents = (numbers: Float64Array): void => {
      const width = 9;
      for (let at = 0; at < numbers.length; at += width)
        if (numbers[at] === exited) resolve(numbers[at + 2] as number);
    };
    const engine: AddonEngine = new addon.Engine({ onEvents, subreaper: false, maxUnacknowledgedBytes: 1 });
    const handle = engine.submit(checkSpawn(options('/bin/sh', ['sh', '-c', 'exit 7']), () => 1024));
    engine.collect();
    engine.release(handle, true);
  });
}

async function collected(): Promise<void> {
  const addon = load();
  const exit = exitOf(addon);
  for (const name of ['Engine', 'Pump', 'Sampler'] as const) make(addon, name);
  for (let round = 0; round < 10; round++) globalThis.gc?.();
  say(await exit);
}

/** What each answers to who may not. */
function ordinary(): void {
  const place = enter(load());
  const { addon } = place;
  const startTime = addon.identify(1)?.[4] as number;
  const pidOne = Float64Array.of(1);
  const given: Readonly<Record<string, readonly unknown[]>> = {
    lookAtProcesses: [pidOne, 4, new Float64Array(), ''],
    environOf: [1, 'PATH'],
    signalProcess: [1, startTime, 0],
    limitProcess: [1, startTime, { ...(calls['limitProcess']?.(place)[2] as object), nice: -5 }],
    lockFile: ['/etc/hsu-lock', -1],
    exec: ['/root/x', ['x'], [], []],
    reservePort: [1],
    sendDatagram: ['/root/x', Buffer.from('x'), ''],
    sampleTrees: ['/root\0', Float64Array.of(0, 0), ...Array.from({ length: 5 }, () => false)],
    'Engine.protect': [-1000],
    'Engine.watch': [1, startTime],
    'Pump.open': [{ ...(calls['Pump.open']?.(place)[0] as object), fifo: '/etc/hsu-fifo' }],
    'Pump.replaceRotated': ['/root/x', 1, 2, '/root/x.gz', '.gz'],
    'Sampler.sample': [Float64Array.of(1, 1, 1), ...Array.from({ length: 5 }, () => false)],
  };
  const answers = Object.entries(given).map(([name, words]) => {
    try {
      const answer = call(place, name, words);
      if (name === 'lookAtProcesses') return [name, (answer as readonly [Float64Array])[0][9]];
      return [name, answer instanceof Float64Array ? [...answer] : (answer ?? null)];
    } catch (error) {
      return [name, (error as NodeJS.ErrnoException).errno ?? String(error)];
    }
  });
  place.leave();
  say(Object.fromEntries(answers));
  if (existsSync('/etc/hsu-lock')) throw new Error('a lock was made where it must not be');
}

if (!isMainThread) inWorker(workerData as Int32Array);
await { threads, twice, collected, ordinary }[process.argv[2] as 'threads']();
process.exit(0);
