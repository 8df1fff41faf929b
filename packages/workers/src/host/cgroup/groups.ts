// Longer than other files: one object holds which groups are whose, and all that makes or removes one changes that.

import { posix } from 'node:path';
import type { Clock, LimitName, Milliseconds, QuotaName, WorkerId } from '@hsu-master/core';
import { Bases } from './bases.ts';
import type { Budget } from './budget.ts';
import type { Controller1, Facilities } from './facilities.ts';
import { readText, removeDirectory } from './files.ts';
import { findGroupOf, findGroups } from './found-groups.ts';
import { Group } from './group.ts';
import { giveBack, LENT, whyNotLent } from './lent.ts';
import type { LimitPlan } from './limit-plan.ts';
import { planChange } from './live-limits.ts';

/** How often what should be gone is looked at. */
const LOOK_EVERY: Milliseconds = 20;
/** A directory that cannot be removed at once is tried less and less often, at the longest after this. */
const LONGEST_WAIT: Milliseconds = 1000;
/** A worker’s directory may be held by what an earlier run left; then its name gets a number. */
const MOST_NAMES = 100;

/** Which controller tells who is in a group where there is no v2 tree: the first of these. */
const IDENTITY: readonly Controller1[] = ['freezer', 'pids', 'cpuacct', 'memory', 'blkio', 'cpu'];

/** A group in which a run is about to begin. */
export interface OpenedGroup {
  readonly ok: true;
  readonly group: Group;
  /** Its directory is yet to be made, in the v2 tree alone. */
  readonly toMake: boolean;
  /** Its budgets, the outermost first. */
  readonly around: readonly Budget[];
  /** Limits whose files did not take them. */
  readonly refusals: ReadonlyMap<LimitName, string>;
}

export type Opening =
  | OpenedGroup
  | { readonly ok: false; readonly reason: string; readonly transient: boolean };

/** All groups of a master. */
export class Groups {
  readonly #facilities: Facilities;
  readonly #bases: Bases;
  readonly #clock: Clock;
  readonly #shared = new Map<string, Budget>();
  readonly #open = new Set<Group>();
  /** What an earlier master left and nobody has claimed yet. */
  readonly #left: Map<string, Group>;
  /** Groups that are yet to be removed, by path, and what follows when they are. */
  readonly #leaving = new Map<string, { readonly group: Group; readonly done: () => void }>();
  #closed = false;

