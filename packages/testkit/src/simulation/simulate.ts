import {
  type Command,
  decide,
  EventStream,
  isSame,
  KILL_WAIT,
  type WorkerId,
  type WorkerSpec,
} from '@hsu-master/core';
import { Chance } from '../chance.ts';
import { FakeClock } from '../fake/clock.ts';
import { FakeJournal } from '../fake/journal.ts';
import { fakeExit, fakeProgram } from '../fake/program.ts';
import { FakeSystem, type SystemNews } from '../fake/system.ts';
import type { Check, Order, Seen, Succession, Violation, World } from './check.ts';
import { CommandsCheck } from './checks/commands.ts';
import { DependenciesCheck } from './checks/dependencies.ts';
import { LimitsCheck } from './checks/limits.ts';
import { PictureCheck } from './checks/picture.ts';
import { RestartsCheck } from './checks/restarts.ts';
import { StoryCheck } from './checks/story.ts';
import { STRANGER, SuccessionCheck } from './checks/succession.ts';
import { TreesCheck } from './checks/trees.ts';
import { beginMaster, type Master } from './master.ts';
import { drawSpecs } from './scene.ts';
import type { MakeSupervisor } from './supervisor.ts';

const CHECKS = [
  StoryCheck,
  TreesCheck,
  RestartsCheck,
  CommandsCheck,
  DependenciesCheck,
  LimitsCheck,
  PictureCheck,
  SuccessionCheck,
];

/** How late a host notices things at most, and a timer fires, in a run of the simulation. */
const MOST_DELAY = 20;
const MOST_LATENESS = 200;
/** How likely a master is killed at each step of each effect. */
const PERIL = 0.002;

export interface Simulation {
  readonly seed: number;
  readonly workers: 'one' | 'several';
  readonly make: MakeSupervisor;
  /** The rule of the workers; a fault may be planted in it. */
  readonly decide?: typeof decide;
  /** The one step of an effect at which the master is killed, counted from 1, 0: at none. By default chance decides at each. */
  readonly killAt?: number;
  /** Told at the end how many such steps there were. */
  readonly steps?: (count: number) => void;
  /** Where the events of one master are published; a fault may be planted in it. */
  readonly events?: () => EventStream;
  /** Called with a line for all that happens. */
  readonly trace?: (line: string) => void;
}

/**
 * Draws specs, programs, commands and accidents from the seed, lets a supervisor live through them, and stops it.
 * Resolves with the first properties that it broke, none if it kept them all.
 */
export async function simulate(simulation: Simulation): Promise<readonly Violation[]> {
  const chance = new Chance(simulation.seed);
  const clock = new FakeClock(simulation.seed);
  const scene: Scene = {
    simulation,
    chance,
    clock,
    system: new FakeSystem(clock, 500),
    specs: drawSpecs(chance, simulation.workers === 'one' ? 1 : chance.between(2, 5)),
    described: new Map(),
    commands: new Map(),
    underWay: new Set(),
    violations: [],
    checks: [],
    unanswered: new Set(),
    master: null,
    masters: 0,
    bootedAt: 0,
    steps: 0,
    strangers: 0,
    order: null,
    hasEnded: false,
  };
  const world = worldOf(scene);
  scene.checks = CHECKS.map((Checking) => new Checking(world));
  scene.system.watch((news) => {
    trace(scene, () => describe(news));
    for (const check of scene.checks) check.news?.(news);
  });
  replaceMaster(scene);
  for (let steps = chance.between(10, 50); steps > 0 && scene.violations.length === 0; steps -= 1) {
    await step(scene);
  }
  if (scene.violations.length === 0) await finalStop(scene);
  simulation.steps?.(scene.steps);
  return scene.violations;
}

