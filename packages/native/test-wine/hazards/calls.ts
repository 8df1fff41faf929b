// Every call that the Windows addon exports, with arguments that it answers to. Rows of the table of hazards (table.test.ts).
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Addon, AddonPump } from '../../src/addon.ts';
import type { WindowsAddon, WindowsAddonEngine } from '../../src/windows/addon.ts';
import type { WindowsSystemAddon } from '../../src/windows/system.ts';

export type WholeAddon = WindowsAddon & WindowsSystemAddon & Pick<Addon, 'Pump' | 'lockFile' | 'unlockFile'>;
type ControlPipe = InstanceType<WindowsSystemAddon['ControlPipe']>;

const require = createRequire(import.meta.url);

export function addonFile(): string {
  const gyp = require('node-gyp-build') as { path(folder: string): string };
  return gyp.path(dirname(require.resolve('@hsu-master/native-windows/package.json')));
}

export const load = (file = addonFile()): WholeAddon => require(file) as WholeAddon;

export const OBJECTS = ['Engine', 'Pump', 'ControlPipe'] as const;
export type ObjectName = (typeof OBJECTS)[number];
export type Made = WindowsAddonEngine & AddonPump & ControlPipe;

/** Each export by its name, each method as `Engine.spawn`, each constructor as `new Engine`. */
export function exportsOf(addon: WholeAddon): string[] {
  return Object.keys(addon).flatMap((name) => {
    if (!OBJECTS.includes(name as ObjectName)) return [name];
    const methods = Object.getOwnPropertyNames(addon[name as ObjectName].prototype);
    return [`new ${name}`, ...methods.filter((one) => one !== 'constructor').map((one) => `${name}.${one}`)];
  });
}

/** Where calls are made: objects are made anew for each. */
export interface Place {
  readonly addon: WholeAddon;
  readonly folder: string;
  leave(): void;
}

export function enter(addon: WholeAddon): Place {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-hazards-'));
  const leave = (): void => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // What the thread of a pump still holds goes with the run of the tests.
    }
  };
  return { addon, folder, leave };
}

const nothing = (): void => undefined;
let pipes = 0;
const constructed: Readonly<Record<ObjectName, () => readonly unknown[]>> = {
  Engine: () => [{ onEvents: nothing, maxUnacknowledgedBytes: 1 }],
  Pump: () => [{ onEvents: nothing, maxTappedBytes: 1 }],
  ControlPipe: () => {
    pipes += 1;
    return [
      `\\\\.\\pipe\\hsu-hazards-${process.pid}-${Math.random().toString(36).slice(2)}-${pipes}`,
      nothing,
    ];
  },
};

export function make(addon: WholeAddon, name: ObjectName): Made {
  return new (addon[name] as unknown as new (...given: readonly unknown[]) => Made)(...constructed[name]());
}

/** A number that no process has. */
export const NOBODY = 0x7fff_fffc;
const creature = `${process.env['HSU_ZOO']}\\creature.exe`;
const spawned = (jobs: readonly number[]) => ({
  application: creature,
  commandLine: `"${creature}" exit 7`,
  environment: `SystemRoot=${process.env['SystemRoot'] ?? ''}\0`,
  directory: 'C:\\',
  stdout: 1,
  stderr: 1,
  stdoutChannel: '',
  stderrChannel: '',
  console: 0x0800_0000,
  jobs,
});
const limits = {
  flags: 8,
  processTime: 0,
  jobTime: 0,
  leastWorkingSet: 0,
  mostWorkingSet: 0,
  activeProcesses: 9,
  priorityClass: 32,
  schedulingClass: 0,
  affinityLow: 0,
  affinityHigh: 0,
  processMemory: 0,
  jobMemory: 0,
};
const channel = (folder: string) => ({
  fifo: join(folder, 'fifo'),
  file: join(folder, 'log'),
  maxSize: 0,
  maxFiles: 0,
  rotateEvery: 0,
  overflow: 0,
  format: 0,
  worker: 'w',
  run: 1,
  stream: 'stdout',
  prefix: '',
});
const service = {
  name: 'no/name',
  title: 'x',
  description: 'x',
  commandLine: 'x',
  environment: ['A=1'],
  stopTimeout: 1,
};

type Arguments = (place: Place, object: Made) => readonly unknown[];
const none: Arguments = () => [];
const handle: Arguments = () => [1];
const job = (engine: Made): number => engine.createJob('') as number;

