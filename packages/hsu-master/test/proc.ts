import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { addonOfWindows, onWindows, processesOfWindows } from './windows.ts';

/** A living process. */
export interface Found {
  readonly pid: number;
  readonly command: string;
}

/** Living processes that name a folder in their environment, command line, working directory or open files. */
export function processesOf(folder: string): readonly Found[] {
  if (onWindows) return processesOfWindows(folder);
  return pids()
    .filter((pid) => pid !== process.pid && isAlive(pid) && knows(pid, folder))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

/** Whether a process runs; one that has ended and was not reaped does not. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== null && state !== 'Z' && state !== 'X';
}

/** R, S, D, T, Z …; null where there is no such process. */
export function stateOf(pid: number): string | null {
  if (onWindows) return addonOfWindows().native.identify(pid)?.state ?? null;
  const text = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return text === null ? null : (text.slice(text.lastIndexOf(')') + 2)[0] ?? null);
}

/** Living children. */
export function childrenOf(pid: number): readonly number[] {
  return allChildrenOf(pid).filter(isAlive);
}

/** Children that have ended and were not reaped. */
export function defunctChildrenOf(pid: number): readonly number[] {
  return allChildrenOf(pid).filter((child) => stateOf(child) === 'Z');
}

function allChildrenOf(pid: number): readonly number[] {
  return pids().filter((child) => {
    const text = quietly(() => readFileSync(`/proc/${child}/stat`, 'latin1')) ?? '';
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) === pid;
  });
}

/** Open descriptors of a process and what each leads to. */
export function descriptorsOf(pid: number): ReadonlyMap<number, string> {
  const folder = `/proc/${pid}/fd`;
  const names = quietly(() => readdirSync(folder)) ?? [];
  return new Map(names.map((name) => [Number(name), quietly(() => readlinkSync(`${folder}/${name}`)) ?? '']));
}

/** Processor time that a process has used so far, in milliseconds. */
export function cpuTimeOf(pid: number): number {
  if (onWindows) {
    const found = addonOfWindows()
      .windows.processes()
      .find((one) => one.pid === pid);
    return (found?.userMs ?? Number.NaN) + (found?.kernelMs ?? 0);
  }
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc(5), in ticks of a hundredth of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandOf(pid: number): string {
  return (quietly(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').replaceAll('\0', ' ').trim();
}

function knows(pid: number, folder: string): boolean {
  const read = (name: string) => quietly(() => readFileSync(`/proc/${pid}/${name}`, 'latin1')) ?? '';
  const cwd = quietly(() => readlinkSync(`/proc/${pid}/cwd`)) ?? '';
  if (cwd === folder || cwd.startsWith(`${folder}/`)) return true;
  if (read('environ').includes(folder) || read('cmdline').includes(folder)) return true;
  return [...descriptorsOf(pid).values()].some((target) => target.startsWith(folder));
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