  constructor(facilities: Facilities, clock: Clock) {
    this.#facilities = facilities;
    this.#bases = new Bases(facilities);
    this.#clock = clock;
    const found = findGroups(facilities);
    for (const group of found.filter(isLent)) takeAway(group);
    this.#left = new Map(found.filter((one) => !isLent(one)).map((group) => [group.path, group]));
    for (const group of this.#left.values()) group.freeze(false);
  }

  /** Whether groups can be made at all. */
  get any(): boolean {
    return this.#facilities.tree2 !== null || this.#facilities.trees1.size > 0;
  }

  /**
   * Makes the group of a run, with its limits set, and those of its quotas around it. `how`: `later` leaves a group that is nothing
   * but a new directory of v2 to others; where they find the name taken, see `forgo`.
   */
  open(
    workerId: WorkerId,
    budgets: readonly Budget[],
    plan: LimitPlan | null,
    how: 'now' | 'later' = 'now',
  ): Opening {
    const plans = [...budgets.map((one) => one.plan), ...(plan === null ? [] : [plan])];
    const controllers = this.#controllersFor(plans, plan?.avoids ?? []);
    const around = this.#shareAll(budgets, controllers);
    if (typeof around === 'string') return refusal(around);
    const own = posix.join(budgets.at(-1)?.path ?? '', workerId);
    const later = how === 'later' && plan === null ? this.#unmade(own, controllers) : null;
    if (later !== null) {
      this.#open.add(later);
      return { ok: true, group: later, toMake: true, around, refusals: new Map() };
    }
    const made = this.#make(own, controllers);
    if (typeof made === 'string') {
      this.#release(around);
      return refusal(made);
    }
    this.#open.add(made);
    const refusals = plan === null ? new Map<LimitName, string>() : made.write(plan);
    return { ok: true, group: made, toMake: false, around, refusals };
  }

  /** Makes a group to which a process is brought that somebody else started; v1 controllers are added as its limits need them. */
  lend(pid: number): Opening {
    const why = whyNotLent(pid, this.#facilities);
    if (why !== null) return { ok: false, reason: why, transient: false };
    const { tree2 } = this.#facilities;
    const path = `${LENT}${pid}`;
    const unified = (tree2?.controllers.size ?? 0) > 0 ? posix.join(tree2?.base ?? '', path) : null;
    const group = new Group(path, unified, new Map());
    const refused = this.#bases.makeAll(group);
    if (refused !== null) return refusal(`cannot make ${refused.directory}: ${refused.errno}`);
    this.#stay(path);
    this.#open.add(group);
    return { ok: true, group, toMake: false, around: [], refusals: new Map() };
  }

  /** What was to be made by others could not be. */
  forgo(group: Group, around: readonly Budget[]): void {
    this.#open.delete(group);
    this.#release(around);
  }

  /** Gives a living group the v1 controllers that a changed plan needs. */
  extend(group: Group, controllers: readonly Controller1[]): void {
    for (const controller of controllers) {
      const base = this.#facilities.trees1.get(controller);
      if (base === undefined || group.controllers.has(controller)) continue;
      const levels = group.path.split('/');
      for (let depth = 1; depth <= levels.length; depth += 1) {
        const path = posix.join(...levels.slice(0, depth));
        this.#bases.make(posix.join(base, path), controller);
        this.#shared.get(path)?.group?.know(controller, posix.join(base, path));
      }
      group.add(controller, posix.join(base, group.path));
    }
  }

  /** The run is over: removes its group, now or as soon as that can be, and those of its quotas when nobody uses them. */
  close(group: Group, around: readonly Budget[]): void {
    this.#open.delete(group);
    if (isLent(group)) giveBack(group);
    this.#remove(group, LOOK_EVERY, () => {
      this.#release(around);
      // One that an earlier master made has quotas that nobody here counts.
      if (around.length === 0) this.#prune(group);
    });
  }

