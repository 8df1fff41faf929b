import type { Milliseconds } from '@hsu-master/core';
import { commandLine, loadNative, type WindowsSystem } from '@hsu-master/native';
import type { Manager, Step } from './manager.ts';
import type { ServiceSpec } from './unit-file.ts';
import { SERVICE_VARIABLE } from './windows-service.ts';

/** Between two looks at a service that is to stop. */
const LOOK: Milliseconds = 200;
/** More than any master takes that was not told otherwise. */
const STOP: Milliseconds = 120_000;

const NOT_INSTALLED = 'not installed';

/** Whether this process may make services of the machine. */
export function mayManageServices(): boolean {
  const loaded = loadNative();
  return loaded.ok && loaded.windows !== null && loaded.windows.system.mayInstallServices();
}

/** A service of Windows. A text says why there is none here. */
export function windowsManager(spec: ServiceSpec): Manager | string {
  if (spec.scope === 'user')
    return 'Windows has no services of a user; without --user it is one of the machine';
  const loaded = loadNative();
  if (!loaded.ok || loaded.windows === null)
    return `services of Windows take the addon: ${loaded.ok ? 'this is not Windows' : loaded.reason}`;
  const { system } = loaded.windows;
  const line = commandLine(spec.argv);
  if (!line.ok) return line.reason;
  const settings = {
    name: spec.name,
    title: `HSU Master: ${spec.configFile}`,
    description: 'Keeps native programs running: dependency order, health, restarts, logs.',
    commandLine: line.line,
    environment: Object.entries({ ...spec.environment, [SERVICE_VARIABLE]: spec.name }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    stopTimeout: spec.stopTimeout,
  };
  const step = (says: string, act: () => string | null): Step => ({ says, act });
  return {
    name: spec.name,
    file: `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${spec.name}`,
    content: [
      `DisplayName    ${settings.title}`,
      `ImagePath      ${settings.commandLine}`,
      ...settings.environment.map((one) => `Environment    ${one}`),
      'Start          automatic, again after a crash',
      `Preshutdown    ${Math.ceil(spec.stopTimeout / 1000)} s for an ordered stop`,
      '',
    ].join('\n'),
    install: [
      step(`make the service ${spec.name}`, () => system.installService(settings)),
      step(`start the service ${spec.name}`, () => system.startService(spec.name)),
    ],
    uninstall: [
      step(`stop the service ${spec.name}`, () => stop(system, spec.name)),
      step(`remove the service ${spec.name}`, () => system.uninstallService(spec.name)),
    ],
    status: () => statusOf(system, spec.name),
    hint: () => null,
  };
}

function statusOf(system: WindowsSystem, name: string): ReturnType<Manager['status']> {
  const found = system.queryService(name);
  if (found === null) return { state: NOT_INSTALLED, details: {} };
  if (typeof found === 'string') return { state: 'unknown', details: { reason: found } };
  const details = {
    substate: found.state,
    pid: String(found.pid),
    boot: found.startsWithMachine ? 'automatic' : 'not automatic',
    ...(found.state === 'stopped' ? { 'exit code': String(found.exitCode) } : {}),
  };
  return { state: found.state === 'running' ? 'active' : found.state, details };
}

/** Waits for its end: it cannot be removed while it runs. */
function stop(system: WindowsSystem, name: string): string | null {
  const isOver = (): boolean => {
    const found = system.queryService(name);
    return found === null || (typeof found === 'object' && found.state === 'stopped');
  };
  if (isOver()) return null;
  const failure = system.stopService(name);
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < STOP; waited += LOOK) {
    if (isOver()) return null;
    Atomics.wait(clock, 0, 0, LOOK);
  }
  return failure ?? `it has not stopped after ${STOP / 1000} s`;
}
