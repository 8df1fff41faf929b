import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { limitsAbove } from './above.ts';
import type { Controller1, Facilities, Rights, Tree2 } from './facilities.ts';
import { type Errno, readPids, readText, removeDirectory, takeDirectory, writeText } from './files.ts';
import { type Hierarchies, type Hierarchy, parseHierarchies } from './hierarchies.ts';
import { rightsOfMaster } from './rights.ts';
import {
  enterScope,
  isBootedWithSystemd,
  settingsOf,
  type Unit,
  type UnitSettings,
  unitOf,
} from './systemd.ts';

/** The controllers of v2 that hold limits. */
const CONTROLLERS2 = ['cpu', 'memory', 'io', 'pids', 'cpuset'] as const;
const CONTROLLERS1: readonly Controller1[] = [
  'memory',
  'cpu',
  'cpuacct',
  'cpuset',
  'pids',
  'blkio',
  'freezer',
];

export interface ContainmentOptions {
  /** Letters, digits, `_`, `-`; the same for every master of one state directory, which only one of them may hold. */
  readonly instance: string;
  /** Whether this process may be moved into a cgroup of its own, next to those of the workers. */
  readonly mayMove: boolean;
  /** Whether systemd may be asked for a scope, into which this process is then moved. Needs `mayMove`. */
  readonly mayAskSystemd: boolean;
}

/** What holds the workers. Belongs to the host that it is given to. */
export interface Containment {
  readonly facilities: Facilities;
  /** Removes the directories that are empty, and moves this process back where it was moved. */
  release(): void;
}

/** Rights alone: for hosts that were given no containment. */
export function withoutGroups(reason: string): Containment {
  return { facilities: facilitiesWithout(reason, rightsOfMaster(), []), release: () => {} };
}

/**
 * Finds out which cgroups the master may use, and makes the directories in which those of the workers will be. Call it before any
 * engine is open that reaps orphans, and after the state directory is locked. Takes milliseconds; up to 15 seconds where systemd
 * is asked and does not answer.
 * @throws RangeError for an instance that cannot be the name of a directory
 */
export function acquireContainment(options: ContainmentOptions): Containment {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(options.instance)) {
    throw new RangeError(
      `instance ${JSON.stringify(options.instance)} is not made of letters, digits, _ and -`,
    );
  }
  return new Acquisition(options).result();
}

const UNKNOWN: UnitSettings = { delegated: false, sparesRest: false };

/** Whose cgroup is used, where it is not simply the one we are in; or why none is. */
interface Permission {
  readonly origin: string | null;
  readonly refused: string | null;
}

/** One attempt, from what the system shows to what may be used. */
class Acquisition {
  readonly #options: ContainmentOptions;
  readonly #name: string;
  readonly #leaf: string;
  readonly #missing = new Map<string, string>();
  readonly #undo: (() => void)[] = [];
  #hierarchies: Hierarchies;
  #wasMoved = false;

  constructor(options: ContainmentOptions) {
    this.#options = options;
    this.#name = `hsu-master.${options.instance}`;
    this.#leaf = `${this.#name}.supervisor`;
    this.#hierarchies = look();
  }

