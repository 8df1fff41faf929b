import { readdirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { LimitName } from '@hsu-master/core';
import { inheritCpuset } from './acquire.ts';
import { type Crowd, readCrowd } from './crowd.ts';
import type { Controller1, GroupPlan } from './facilities.ts';
import {
  type Errno,
  makeDirectory,
  readNumbers,
  readPids,
  readText,
  removeDirectory,
  writeText,
} from './files.ts';

/** How often a freezing v1 group is asked whether it is frozen, before it is taken as it is. */
const FREEZER_LOOKS = 50;

/** A charge that was refused may have been larger than a page. */
const FULL = 0.99;

/** The directories of one group: one in the v2 tree, and in v1 one for each controller or set of joined ones. */
export class Group {
  /** Its path below the bases, the same in all trees. */
  readonly path: string;
  readonly unified: string | null;
  readonly #controllers: Map<Controller1, string>;

  constructor(path: string, unified: string | null, controllers: ReadonlyMap<Controller1, string>) {
    this.path = path;
    this.unified = unified;
    this.#controllers = new Map(controllers);
  }

  get controllers(): ReadonlyMap<Controller1, string> {
    return this.#controllers;
  }

  /**
   * Where a child enters by itself: joined controllers share a directory. Through `tasks`, as it has one thread yet: through
   * cgroup.procs older kernels take a lock over all processes, which can last milliseconds for each (seen with Linux 6.1).
   */
  get joins(): readonly string[] {
    return [...new Set(this.#controllers.values())].map((directory) => posix.join(directory, 'tasks'));
  }

  get directories(): readonly string[] {
    const all = new Set(this.#controllers.values());
    return this.unified === null ? [...all] : [this.unified, ...all];
  }

  /** Members of it and of all groups below it. */
  pids(): readonly number[] {
    const pids = this.directories.flatMap(membersBelow);
    return this.directories.length === 1 ? pids : [...new Set(pids)];
  }

  isPopulated(): boolean {
    const { unified } = this;
    if (unified !== null && readNumbers(posix.join(unified, 'cgroup.events')).get('populated') === 1)
      return true;
    return [...new Set(this.#controllers.values())].some((directory) => membersBelow(directory).length > 0);
  }

  /** Kills all members at once. false: the system does not do that, or some of them are in v1 groups alone. */
  kill(): boolean {
    if (this.unified === null) return false;
    const killed = writeText(posix.join(this.unified, 'cgroup.kill'), '1') === null;
    return killed && this.#controllers.size === 0;
  }

  /** Stops or resumes all members at once; false where no freezer is there. */
  freeze(frozen: boolean): boolean {
    const { unified } = this;
    if (unified !== null && writeText(posix.join(unified, 'cgroup.freeze'), frozen ? '1' : '0') === null)
      return true;
    const freezer = this.#controllers.get('freezer');
    if (freezer === undefined) return false;
    const file = posix.join(freezer, 'freezer.state');
    if (writeText(file, frozen ? 'FROZEN' : 'THAWED') !== null) return false;
    if (!frozen) return true;
    for (let looks = 0; looks < FREEZER_LOOKS; looks += 1) if (readText(file) === 'FROZEN') break;
    return true;
  }

  /** Writes in the given order; what failed once is tried again after the rest, since some files bound each other. */
  write({ writes2, writes1 }: GroupPlan): ReadonlyMap<LimitName, string> {
    const places = [
      ...writes2.map((write) => ({ write, directory: this.unified })),
      ...writes1.map((write) => ({
        write,
        directory: this.#controllers.get(write.controller as Controller1) ?? null,
      })),
    ];
    const put = ({ write: { file, value }, directory }: (typeof places)[number]): Errno =>
      directory === null ? 'ENOENT' : writeText(posix.join(directory, file), value);
    const refusals = new Map<LimitName, string>();
    for (const place of places.filter((one) => put(one) !== null)) {
      const { limits, file, value } = place.write;
      const refused = put(place);
      if (refused === null) continue;
      for (const limit of limits) refusals.set(limit, `${file} does not take ${value}: ${refused}`);
    }
    return refusals;
  }

  /** Adds the directory of a controller that it had none of, and brings its members there. */
  add(controller: Controller1, directory: string): void {
    this.#controllers.set(controller, directory);
    const procs = posix.join(directory, 'cgroup.procs');
    for (let round = 0; round < 8; round += 1) {
      const inside = new Set(membersBelow(directory));
      const outside = this.pids().filter((pid) => !inside.has(pid));
      if (outside.length === 0) return;
      for (const pid of outside) writeText(procs, String(pid));
    }
  }

  /** Takes note of the directory of a controller that somebody below it has made and entered. */
  know(controller: Controller1, directory: string): void {
    if (!this.#controllers.has(controller)) this.#controllers.set(controller, directory);
  }

  /** Processes of it that the kernel has killed for want of memory; null where nobody counts them. */
  oomKills(): number | null {
    if (this.unified !== null) {
      const kills = readNumbers(posix.join(this.unified, 'memory.events')).get('oom_kill');
      if (kills !== undefined) return kills;
    }
    const memory = this.#controllers.get('memory');
    return memory === undefined
      ? null
      : (readNumbers(posix.join(memory, 'memory.oom_control')).get('oom_kill') ?? null);
  }

  /** How many processes and threads it has, may have and was refused; null where nobody counts them. */
  crowd(): Crowd | null {
    const pids = this.#controllers.get('pids');
    const unified = this.unified === null ? null : readCrowd(this.unified);
    return unified ?? (pids === undefined ? null : readCrowd(pids));
  }

  /** Whether memory was refused at its own limit. */
  memoryRefused(): boolean {
    if (this.unified !== null) {
      const oom = readNumbers(posix.join(this.unified, 'memory.events')).get('oom');
      if (oom !== undefined) return oom > 0;
    }
    const memory = this.#controllers.get('memory');
    // Where both limits are the same the kernel counts no failure.
    return memory !== undefined && ['memory', 'memory.memsw'].some((prefix) => isFull(memory, prefix));
  }

  /** Removes its directories where there is nothing in them. */
  removeIfAlone(): void {
    for (const directory of this.directories) removeDirectory(directory);
  }

  /** Removes its directories and all below them. Returns what stands in the way: members, or zombies that nobody has reaped. */
  remove(): Errno {
    let refused: Errno = null;
    for (const directory of this.directories) refused = removeBelow(directory) ?? refused;
    return refused;
  }
}

function isFull(directory: string, prefix: string): boolean {
  const number = (file: string) => Number(readText(posix.join(directory, `${prefix}.${file}`)) ?? 0);
  return number('failcnt') > 0 || number('max_usage_in_bytes') >= number('limit_in_bytes') * FULL;
}

/** Makes the directory of a group, entered by nobody yet. `EEXIST` is passed on. */
export function makeGroupDirectory(directory: string, controller: Controller1 | null): Errno {
  const refused = makeDirectory(directory);
  if (refused === null && controller === 'cpuset') inheritCpuset(posix.dirname(directory), directory);
  return refused;
}

/** Members of a cgroup and of all below it. */
export function membersBelow(directory: string): number[] {
  const own = readPids(posix.join(directory, 'cgroup.procs'));
  return [...own, ...subdirectories(directory).flatMap(membersBelow)];
}

export function removeBelow(directory: string): Errno {
  let refused: Errno = null;
  for (const below of subdirectories(directory)) refused = removeBelow(below) ?? refused;
  const own = removeDirectory(directory);
  return own === 'ENOENT' ? refused : (own ?? refused);
}

/** The groups in a group. Their number is in the link count, so that for most the directory is not read. */
export function subdirectories(directory: string): readonly string[] {
  try {
    if (statSync(directory).nlink <= 2) return [];
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => posix.join(directory, name));
  } catch {
    return [];
  }
}
