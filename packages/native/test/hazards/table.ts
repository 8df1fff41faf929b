// What each exported call of the Linux addon answers for, where it differs from call to call: a test, or why it cannot occur. What
// holds for all alike is tested by hazards.test.ts with the arguments of calls.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AddonEngine } from '../../src/addon.ts';
import { native, openBench, spawnOptions, until } from '../harness.ts';
import { noProcessLimits } from '../limits.ts';
import { make, type Place } from './calls.ts';

export type Cell = string | ((place: Place) => void | Promise<void>);

const ESRCH = 3;
const noLimits = {
  rlimits: [],
  nice: 5,
  affinity: [],
  policy: null,
  priority: 0,
  ioPriority: null,
  oomScoreAdj: null,
};
const detail = [false, false, false, false, false] as const;

/** One that has been reaped. */
async function gone(): Promise<{ pid: number; startTime: number }> {
  const child = spawn('/bin/sleep', ['60']);
  const row = native.identify(child.pid as number);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return { pid: child.pid as number, startTime: Number(row?.startTime) };
}

/** Runs the engine's call with the handle of a child that has ended; its answer. */
async function afterEnd(
  place: Place,
  given: (engine: AddonEngine, handle: number) => unknown,
): Promise<unknown> {
  let ended = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const engine = new place.addon.Engine({
    onEvents: () => ended(),
    subreaper: false,
    maxUnacknowledgedBytes: 1,
  });
  try {
    const handle = engine.submit(submittedTrue());
    engine.collect();
    engine.release(handle, false);
    await over;
    await until(() => engine.signal(handle, 0) === ESRCH, 'the child is reaped');
    return given(engine, handle);
  } finally {
    engine.close();
  }
}

const submittedTrue = () => {
  const { file, nofile: _, limits: __, groups: ___, ...rest } = spawnOptions({ file: '/bin/true' });
  return {
    ...rest,
    file,
    argv: 'true\0',
    env: '',
    cwd: '',
    umask: -1,
    uid: -1,
    gid: -1,
    setGroups: false,
    groups: [],
    stdout: 1,
    stderr: 1,
    stdoutChannel: '',
    stderrChannel: '',
    listens: [],
    nofile: 1024,
    limits: null,
  };
};

const handleOf = (name: string, answer: unknown, ...more: unknown[]): Cell => {
  return async (place) => {
    const method = name.split('.')[1] as keyof AddonEngine;
    const call = (engine: AddonEngine, handle: number) =>
      (engine[method] as (...given: unknown[]) => unknown).call(engine, handle, ...more);
    expect(await afterEnd(place, call)).toBe(answer);
  };
};

/** A process that ended between the look at it and the call. Calls that are not here name no process. */
export const goneProcess: Readonly<Record<string, Cell>> = {
  identify: async ({ addon }) => expect(addon.identify((await gone()).pid)).toBeNull(),
  lookAtProcesses: async ({ addon }) => {
    const { pid } = await gone();
    expect(addon.lookAtProcesses(Float64Array.of(pid), 63, new Float64Array(), '')[0]).toHaveLength(0);
  },
  environOf: async ({ addon }) => expect(addon.environOf((await gone()).pid, 'PATH')).toBeNull(),
  signalProcess: async ({ addon }) => {
    const { pid, startTime } = await gone();
    expect(addon.signalProcess(pid, startTime, 9)).toBe(ESRCH);
  },
  limitProcess: async ({ addon }) => {
    const { pid, startTime } = await gone();
    expect(addon.limitProcess(pid, startTime, noLimits).slice(1)).toEqual([ESRCH]);
  },
  sampleTrees: async ({ addon }) => {
    const numbers = Float64Array.of(0, 1, (await gone()).pid);
    expect([...addon.sampleTrees('/no/such\0', numbers, ...detail)]).toEqual([0, 0]);
  },
  peerCredentials: 'the system keeps them with the connection',
  'Engine.signal': handleOf('Engine.signal', ESRCH, 9),
  'Engine.signalGroup': handleOf('Engine.signalGroup', ESRCH, 9),
  'Engine.release': handleOf('Engine.release', undefined, true),
  'Engine.detachOutput': handleOf('Engine.detachOutput', undefined),
  'Engine.watch': async (place) => {
    const { pid, startTime } = await gone();
    expect(await afterEnd(place, (engine) => engine.watch(pid, startTime))).toBe(-ESRCH);
  },
  'Engine.unwatch': async (place) => {
    const twice = (engine: AddonEngine): unknown => {
      const row = native.identify(process.pid);
      const watch = engine.watch(process.pid, Number(row?.startTime));
      engine.unwatch(watch);
      return engine.unwatch(watch);
    };
    expect(await afterEnd(place, twice)).toBeUndefined();
  },
  'Sampler.enter':
    'a group whose directory is gone is entered all the same: a sample says that there is none',
  'Sampler.sample': async ({ addon }) => {
    const sampler = new addon.Sampler();
    const tree = sampler.enter('/no/such\0', Float64Array.of(0, 0));
    expect([...sampler.sample(Float64Array.of(tree, 1, (await gone()).pid), ...detail)]).toEqual([0, 0]);
    sampler.close();
  },
};