function worldOf(scene: Scene): World {
  const { clock, system, violations } = scene;
  let known: { readonly of: Scene['specs']; readonly byId: ReadonlyMap<WorkerId, WorkerSpec> } | null = null;
  return {
    clock,
    system,
    get specs() {
      if (known?.of !== scene.specs)
        known = { of: scene.specs, byId: new Map(scene.specs.map((spec) => [spec.id, spec])) };
      return known.byId;
    },
    described: (id) => scene.specs.find((spec) => spec.id === id) ?? scene.described.get(id),
    unnoticed: 6 * MOST_DELAY + 2 * MOST_LATENESS,
    supervisor: () => present(scene).supervisor,
    unanswered: () => scene.unanswered,
    violate(property, detail) {
      trace(scene, () => `BROKEN ${property}: ${detail}`);
      violations.push({ property, detail });
    },
  };
}

function trace({ simulation, clock }: Scene, line: () => string): void {
  simulation.trace?.(`${clock.now()} ${line()}`);
}

function describe(news: SystemNews): string {
  if (news.kind === 'signalled') return `${news.tree.mark} ${news.signal} to ${news.members}`;
  if (news.kind === 'held') return `${news.tree.mark} held to ${news.percent ?? 'nothing'}`;
  if (news.kind === 'frozen') return `${news.tree.mark} ${news.frozen ? 'frozen' : 'resumed'}`;
  return `pid ${news.process.pid} of ${news.process.tree.mark} ${news.kind}`;
}

interface Scene {
  readonly simulation: Simulation;
  readonly chance: Chance;
  readonly clock: FakeClock;
  readonly system: FakeSystem;
  specs: ReturnType<typeof drawSpecs>;
  /** Workers as they were described last, and those that were removed. */
  readonly described: Map<WorkerId, WorkerSpec>;
  /** Whose specs were changed in the life of the present master, and of which it has not said that all is done. */
  readonly underWay: Set<WorkerId>;
  /** What each tree was begun with, by its mark. */
  readonly commands: Map<string, Command>;
  readonly violations: Violation[];
  checks: readonly Check[];
  readonly unanswered: Set<Order>;
  master: Master | null;
  masters: number;
  /** When the machine was started last. */
  bootedAt: number;
  /** Moments at which a master might have been killed. */
  steps: number;
  strangers: number;
  /** What is being ordered in this moment. */
  order: Order | null;
  /** The present master has ended in order. */
  hasEnded: boolean;
}

function present({ master }: Scene): Master {
  if (master === null) throw new Error('there is no master');
  return master;
}

/** One thing happens, and all that follows from it at once. */
async function step(scene: Scene): Promise<void> {
  const { chance, clock, system } = scene;
  if (present(scene).dead) {
    if (chance.happens(0.5)) clock.advance(chance.between(0, 20_000));
    passUnseen(scene);
    replaceMaster(scene);
    await settle();
    rested(scene);
    return;
  }
  const draw = chance.next();
  if (draw < 0.55) await pass(scene, chance.pick([0, 10, 100, 1000, 5000, 30_000]));
  else if (draw < 0.875) command(scene);
  else if (draw < 0.9) applySpecs(scene);
  else if (draw < 0.94) {
    const [first, ...others] = system.living();
    if (first !== undefined) system.signal(chance.pick([first, ...others]), 'SIGKILL');
  } else if (draw < 0.95) present(scene).toggleJournal();
  else if (draw < 0.96) changeLimits(scene);
  else if (draw < 0.97) meetStranger(scene, chance.between(2, 60));
  else await endMaster(scene);
  await settle();
  rested(scene);
}

/** The master goes, one way or another. */
async function endMaster(scene: Scene): Promise<void> {
  const { chance } = scene;
  const { supervisor, die } = present(scene);
  const draw = chance.next();
  if (draw < 0.2) {
    trace(scene, () => 'the master leaves');
    supervisor.leave('drawn');
  } else if (draw < 0.35) {
    give(scene, { kind: 'shutdown', id: null, deadline: 5000 });
    void supervisor.shutdown('drawn', 5000).then(() => {
      scene.hasEnded = true;
    });
    await pass(scene, chance.pick([0, 100, 3000, 60_000]));
    await settle();
  }
  trace(scene, () => 'the master is killed');
  die();
}