  result(): Containment {
    const rights = rightsOfMaster();
    const unit = this.#unit();
    const permitted = unit === null ? { origin: null, refused: null } : this.#askSystemd(unit);
    if (permitted.refused !== null) {
      const above = limitsAbove(this.#hierarchies, this.#hierarchies.unified?.own ?? null);
      return { facilities: facilitiesWithout(permitted.refused, rights, above), release: () => {} };
    }
    const { unified } = this.#hierarchies;
    const site = unified === null ? null : this.#site(unified);
    // The limits above are those before anything of ours is added, read where we were found.
    const above = limitsAbove(this.#hierarchies, site);
    const tree2 = site === null ? null : this.#takeUnified(site);
    const trees1 = this.#takeControllers();
    this.#explain(tree2, trees1);
    const origin = permitted.origin ?? `own cgroup ${unified?.path ?? this.#anyPath()}`;
    const countsSwap =
      (tree2 !== null && existsSync(posix.join(tree2.base, 'memory.swap.max'))) ||
      existsSync(posix.join(trees1.get('memory') ?? '', 'memory.memsw.limit_in_bytes'));
    const found = tree2 !== null || trees1.size > 0;
    const facilities = {
      tree2,
      trees1,
      countsSwap,
      missing: this.#missing,
      origin: found ? origin : '',
      rights,
      above,
    };
    return { facilities, release: () => this.#release() };
  }

  /** Null where systemd has no say. */
  #unit(): Unit | null {
    if (!isBootedWithSystemd()) return null;
    const named = /^\d+:name=systemd:(.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1];
    return unitOf(this.#hierarchies.unified?.path ?? named ?? '/');
  }

  /** One cgroup has one writer: in a unit that is not delegated that is systemd. */
  #askSystemd(unit: Unit): Permission {
    const settings = settingsOf(unit);
    const { delegated, sparesRest } = typeof settings === 'string' ? UNKNOWN : settings;
    if (delegated && sparesRest && this.#mayAskForScope) {
      // Before version 254 systemd cannot start a unit anew in whose cgroup groups with controllers are left.
      const scope = this.#enterScope(unit);
      if (scope.refused === null) return scope;
    }
    if (delegated) return { origin: `delegated unit ${unit.name}`, refused: null };
    const said = typeof settings === 'string' ? ` (${settings})` : '';
    const what =
      unit.name === null ? 'this process is in no unit of systemd' : `${unit.name} is not delegated${said}`;
    // Whoever leaves a service is no longer stopped with it, nor held to its limits.
    if (unit.name?.endsWith('.service') === true) {
      return { origin: null, refused: `${what}: add Delegate=yes to the unit` };
    }
    if (!this.#mayAskForScope) {
      return { origin: null, refused: `${what}, and a scope of its own was not to be asked for` };
    }
    const scope = this.#enterScope(unit);
    if (scope.refused === null) return scope;
    return { origin: null, refused: `${what}, and no scope could be had: ${scope.refused}` };
  }

  get #mayAskForScope(): boolean {
    return this.#options.mayMove && this.#options.mayAskSystemd;
  }

  #enterScope(unit: Unit): Permission {
    const scope = `hsu-master-${this.#options.instance}.scope`;
    const refused = enterScope(scope, this.#leaf, unit, this.#hierarchies.unified?.mount ?? '');
    if (refused !== null) return { origin: null, refused };
    this.#hierarchies = look();
    return { origin: `systemd scope ${scope}`, refused: null };
  }

  /** Where our directory goes: into our own cgroup, or beside it where it is our leaf, or a part of what was delegated, already. */
  #site({ own, mount, path }: Hierarchy): string | null {
    if (own === null) {
      this.#missing.set('', `the cgroup ${path} of this process is below no cgroup2 mount`);
      return null;
    }
    if (own === mount) return own;
    const parent = posix.dirname(own);
    if (posix.basename(own) === this.#leaf) {
      // An earlier program of this process moved it here.
      this.#wasMoved = true;
      this.#undo.push(() => this.#leave(own, parent));
      return parent;
    }
    const isPart = isBootedWithSystemd()
      ? unitOf(path).below && unitOf(posix.dirname(path)).name !== null
      : isGivenToUser(parent);
    return isPart && readPids(posix.join(parent, 'cgroup.procs')).length === 0 ? parent : own;
  }

  #takeUnified(site: string): Tree2 | null {
    const base = posix.join(site, this.#name);
    const refused = takeDirectory(base);
    if (refused !== null) {
      this.#missing.set('', `cannot make ${base}: ${refused}`);
      return null;
    }
    this.#undo.push(() => removeDirectory(base));
    if (readText(posix.join(base, 'cgroup.type')) === 'domain invalid') {
      removeDirectory(base);
      this.#missing.set('', `${site} is threaded: groups below it take no processes`);
      return null;
    }
    const controllers = this.#enable(site, base);
    return {
      base,
      controllers,
      canKill: existsSync(posix.join(base, 'cgroup.kill')),
      canFreeze: existsSync(posix.join(base, 'cgroup.freeze')),
    };
  }

  /** Hands down as many controllers as may be; returns those that groups below `base` have. */
  #enable(site: string, base: string): ReadonlySet<string> {
    const available = words(readText(posix.join(site, 'cgroup.controllers')));
    const wanted = CONTROLLERS2.filter((name) => available.includes(name));
    const given = words(readText(posix.join(site, 'cgroup.subtree_control')));
    const needed = wanted.filter((name) => !given.includes(name));
    if (this.#wasMoved) for (const name of wanted) if (given.includes(name)) this.#takeBack(site, name);
    const blocked = needed.length === 0 ? null : this.#makeRoom(site);
    for (const name of needed) {
      if (blocked !== null) this.#missing.set(name, blocked);
      else this.#hand(site, name);
    }
    for (const name of wanted) if (!this.#missing.has(name)) this.#hand(base, name);
    const enabled = words(readText(posix.join(base, 'cgroup.subtree_control')));
    return new Set(CONTROLLERS2.filter((name) => enabled.includes(name)));
  }

  #hand(directory: string, controller: string): void {
    const file = posix.join(directory, 'cgroup.subtree_control');
    const refused = writeText(file, `+${controller}`);
    if (refused !== null) this.#missing.set(controller, `cannot add ${controller} to ${file}: ${refused}`);
    else this.#takeBack(directory, controller);
  }

