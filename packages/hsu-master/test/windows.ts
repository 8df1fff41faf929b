import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { loadNative } from '@hsu-master/native';
import type { Found } from './proc.ts';

export const onWindows = process.platform === 'win32';

const loaded = onWindows ? loadNative() : null;

/** The addon for Windows. @throws elsewhere */
export function addonOfWindows() {
  if (!loaded?.ok || loaded.windows === null) throw new Error('no addon for Windows');
  return { native: loaded.native, windows: loaded.windows };
}

/** For a test’s `skip`: what Windows has no way to do. */
export const ofWindows = (reason: string): [boolean, string] => [onWindows, `not on Windows: ${reason}`];

/** What Wine cannot show. */
export const ofWine = (reason: string): [boolean, string] => [
  onWindows && addonOfWindows().windows.features.isWine,
  `Wine: ${reason}`,
];

/** Programs of the system that whoever needs them first starts, with its environment, and that stay. */
const OF_SYSTEM = /^(?:conhost|explorer|services|svchost|plugplay|rpcss|winedevice|tabtip)\.exe$/i;

/** Living processes that name a folder, whose own name is like no other, in their arguments, environment or working directory. */
export function processesOfWindows(folder: string): readonly Found[] {
  const mark = basename(folder);
  const { processes } = addonOfWindows().native.lookAtProcesses({ argv: true, cwd: true, environment: true });
  return processes.flatMap(({ pid, state, argv, cwd, environment, name }) => {
    if (pid === process.pid || state === 'Z' || state === 'X' || OF_SYSTEM.test(name)) return [];
    const texts = [...(argv ?? []), cwd ?? '', ...(environment?.values() ?? [])];
    if (!texts.some((text) => text.includes(mark))) return [];
    return [{ pid, command: (argv ?? [name]).join(' ') }];
  });
}

/** Ctrl-C on the console of a process. */
export async function interrupt(pid: number): Promise<void> {
  const { native, windows } = addonOfWindows();
  const startTime = native.identify(pid)?.startTime;
  if (startTime === undefined) return;
  const relay = spawn(windows.relay ?? '', ['0', `${pid}:${startTime}`], { windowsHide: true });
  await once(relay, 'close');
}