/** While no master is there, processes die, and others get their pids. */
function passUnseen(scene: Scene): void {
  const { chance, system } = scene;
  for (const { process } of present(scene).journal.runs()) {
    const found = system.isAlive(process) ? system.find(process.pid) : null;
    if (found !== null && chance.happens(0.2)) system.end(found, fakeExit({ code: chance.pick([0, 1]) }));
    if (!system.isAlive(process) && chance.happens(0.5)) meetStranger(scene, process.pid);
  }
}

/** A process comes that is nobody’s worker. */
function meetStranger(scene: Scene, pid: number): void {
  scene.strangers += 1;
  scene.system.passBy(pid);
  const tree = { mark: `${STRANGER}${scene.strangers}`, workerId: null, run: 0 };
  scene.system.begin(scene.system.create(tree, fakeProgram(), null));
}

/** Lets up to `most` milliseconds pass, in pieces, so that promises get their turn in time. */
async function pass(scene: Scene, most: number): Promise<void> {
  const { chance, clock } = scene;
  const end = clock.now() + chance.next() * most;
  while (clock.nextAt !== null && clock.nextAt <= end) {
    clock.advance(Math.max(clock.nextAt - clock.now(), 0));
    await settle();
    if (present(scene).dead || scene.violations.length > 0) return;
    rested(scene);
  }
  clock.advance(Math.max(0, end - clock.now()));
}

function rested(scene: Scene): void {
  if (!present(scene).dead) for (const check of scene.checks) check.rested?.();
}

function command(scene: Scene): void {
  const { chance, specs } = scene;
  const { supervisor } = present(scene);
  const id = chance.pick(specs.map((spec) => spec.id) as [WorkerId, ...WorkerId[]]);
  const kind = chance.pick([
    'start',
    'start',
    'stop',
    'stop',
    'restart',
    'restart',
    'reset',
    'kill',
  ] as const);
  const order: Order = { kind, id };
  give(scene, order);
  scene.unanswered.add(order);
  scene.order = order;
  const answer = supervisor[kind](id);
  if (!present(scene).dead) scene.order = null;
  answer.then(
    (outcome) => {
      scene.unanswered.delete(order);
      trace(scene, () => `${kind} ${id}: ${outcome.kind}`);
    },
    (error: unknown) =>
      scene.violations.push({ property: 'no-defect', detail: `${kind} ${id}: ${String(error)}` }),
  );
}

/** The configuration is another one, and the master is told so. */
function applySpecs(scene: Scene): void {
  const { chance, described, underWay } = scene;
  for (const spec of scene.specs) described.set(spec.id, spec);
  const changed = new Set<WorkerId>();
  for (let count = chance.between(1, 3); count > 0; count -= 1)
    for (const id of changeSpecs(scene)) changed.add(id);
  const { supervisor } = present(scene);
  for (const id of changed) underWay.add(id);
  for (const check of scene.checks) check.changed?.(changed);
  const order: Order = { kind: 'apply', id: null };
  give(scene, order);
  scene.unanswered.add(order);
  const { specs } = scene;
  supervisor.apply(specs).then(
    ({ state }) => {
      scene.unanswered.delete(order);
      if (state === 'done' && scene.specs === specs) lookWhetherDone(scene, supervisor);
      if (scene.master?.supervisor === supervisor && !scene.master.dead && scene.unanswered.size === 0)
        underWay.clear();
    },
    (error: unknown) => scene.violations.push({ property: 'no-defect', detail: `apply: ${String(error)}` }),
  );
}

function lookWhetherDone(scene: Scene, supervisor: Master['supervisor']): void {
  if (scene.master?.supervisor !== supervisor || scene.master.dead) return;
  for (const { id, command } of scene.specs) {
    const { phase, process } = supervisor.snapshot(id);
    const mark = process === null ? undefined : scene.system.find(process.pid)?.tree.mark;
    const began = mark === undefined ? undefined : scene.commands.get(mark);
    if (phase !== 'running' || began === undefined || isSame(began, command)) continue;
    const detail = `${id} runs ${began.argv.join(' ')}, and ${command.argv.join(' ')} is described`;
    scene.violations.push({ property: 'changes-are-carried-out', detail });
  }
}