  #takeBack(directory: string, controller: string): void {
    this.#undo.push(() => writeText(posix.join(directory, 'cgroup.subtree_control'), `-${controller}`));
  }

  /** Empties a cgroup of processes, which all but the root must be to hand down controllers. Returns why it cannot be. */
  #makeRoom(site: string): string | null {
    if (!existsSync(posix.join(site, 'cgroup.type'))) return null;
    const procs = posix.join(site, 'cgroup.procs');
    const inside = readPids(procs);
    if (inside.length === 0) return null;
    const foreign = inside.find((pid) => !isOurs(pid));
    if (foreign !== undefined) {
      return `${site} also holds process ${foreign} (${readText(`/proc/${foreign}/comm`) ?? '?'}), so it cannot hand down controllers; start the master in a cgroup of its own`;
    }
    if (!this.#options.mayMove) return `${site} holds this process, which was not to be moved`;
    const leaf = posix.join(site, this.#leaf);
    const refused = takeDirectory(leaf);
    if (refused !== null) return `cannot make ${leaf}: ${refused}`;
    this.#undo.push(() => this.#leave(leaf, site));
    for (const pid of inside) {
      const failed = writeText(posix.join(leaf, 'cgroup.procs'), String(pid));
      if (failed !== null && failed !== 'ESRCH') return `cannot move process ${pid} into ${leaf}: ${failed}`;
    }
    return null;
  }

  #leave(leaf: string, site: string): void {
    const procs = posix.join(site, 'cgroup.procs');
    for (const pid of readPids(posix.join(leaf, 'cgroup.procs'))) writeText(procs, String(pid));
    removeDirectory(leaf);
  }

  #takeControllers(): ReadonlyMap<Controller1, string> {
    const trees = new Map<Controller1, string>();
    for (const controller of CONTROLLERS1) {
      const hierarchy = this.#hierarchies.controllers.get(controller);
      if (hierarchy === undefined) continue;
      const base = this.#takeController(controller, hierarchy);
      if (base !== null) trees.set(controller, base);
    }
    return trees;
  }

  #takeController(controller: Controller1, { own, path }: Hierarchy): string | null {
    if (own === null) {
      this.#missing.set(controller, `the cgroup ${path} of this process is below no mount of ${controller}`);
      return null;
    }
    const base = posix.join(own, this.#name);
    const refused = makeBase1(base, controller);
    if (refused !== null) {
      this.#missing.set(controller, `cannot make ${base}: ${refused}`);
      return null;
    }
    this.#undo.push(() => removeDirectory(base));
    return base;
  }

  /** Says of every controller that nobody offers why that is. */
  #explain(tree2: Tree2 | null, trees1: ReadonlyMap<Controller1, string>): void {
    const { unified, controllers } = this.#hierarchies;
    if (unified === null && controllers.size === 0) this.#missing.set('', 'no cgroup hierarchy is mounted');
    if (tree2 === null) return;
    for (const name of CONTROLLERS2) {
      const old = name === 'io' ? 'blkio' : name;
      if (tree2.controllers.has(name) || this.#missing.has(name) || trees1.has(old)) continue;
      const why = this.#missing.get(old);
      this.#missing.set(name, why ?? `${posix.dirname(tree2.base)} does not have the controller ${name}`);
    }
  }

  #anyPath(): string {
    return [...this.#hierarchies.controllers.values()][0]?.path ?? '/';
  }

  #release(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo.length = 0;
  }
}

/** Makes the directory of a v1 controller below which the groups will be, or takes the one that is there. */
export function makeBase1(base: string, controller: Controller1): Errno {
  const refused = takeDirectory(base);
  if (refused !== null) return refused;
  if (controller === 'memory' && readText(posix.join(base, 'memory.use_hierarchy')) === '0')
    writeText(posix.join(base, 'memory.use_hierarchy'), '1');
  if (controller === 'cpuset') inheritCpuset(posix.dirname(base), base);
  return null;
}

/** A v1 cpuset takes no processes before it has both. */
export function inheritCpuset(parent: string, child: string): void {
  for (const file of ['cpuset.mems', 'cpuset.cpus']) {
    if (readText(posix.join(child, file)) !== '') continue;
    writeText(posix.join(child, file), readText(posix.join(parent, file)) ?? '');
  }
}

function facilitiesWithout(reason: string, rights: Rights, above: readonly string[]): Facilities {
  return {
    tree2: null,
    trees1: new Map(),
    countsSwap: false,
    missing: new Map([['', reason]]),
    origin: '',
    rights,
    above,
  };
}

function look(): Hierarchies {
  return parseHierarchies(readText('/proc/self/cgroup') ?? '', readText('/proc/self/mountinfo') ?? '');
}

function words(text: string | null): readonly string[] {
  return text?.split(/\s+/).filter((word) => word !== '') ?? [];
}

/** A cgroup that an ordinary user owns was delegated to that user. */
function isGivenToUser(directory: string): boolean {
  const uid = process.getuid?.() ?? 0;
  return uid !== 0 && statSync(directory, { throwIfNoEntry: false })?.uid === uid;
}

/** Whether a process is this one or descends from it. */
function isOurs(pid: number): boolean {
  for (let at = pid; at > 1; ) {
    if (at === process.pid) return true;
    const stat = readText(`/proc/${at}/stat`) ?? '';
    at = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  }
  return pid === process.pid;
}