/** Another process has the number by now: the start time differs. Calls that are not here name no process. */
export const reusedPid: Readonly<Record<string, Cell>> = {
  identify: 'tells the start time along with what has the number',
  lookAtProcesses: 'tells the start time along with what has the number',
  sampleTrees: 'tells the start time along with what has the number',
  'Sampler.sample': 'tells the start time along with what has the number',
  environOf: 'a hint: whoever is found by it is signalled by number and start time',
  peerCredentials: 'tells who connected: what is decided by it is the user, which stays',
  'Engine.signal': 'by pidfd, of a child that is not reaped',
  'Engine.signalGroup': 'under the lock that reaping takes: the number of an unreaped child is its own',
  'Engine.release': 'by the socket of that child',
  'Engine.detachOutput': 'by the pipe of that child',
  'Engine.unwatch': 'by the number of the watch, which is never given again',
  signalProcess: ({ addon }) => expect(addon.signalProcess(process.pid, 1, 9)).toBe(ESRCH),
  limitProcess: ({ addon }) => expect(addon.limitProcess(process.pid, 1, noLimits).slice(1)).toEqual([ESRCH]),
  'Engine.watch': ({ addon }) => {
    const engine = make(addon, 'Engine') as AddonEngine;
    expect(engine.watch(process.pid, 1)).toBe(-ESRCH);
    engine.close();
  },
};

const EPERM = 1;
const EACCES = 13;

/**
 * What an ordinary user is answered who asks for what is root's (`ordinary` in programs/hazards.ts), errnos mostly. Calls that are not
 * here ask for nothing that takes a permission, or only of what their object has.
 */
export const refused: Readonly<Record<string, unknown>> = {
  environOf: null,
  signalProcess: EPERM,
  // Steps of launch.h: niceness, processors, scheduling.
  limitProcess: [18, EPERM, 19, EPERM, 20, EPERM],
  lockFile: EACCES,
  exec: EACCES,
  reservePort: ['bind', EACCES],
  sendDatagram: EACCES,
  // No group, no process.
  sampleTrees: [0, 0],
  'Engine.protect': EACCES,
  // Anybody may be watched.
  'Engine.watch': 1,
  'Pump.open': ['mkfifo', EACCES],
  // Told when its thread has tried: packages/native/test/pump.test.ts.
  'Pump.replaceRotated': null,
  'Sampler.sample': [0, 0],
  // Its folder.
  lookAtProcesses: -EACCES,
};