/** To what they are already, so that only what was raised changes. */
function changeLimits(scene: Scene): void {
  const [first, ...others] = scene.specs.filter(({ limits }) => limits !== null);
  if (first === undefined) return;
  const { id, limits } = scene.chance.pick([first, ...others]);
  const order: Order = { kind: 'limits', id };
  give(scene, order);
  scene.order = order;
  if (limits !== null) present(scene).supervisor.setLimits(id, limits);
  if (!present(scene).dead) scene.order = null;
}

function give(scene: Scene, order: Order): void {
  trace(scene, () => `ORDER ${order.kind} ${order.id ?? ''}`);
  for (const check of scene.checks) check.order?.(order);
}

function replaceMaster(scene: Scene): void {
  const { simulation, chance, clock, system } = scene;
  const earlier = scene.master;
  const rebooted = earlier !== null && chance.happens(0.15);
  if (earlier !== null) succeed(scene, earlier, rebooted);
  scene.masters += 1;
  const number = scene.masters;
  const id = `m${number}`;
  scene.unanswered.clear();
  scene.hasEnded = false;
  const { checks } = scene;
  const events = simulation.events?.() ?? new EventStream(100);
  const isPast = (): boolean => scene.masters !== number || scene.master?.dead === true;
  const rule = simulation.decide ?? decide;
  scene.master = null;
  const master = beginMaster({
    id,
    make: simulation.make,
    isDaemon: (of) => scene.specs.some((spec) => spec.id === of && spec.mainProcess !== null),
    chance: chance.fork(),
    commands: scene.commands,
    clock,
    system,
    journal:
      earlier === null ? new FakeJournal() : new FakeJournal(earlier.journal, rebooted ? 'reboot' : null),
    bootedAt: scene.bootedAt,
    events,
    mostDelay: chance.pick([1, 2, MOST_DELAY]),
    mostLateness: chance.pick([0, MOST_LATENESS]),
    dies(deaths) {
      scene.steps += 1;
      const { killAt } = simulation;
      const dies = killAt === undefined ? deaths.happens(PERIL) : scene.steps === killAt;
      if (dies) trace(scene, () => `the master is killed at step ${scene.steps}`);
      return dies;
    },
    decide(worker, message, circumstances) {
      const decision = rule(worker, message, circumstances);
      if (!isPast()) for (const check of checks) check.decided?.(worker, message, decision);
      return decision;
    },
  });
  scene.master = master;
  events.subscribe((event) => {
    if (isPast()) return;
    trace(scene, () => `${id} ${event.workerId}/${event.run} ${event.type} ${JSON.stringify(event.payload)}`);
    for (const check of checks) check.event?.(event);
  });
  const { supervisor } = master;
  supervisor.add(scene.specs);
  give(scene, { kind: 'start-all', id: null });
  supervisor.startAll().catch((error: unknown) => {
    scene.violations.push({ property: 'no-defect', detail: `startAll: ${String(error)}` });
  });
}

/** What changes while no master is there. */
function succeed(scene: Scene, { supervisor }: Master, rebooted: boolean): void {
  const { chance, clock, system, order } = scene;
  const known = new Set(supervisor.specs().map(({ id }) => id));
  const last = new Map<WorkerId, Seen>(
    scene.specs.filter(({ id }) => known.has(id)).map(({ id }) => [id, supervisor.snapshot(id)]),
  );
  if (rebooted) {
    trace(scene, () => 'the machine is started anew');
    for (const process of system.living()) system.end(process, fakeExit({ signal: 'SIGKILL' }));
    scene.bootedAt = clock.now();
  }
  const changed = new Set([...(chance.happens(0.2) ? changeSpecs(scene) : []), ...scene.underWay]);
  scene.underWay.clear();
  scene.order = null;
  const succession: Succession = { uncertain: order, rebooted, begunAnew: scene.hasEnded, changed, last };
  for (const check of scene.checks) check.succeeded?.(succession);
}

