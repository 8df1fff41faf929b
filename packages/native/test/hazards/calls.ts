// Every call that the addon exports, with arguments that it answers to. Rows of the table of hazards (hazards.test.ts).
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Addon, AddonEngine, AddonPump, AddonSampler } from '../../src/addon.ts';
import { checkProcessLimits } from '../../src/check-limits.ts';
import { checkSpawn } from '../../src/check-spawn.ts';
import { noProcessLimits } from '../limits.ts';
import { options } from '../programs/run.ts';

/** The addon's file, which `@hsu-master/native` loads. */
export function addonFile(): string {
  const require = createRequire(import.meta.url);
  const build = require('node-gyp-build') as { path(folder: string): string };
  return build.path(dirname(require.resolve('@hsu-master/native-linux/package.json')));
}

export const load = (file = addonFile()): Addon => createRequire(import.meta.url)(file) as Addon;

const objects = ['Engine', 'Pump', 'Sampler'] as const;
type ObjectName = (typeof objects)[number];

/** Each export by its name, each method as `Engine.submit`, each constructor as `new Engine`. */
export function exportsOf(addon: Addon): string[] {
  return Object.keys(addon).flatMap((name) => {
    if (!objects.includes(name as ObjectName)) return [name];
    const methods = Object.getOwnPropertyNames(addon[name as ObjectName].prototype);
    return [`new ${name}`, ...methods.filter((one) => one !== 'constructor').map((one) => `${name}.${one}`)];
  });
}

/** Where calls are made: objects are made anew for each. */
export interface Place {
  readonly addon: Addon;
  readonly folder: string;
  leave(): void;
}

export function enter(addon: Addon): Place {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-hazards-'));
  return { addon, folder, leave: () => rmSync(folder, { recursive: true, force: true }) };
}

const nothing = (): void => undefined;
const engineOptions = { onEvents: nothing, subreaper: false, maxUnacknowledgedBytes: 1 };
const pumpOptions = { onEvents: nothing, maxTappedBytes: 1 };

/** What a method is called on; null of other calls. */
export function subjectOf(addon: Addon, name: string): ReturnType<typeof make> | null {
  const [first, method] = name.split('.');
  return method === undefined ? null : make(addon, first as ObjectName);
}

export function make(addon: Addon, name: ObjectName): AddonEngine | AddonPump | AddonSampler {
  if (name === 'Engine') return new addon.Engine(engineOptions);
  return name === 'Pump' ? new addon.Pump(pumpOptions) : new addon.Sampler();
}

const program = options('/bin/true', ['true'], {
  cwd: '/',
  groups: [0],
  listens: [{ address: '127.0.0.1', port: 1 }],
  stdout: { fifo: '/no/such' },
  limits: {
    ...noProcessLimits,
    rlimits: [{ resource: 4, soft: 0, hard: 0 }],
    affinity: [0],
    scheduler: { policy: 0, priority: 0 },
    cgroup: '/no/such',
    makeCgroup: false,
    joins: ['/no/such'],
    noNewPrivs: true,
  },
});
const limited = { ...noProcessLimits, affinity: [0], scheduler: { policy: 0, priority: 0 } };
const submitted = checkSpawn(program, () => 1024);
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
/** One tree: a directory, no controller, one process. */
const tree = ['/no/such\0', Float64Array.of(0, 1, process.pid)] as const;
const detail = [false, false, false, false, false] as const;

type Arguments = (place: Place) => readonly unknown[];
const none: Arguments = () => [];
const handle: Arguments = () => [1];

/** By name what each is given. */
export const calls: Readonly<Record<string, Arguments>> = {
  identify: () => [process.pid],
  processTable: none,
  lookAtProcesses: () => [Float64Array.of(process.pid), 31, Float64Array.of(6, 80), '/no/such\0'],
  bootId: none,
  environOf: () => [process.pid, 'PATH'],
  signalProcess: () => [process.pid, 1, 0],
  limitProcess: () => [process.pid, 1, checkProcessLimits(limited)],
  orphans: none,
  lookupUser: () => ['root'],
  lookupGroup: () => ['root'],
  lockFile: ({ folder }) => [join(folder, 'lock'), -1],
  exec: () => ['/no/such', ['x'], ['A=1'], []],
  unlockFile: ({ addon, folder }) => [addon.lockFile(join(folder, 'other'), -1)],
  reservePort: () => [0],
  releasePort: ({ addon }) => [addon.reservePort(0)[0]],
  sampleTrees: () => [...tree, ...detail],
  sendDatagram: () => ['/no/such', Buffer.from('x'), ''],
  peerCredentials: () => [0],
  trimMemory: none,
  probe: none,
  'new Engine': () => [engineOptions],
  'Engine.submit': () => [submitted],
  'Engine.collect': none,
  'Engine.release': () => [1, false],
  'Engine.signal': () => [1, 0],
  'Engine.signalGroup': () => [1, 0],
  'Engine.protect': () => [0],
  'Engine.watch': () => [process.pid, 1],
  'Engine.unwatch': handle,
  'Engine.reapInherited': none,
  'Engine.rest': none,
  'Engine.detachOutput': handle,
  'Engine.acknowledge': () => [1],
  'Engine.close': none,
  'new Pump': () => [pumpOptions],
  'Pump.open': ({ folder }) => [channel(folder)],
  'Pump.discard': handle,
  'Pump.letGo': handle,
  'Pump.forget': handle,
  'Pump.counts': handle,
  'Pump.tail': handle,
  'Pump.tap': () => [1, 1],
  'Pump.acknowledge': () => [1],
  'Pump.replaceRotated': () => ['/no/such', 1, 2, '/no/such.gz', '.gz'],
  'Pump.carryOn': none,
  'Pump.stop': none,
  'Pump.close': none,
  'new Sampler': none,
  'Sampler.enter': () => [...tree],
  'Sampler.leave': handle,
  'Sampler.sample': () => [Float64Array.of(1, 1, process.pid), ...detail],
  'Sampler.newcomers': none,
  'Sampler.close': none,
};

type Callable = (...given: unknown[]) => unknown;
type Constructor = new (...given: unknown[]) => { close(): void };

/** What it answers; it may throw. Without `object`, which it is a method of, one is made for it and closed. */
export function call(
  { addon }: Place,
  name: string,
  given: readonly unknown[],
  object: ReturnType<typeof make> | null = null,
): unknown {
  if (name.startsWith('new ')) {
    const made = new (addon[name.slice(4) as ObjectName] as unknown as Constructor)(...given);
    return made.close();
  }
  const [first = '', method] = name.split('.');
  if (method === undefined) {
    const answer = (addon as unknown as Record<string, Callable>)[first]?.(...given);
    if (name === 'lockFile' && typeof answer === 'number') addon.unlockFile(answer);
    const [reservation] = name === 'reservePort' ? (answer as [number | string]) : [];
    if (typeof reservation === 'number') addon.releasePort(reservation);
    return answer;
  }
  const subject = object ?? make(addon, first as ObjectName);
  try {
    return (subject as unknown as Record<string, Callable>)[method]?.(...given);
  } finally {
    if (object === null) subject.close();
  }
}

/** Calls them all; what the system refuses is an answer, too. The names of those that answered. */
export function callAll(place: Place, before: (at: number) => void = nothing): string[] {
  return Object.entries(calls).map(([name, given], at) => {
    before(at);
    try {
      call(place, name, given(place));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === undefined) throw error;
    }
    return name;
  });
}