  /**
   * The group that an earlier master made for a process, or, where that process is gone, whose members bear its mark. Belongs to the
   * caller from then on, with those of the quotas around it, whose limits are written anew; null: there is none.
   */
  claim(
    pid: number | null,
    hasMark: (pid: number) => boolean,
    budgets: readonly Budget[],
  ): OpenedGroup | null {
    const group =
      (pid === null ? null : findGroupOf(pid, this.#facilities, this.#left)) ?? this.#leftWith(hasMark);
    if (group === null) return null;
    const isLeft = this.#left.get(group.path)?.directories.includes(group.directories[0] ?? '') === true;
    if (isLeft) this.#left.delete(group.path);
    else group.freeze(false);
    this.#open.add(group);
    const around = this.#around(group, budgets);
    return { ok: true, group, toMake: false, around, refusals: new Map() };
  }

  /** Members of a group do not move: where its quotas are others by now, it counts for those under which it began. */
  #around({ path, directories }: Group, budgets: readonly Budget[]): readonly Budget[] {
    const { tree2, trees1 } = this.#facilities;
    const bases = [...(tree2 === null ? [] : [tree2.base]), ...trees1.values()];
    const isOurs = directories.every((directory) =>
      bases.some((base) => directory === posix.join(base, path)),
    );
    if (!isOurs || posix.dirname(path) !== (budgets.at(-1)?.path ?? '.')) return [];
    const plans = budgets.map((one) => one.plan);
    const around = this.#shareAll(budgets, this.#controllersFor(plans, []));
    return typeof around === 'string' ? [] : around;
  }

  #leftWith(hasMark: (pid: number) => boolean): Group | null {
    for (const group of this.#left.values()) if (group.pids().some(hasMark)) return group;
    return null;
  }

  /** Kills and removes what an earlier master left and nobody has claimed. */
  endForgotten(): void {
    const forgotten = [...this.#left.values()];
    this.#left.clear();
    for (const group of forgotten) this.#end(group);
  }

  /** Stops looking. Removes what can be removed at once: groups in which somebody lives remain. */
  shut(): void {
    for (const group of this.#open) {
      if (isLent(group)) giveBack(group);
      group.remove();
      this.#prune(group);
    }
    for (const { group } of this.#leaving.values()) {
      group.remove();
      this.#prune(group);
    }
    for (const { group } of [...this.#shared.values()].toReversed()) group?.removeIfAlone();
    this.#closed = true;
  }

  /** Controllers of v1 that these plans write to, and those by which members are known. */
  #controllersFor(plans: readonly LimitPlan[], avoids: readonly Controller1[]): ReadonlySet<Controller1> {
    const { tree2, trees1 } = this.#facilities;
    const wanted = new Set<Controller1>();
    for (const { writes1 } of plans)
      for (const { controller } of writes1) wanted.add(controller as Controller1);
    if (tree2 === null) {
      const identity = IDENTITY.find((name) => trees1.has(name));
      if (identity !== undefined) wanted.add(identity);
      wanted.add('cpuacct');
    } else if (!tree2.canFreeze) wanted.add('freezer');
    return new Set([...wanted].filter((name) => trees1.has(name) && !avoids.includes(name)));
  }

  /** One run more uses it. Returns why its group cannot be made. */
  #share(budget: Budget, controllers: ReadonlySet<Controller1>): string | null {
    const { path } = budget;
    const known = this.#shared.get(path)?.group ?? null;
    const made = this.#directories(path, controllers, known?.controllers);
    if (typeof made === 'string') return made;
    const { unified, old } = made;
    if (unified !== null) this.#bases.handDown(unified);
    this.#stay(path);
    const group = known ?? new Group(path, unified, old);
    const before = group.controllers.size;
    for (const [controller, directory] of old) group.know(controller, directory);
    budget.group = group;
    if (known === null || group.controllers.size > before) budget.settle(group.write(budget.plan));
    budget.runs += 1;
    this.#shared.set(path, budget);
    return null;
  }

  /** A budget has another plan than this one by now: sets what differs, for all that are in it. */
  change(budget: Budget, before: LimitPlan): void {
    const { group, plan, path } = budget;
    if (group === null) return;
    const controllers = this.#controllersFor([plan], []);
    for (const run of this.#open) if (run.path.startsWith(`${path}/`)) this.extend(run, [...controllers]);
    budget.settle(group.write(planChange(before, plan)));
  }

  /** One run more in each, the outermost first; a text says why they cannot be made. */
  #shareAll(budgets: readonly Budget[], controllers: ReadonlySet<Controller1>): readonly Budget[] | string {
    const around: Budget[] = [];
    for (const budget of budgets) {
      const refused = this.#share(budget, controllers);
      if (refused !== null) {
        this.#release(around);
        return refused;
      }
      around.push(budget);
    }
    return around;
  }

  /** Directories of a shared group, where they are not there yet. */
  #directories(
    path: string,
    controllers: ReadonlySet<Controller1>,
    known: ReadonlyMap<Controller1, string> | undefined,
  ): { readonly unified: string | null; readonly old: ReadonlyMap<Controller1, string> } | string {
    const { tree2, trees1 } = this.#facilities;
    const unified = tree2 === null ? null : posix.join(tree2.base, path);
    const old = new Map<Controller1, string>();
    for (const name of controllers) old.set(name, posix.join(trees1.get(name) as string, path));
    const places: (readonly [string, Controller1 | null])[] = [...old].map(([name, place]) => [place, name]);
    if (unified !== null) places.unshift([unified, null]);
    for (const [place, name] of places) {
      if (name !== null && known?.has(name) === true) continue;
      const refused = this.#bases.make(place, name);
      if (refused !== null && refused !== 'EEXIST') return `cannot make ${place}: ${refused}`;
    }
    return { unified, old };
  }

  /** A group that others can make: nobody has its name that is known, and v1 has no part in it. */
  #unmade(path: string, controllers: ReadonlySet<Controller1>): Group | null {
    const { tree2 } = this.#facilities;
    if (tree2 === null || controllers.size > 0 || this.#leaving.has(path)) return null;
    return new Group(path, posix.join(tree2.base, path), new Map());
  }

  /** A directory that is there already is somebody’s, or is about to be removed: counters of a run begin at zero. */
  #make(path: string, controllers: ReadonlySet<Controller1>): Group | string {
    const { tree2, trees1 } = this.#facilities;
    for (let number = 0; number < MOST_NAMES; number += 1) {
      const name = number === 0 ? path : `${path}~${number}`;
      const old = new Map<Controller1, string>();
      for (const one of controllers) old.set(one, posix.join(trees1.get(one) as string, name));
      const group = new Group(name, tree2 === null ? null : posix.join(tree2.base, name), old);
      const refused = this.#bases.makeAll(group);
      if (refused === null) {
        this.#stay(name);
        return group;
      }
      if (refused.errno !== 'EEXIST') return `cannot make ${refused.directory}: ${refused.errno}`;
    }
    return `too many groups of earlier runs of ${path} cannot be removed`;
  }