/** The configuration is another one: a worker has another command, is enabled or disabled, or is gone. */
function changeSpecs(scene: Scene): ReadonlySet<WorkerId> {
  const { chance, specs } = scene;
  const [first, ...others] = specs;
  if (first === undefined) return new Set();
  const back = [...scene.described.values()].find(({ id }) => !specs.some((spec) => spec.id === id));
  if (back !== undefined && chance.happens(0.5)) {
    trace(scene, () => `${back.id} is configured again`);
    const there = new Set(specs.map(({ id }) => id));
    const dependsOn = back.dependsOn.filter(({ id }) => there.has(id));
    scene.specs = [...specs, { ...back, dependsOn }];
    return new Set([back.id]);
  }
  const { id, command, enabled, dependsOn } = chance.pick([first, ...others]);
  trace(scene, () => `the configuration of ${id} changes`);
  const draw = chance.next();
  const isNeeded =
    specs.length === 1 || specs.some(({ dependsOn }) => dependsOn.some((needed) => needed.id === id));
  if (draw < 0.3 && !isNeeded) {
    for (const spec of specs) scene.described.set(spec.id, spec);
    scene.specs = specs.filter((spec) => spec.id !== id);
    return new Set([id]);
  }
  const change: Partial<WorkerSpec> =
    draw < 0.55
      ? { enabled: !enabled }
      : draw < 0.7
        ? { dependsOn: dependsOn.filter(() => chance.happens(0.5)) }
        : { command: { ...command, argv: [id, String(chance.next())] } };
  scene.specs = specs.map((spec) => (spec.id === id ? { ...spec, ...change } : spec));
  return new Set([id]);
}

/** The ordered stop: it ends in time, and nothing begins for an hour after it. */
async function finalStop(scene: Scene): Promise<void> {
  const { chance, clock, violations } = scene;
  while (present(scene).dead) replaceMaster(scene);
  if (chance.happens(0.5)) await settle();
  while (present(scene).dead) replaceMaster(scene);
  const { supervisor, immortal } = present(scene);
  immortal();
  const deadline = chance.pick([0, 1000, 10_000, 60_000]);
  give(scene, { kind: 'shutdown', id: null, deadline });
  const outcome: { survivors?: ReadonlySet<number> } = {};
  supervisor.shutdown('the end', deadline).then(
    (result) => {
      outcome.survivors = new Set(result.survivors.map(({ process }) => process.pid));
    },
    (error: unknown) => violations.push({ property: 'no-defect', detail: `shutdown: ${String(error)}` }),
  );
  const forceAt = chance.happens(0.2) ? clock.now() + chance.next() * deadline : null;
  await passUntilEnded(
    scene,
    outcome,
    forceAt,
    clock.now() + deadline + 2 * KILL_WAIT + 10 * (MOST_DELAY + MOST_LATENESS),
  );
  if (outcome.survivors === undefined) return;
  for (const check of scene.checks) check.ended?.(outcome.survivors);
  clock.advance(3_600_000);
  await settle();
}

async function passUntilEnded(
  scene: Scene,
  outcome: { readonly survivors?: ReadonlySet<number> },
  forceAt: number | null,
  mustEndBy: number,
): Promise<void> {
  const { clock, violations } = scene;
  let forced = forceAt === null;
  await settle();
  while (outcome.survivors === undefined && violations.length === 0) {
    if (!forced && clock.now() >= (forceAt ?? 0)) {
      forced = true;
      give(scene, { kind: 'force', id: null });
      present(scene).supervisor.force();
    } else if (!clock.runNext() || clock.now() > mustEndBy) {
      violations.push({ property: 'nothing-outlives-the-stop', detail: 'the stop did not end in time' });
    }
    await settle();
  }
}

/** Lets promises that are settled call what waits for them. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