/** Its number is given back a second time, or it is called after `close`. Methods are not here: they all refuse alike. */
export const afterwards: Readonly<Record<string, Cell>> = {
  unlockFile: ({ addon, folder }) => {
    const lock = addon.lockFile(join(folder, 'lock'), -1) as number;
    addon.unlockFile(lock);
    closesNoStranger(lock, folder, () => addon.unlockFile(lock));
  },
  releasePort: ({ addon, folder }) => {
    const reservation = addon.reservePort(0)[0] as number;
    addon.releasePort(reservation);
    closesNoStranger(reservation, folder, () => addon.releasePort(reservation));
  },
};

function closesNoStranger(number: number, folder: string, again: () => void): void {
  const file = join(folder, 'stranger');
  writeFileSync(file, '');
  const opened: number[] = [];
  while (!opened.includes(number)) opened.push(openSync(file, 'r'));
  again();
  expect(statSync(`/proc/self/fd/${number}`).ino).toBe(statSync(file).ino);
}

/** A NUL in a text: what has checked arguments before refuses it. Calls that are not here take no text. */
export const nul: Readonly<Record<string, Cell>> = {
  environOf: () => refusesNul(() => native.environOf(1, 'A\0B')),
  lookAtProcesses: () => refusesNul(() => native.lookAtProcesses({ files: ['/\0'] })),
  lookupUser: () => refusesNul(() => native.lookupUser('root\0')),
  lookupGroup: () => refusesNul(() => native.lookupGroup('root\0')),
  lockFile: () => refusesNul(() => native.lockFile('/tmp\0/x')),
  exec: () => {
    refusesNul(() => native.exec('/no\0', ['x'], {}, []));
    refusesNul(() => native.exec('/no', ['x\0'], {}, []));
    refusesNul(() => native.exec('/no', ['x'], { A: '\0' }, []));
  },
  sampleTrees: () => {
    const asked = { pss: false, connections: false, pressure: false, descriptors: false, peak: false };
    refusesNul(() => native.sampleTrees([{ cgroup: '/\0', controllers: {}, pids: [] }], asked));
  },
  sendDatagram: () => {
    refusesNul(() => native.sendDatagram('/no\0', Buffer.from('x')));
    refusesNul(() => native.sendDatagram('/no', Buffer.from('x'), '/\0'));
  },
  'Engine.submit': () => {
    const { engine } = openBench();
    for (const change of [{ file: '/bin/\0' }, { argv: ['\0'] }, { env: ['\0'] }, { cwd: '/\0' }])
      refusesNul(() => engine.submit({ ...spawnOptions({ file: '/bin/true' }), ...change }));
    const limits = { ...noProcessLimits, cgroup: '/\0', makeCgroup: false, joins: [], noNewPrivs: false };
    refusesNul(() => engine.submit(spawnOptions({ file: '/bin/true', limits })));
  },
  'Pump.open': () =>
    withPump((pump) => {
      const labels = { worker: 'w', run: 1, stream: 'stdout', prefix: '' } as const;
      const sizes = { maxSize: 0, maxFiles: 0, rotateEvery: 0, overflow: 'block', format: 'plain' } as const;
      refusesNul(() => pump.open({ fifo: '/\0', file: null, ...sizes, labels }));
      refusesNul(() => pump.open({ fifo: '/x', file: '/\0', ...sizes, labels }));
    }),
  'Pump.replaceRotated': () =>
    withPump((pump) => refusesNul(() => pump.replaceRotated('/\0', 1, 1, '/x', '.gz'))),
  'Sampler.enter': () => {
    const sampler = native.openSampler();
    refusesNul(() => sampler.enter({ cgroup: '/\0', controllers: {}, pids: [] }));
    sampler.close();
  },
};

function withPump(use: (pump: ReturnType<typeof native.openPump>) => void): void {
  const pump = native.openPump({ onEvents: () => undefined, maxTappedBytes: 1 });
  use(pump);
  pump.close();
}

function refusesNul(attempt: () => unknown): void {
  expect(attempt).toThrow(TypeError);
  expect(attempt).toThrow(/NUL/);
}