/** By name what each is given. */
export const calls: Readonly<Record<string, Arguments>> = {
  processTable: none,
  identify: () => [process.pid],
  look: () => [process.pid, 31],
  listeners: none,
  connections: none,
  terminate: () => [NOBODY, 1, 1],
  suspend: () => [NOBODY, 1, true],
  mayEnd: () => [process.pid, 1],
  closeWindows: () => [[NOBODY]],
  consolePids: none,
  repairConsole: () => [NOBODY],
  enablePrivilege: () => ['SeNoSuchPrivilege'],
  bootId: none,
  system: none,
  lockFile: ({ folder }) => [join(folder, 'lock')],
  unlockFile: () => [NOBODY],
  installService: () => [service],
  mayInstallServices: none,
  uninstallService: () => ['hsu-no-such'],
  startService: () => ['hsu-no-such'],
  stopService: () => ['hsu-no-such'],
  queryService: () => ['hsu-no-such'],
  beginService: () => [nothing],
  serviceRunning: none,
  serviceStopping: () => [1],
  serviceStopped: () => [0],
  watchSession: () => [nothing],
  sessionDone: none,
  visibleWindows: () => [[NOBODY]],
  'new Engine': constructed.Engine,
  'Engine.createJob': () => [''],
  'Engine.openJob': () => ['Local\\hsu-no-such'],
  'Engine.closeJob': handle,
  'Engine.limitJob': (_, engine) => [job(engine), limits],
  'Engine.limitJobCpu': (_, engine) => [job(engine), 0, 0],
  'Engine.limitJobUi': (_, engine) => [job(engine), 0],
  'Engine.limitJobNetwork': (_, engine) => [job(engine), 0],
  'Engine.assign': (_, engine) => [job(engine), NOBODY, 1],
  'Engine.parkJob': (_, engine) => [job(engine), NOBODY, 1],
  'Engine.terminateJob': (_, engine) => [job(engine), 1],
  'Engine.jobPids': (_, engine) => [job(engine)],
  'Engine.jobUsage': (_, engine) => [job(engine)],
  'Engine.spawn': (_, engine) => [spawned([job(engine)])],
  'Engine.release': () => [1, true, 0],
  'Engine.terminate': () => [1, 0],
  'Engine.watch': () => [process.pid, 1],
  'Engine.unwatch': handle,
  'Engine.detachOutput': handle,
  'Engine.acknowledge': () => [0],
  'Engine.close': none,
  'new Pump': constructed.Pump,
  'Pump.open': ({ folder }) => [channel(folder)],
  'Pump.discard': handle,
  'Pump.letGo': handle,
  'Pump.forget': handle,
  'Pump.counts': handle,
  'Pump.tail': handle,
  'Pump.tap': () => [1, 1],
  'Pump.acknowledge': () => [0],
  'Pump.replaceRotated': ({ folder }) => [join(folder, 'x'), 1, 1, join(folder, 'y'), '.gz'],
  'Pump.carryOn': none,
  'Pump.stop': none,
  'Pump.close': none,
  'new ControlPipe': constructed.ControlPipe,
  'ControlPipe.security': none,
  'ControlPipe.close': none,
};

/** Wine finds out after ten seconds that a process is no service. */
export const SLOW: ReadonlySet<string> = new Set(['beginService']);

type Callable = (...given: readonly unknown[]) => unknown;

/** What it answers; it may throw. `change`: what of its arguments differs. What was made for it is gone afterwards. */
export function call(place: Place, name: string, change = (given: readonly unknown[]) => given): unknown {
  const { addon } = place;
  const given = calls[name] ?? none;
  const [first = '', method] = name.split('.');
  if (name.startsWith('new ')) {
    const Object = addon[name.slice(4) as ObjectName] as unknown as new (
      ...given: readonly unknown[]
    ) => Made;
    return new Object(...change(given(place, {} as Made))).close();
  }
  if (method === undefined) {
    const answer = (addon as unknown as Record<string, Callable>)[first]?.(
      ...change(given(place, {} as Made)),
    );
    if (name === 'lockFile' && typeof answer === 'number') addon.unlockFile(answer);
    if (name === 'watchSession') addon.sessionDone();
    return answer;
  }
  const object = make(addon, first as ObjectName);
  try {
    return (object as unknown as Record<string, Callable>)[method]?.(...change(given(place, object)));
  } finally {
    object.close();
  }
}

/** Calls them all but the slow ones; what the system refuses is an answer, too. How many answered. */
export function callAll(place: Place, before: (at: number) => void = nothing): number {
  const names = Object.keys(calls).filter((name) => !SLOW.has(name));
  for (const [at, name] of names.entries()) {
    before(at);
    try {
      call(place, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    }
  }
  return names.length;
}