  #release(around: readonly Budget[]): void {
    for (const budget of around.toReversed()) {
      budget.runs -= 1;
      if (budget.runs > 0 || budget.group === null) continue;
      this.#shared.delete(budget.path);
      this.#remove(budget.group, LOOK_EVERY, () => {});
      budget.group = null;
    }
  }

  #remove(group: Group, wait: Milliseconds, done: () => void): void {
    if (group.remove() === null) {
      this.#leaving.delete(group.path);
      done();
      return;
    }
    this.#leaving.set(group.path, { group, done });
    this.#clock.after(wait, () => {
      if (this.#isLeaving(group)) this.#remove(group, Math.min(wait * 2, LONGEST_WAIT), done);
    });
  }

  /** Not where its path has been given to another by now. */
  #isLeaving(group: Group): boolean {
    return !this.#closed && this.#leaving.get(group.path)?.group === group;
  }

  /** The path is used again, so that nothing is to be removed there. */
  #stay(path: string): void {
    const leaving = this.#leaving.get(path);
    this.#leaving.delete(path);
    leaving?.done();
  }

  /** Until nobody lives in it. */
  #end(group: Group): void {
    killMembers(group);
    if (group.remove() === null) {
      this.#leaving.delete(group.path);
      this.#prune(group);
      return;
    }
    this.#leaving.set(group.path, { group, done: () => {} });
    this.#clock.after(LOOK_EVERY, () => {
      if (this.#isLeaving(group)) this.#end(group);
    });
  }

  /** Removes the directories of quotas that held nothing else. */
  #prune({ path, directories }: Group): void {
    for (const directory of directories) {
      let above = directory;
      for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) {
        above = posix.dirname(above);
        const isShared = this.#shared.get(at)?.group?.directories.includes(above) === true;
        if (isShared || removeDirectory(above) !== null) break;
      }
    }
  }
}

function isLent({ path }: Group): boolean {
  return path.startsWith(LENT);
}

/** A master that was killed could not give them back. */
function takeAway(group: Group): void {
  giveBack(group);
  group.remove();
}

/** Sends SIGKILL to whoever is in it, stopped meanwhile so that nobody is born; thawed after, since the dead must run to die. */
function killMembers(group: Group): void {
  if (group.kill()) return;
  group.freeze(true);
  for (const pid of group.pids()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone, or somebody else’s to end: then it is found again.
    }
  }
  group.freeze(false);
}

/** The path of a budget below those around it, the outermost first. */
export function budgetPath(chain: readonly QuotaName[]): string {
  return posix.join(
    '',
    ...chain.map(({ kind, id }) => `${kind === 'namespace' ? 'ns' : 'grp'}.${safeName(id)}`),
  );
}

/** Anything as the name of a directory; worker ids are such already. */
function safeName(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, (sign) => `%${sign.codePointAt(0)?.toString(16)}`).slice(0, 200);
}

function refusal(reason: string): Opening {
  return { ok: false, reason, transient: /: (EAGAIN|ENOMEM|EBUSY|ENOENT)$/.test(reason) };
}

/** Processes that the kernel has killed for want of memory since it runs, whosever they were; null: it does not tell. */
export function systemOomKills(): number | null {
  const found = /^oom_kill (\d+)$/m.exec(readText('/proc/vmstat') ?? '')?.[1];
  return found === undefined ? null : Number(found);
}
