import { decide, EventStream, KILL_WAIT, type WorkerId } from '@hsu-master/core';
import { Chance } from '../chance.ts';
import { FakeClock } from '../fake/clock.ts';
import { FakeSystem, type SystemNews } from '../fake/system.ts';
import type { Check, Order, Violation, World } from './check.ts';
import { CommandsCheck } from './checks/commands.ts';
import { DependenciesCheck } from './checks/dependencies.ts';
import { LimitsCheck } from './checks/limits.ts';
import { PictureCheck } from './checks/picture.ts';
import { RestartsCheck } from './checks/restarts.ts';
import { StoryCheck } from './checks/story.ts';
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
];

/** How late a host notices things at most, and a timer fires, in a run of the simulation. */
const MOST_DELAY = 20;
const MOST_LATENESS = 200;

export interface Simulation {
  readonly seed: number;
  readonly workers: 'one' | 'several';
  readonly make: MakeSupervisor;
  /** The rule of the workers; a fault may be planted in it. */
  readonly decide?: typeof decide;
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
    violations: [],
    checks: [],
    unanswered: new Set(),
    master: null,
    masters: 0,
  };
  scene.system.watch((news) => {
    trace(scene, () => describe(news));
    for (const check of scene.checks) check.news?.(news);
  });
  replaceMaster(scene);
  for (let steps = chance.between(10, 50); steps > 0 && scene.violations.length === 0; steps -= 1) {
    await step(scene);
  }
  if (scene.violations.length === 0) await finalStop(scene);
  return scene.violations;
}

function worldOf(scene: Scene): World {
  const { clock, system, specs, violations } = scene;
  return {
    clock,
    system,
    specs: new Map(specs.map((spec) => [spec.id, spec])),
    unnoticed: 6 * MOST_DELAY + 2 * MOST_LATENESS,
    supervisor: () => present(scene).supervisor,
    unanswered: () => scene.unanswered,
    masterId: () => present(scene).id,
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
  readonly specs: ReturnType<typeof drawSpecs>;
  readonly violations: Violation[];
  /** Those of the present master. */
  checks: readonly Check[];
  readonly unanswered: Set<Order>;
  master: Master | null;
  masters: number;
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
    replaceMaster(scene);
  }
  const draw = chance.next();
  if (draw < 0.55) await pass(scene, chance.pick([0, 10, 100, 1000, 5000, 30_000]));
  else if (draw < 0.9) command(scene);
  else if (draw < 0.94) {
    const [first, ...others] = system.living();
    if (first !== undefined) system.signal(chance.pick([first, ...others]), 'SIGKILL');
  } else if (draw < 0.96) present(scene).toggleJournal();
  else if (draw < 0.98) changeLimits(scene);
  else {
    trace(scene, () => 'the master is killed');
    present(scene).die();
  }
  await settle();
  rested(scene);
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
  supervisor[kind](id).then(
    (outcome) => {
      scene.unanswered.delete(order);
      trace(scene, () => `${kind} ${id}: ${outcome.kind}`);
    },
    (error: unknown) =>
      scene.violations.push({ property: 'no-defect', detail: `${kind} ${id}: ${String(error)}` }),
  );
}

/** To what they are already, so that only what was raised changes. */
function changeLimits(scene: Scene): void {
  const [first, ...others] = scene.specs.filter(({ limits }) => limits !== null);
  if (first === undefined) return;
  const { id, limits } = scene.chance.pick([first, ...others]);
  give(scene, { kind: 'limits', id });
  if (limits !== null) present(scene).supervisor.setLimits(id, limits);
}

function give(scene: Scene, order: Order): void {
  trace(scene, () => `ORDER ${order.kind} ${order.id ?? ''}`);
  for (const check of scene.checks) check.order?.(order);
}

function replaceMaster(scene: Scene): void {
  const { simulation, chance, clock, system } = scene;
  scene.masters += 1;
  const number = scene.masters;
  const id = `m${number}`;
  scene.unanswered.clear();
  const world = worldOf(scene);
  const checks: readonly Check[] = CHECKS.map((Checking) => new Checking(world));
  scene.checks = checks;
  const events = simulation.events?.() ?? new EventStream(100);
  const isPast = (): boolean => scene.masters !== number || scene.master?.dead === true;
  events.subscribe((event) => {
    if (isPast()) return;
    trace(scene, () => `${id} ${event.workerId}/${event.run} ${event.type} ${JSON.stringify(event.payload)}`);
    for (const check of checks) check.event?.(event);
  });
  const rule = simulation.decide ?? decide;
  const earlier = scene.master;
  scene.master = null;
  scene.master = beginMaster({
    id,
    make: simulation.make,
    isDaemon: (of) => scene.specs.some((spec) => spec.id === of && spec.mainProcess !== null),
    chance: chance.fork(),
    clock,
    system,
    earlier,
    events,
    mostDelay: chance.pick([1, 2, MOST_DELAY]),
    mostLateness: chance.pick([0, MOST_LATENESS]),
    decide(worker, message, circumstances) {
      const decision = rule(worker, message, circumstances);
      if (!isPast()) for (const check of checks) check.decided?.(worker, message, decision);
      return decision;
    },
  });
  const { supervisor } = scene.master;
  supervisor.add(scene.specs);
  give(scene, { kind: 'start-all', id: null });
  supervisor.startAll().catch((error: unknown) => {
    scene.violations.push({ property: 'no-defect', detail: `startAll: ${String(error)}` });
  });
}

/** The ordered stop: it ends in time, and nothing begins for an hour after it. */
async function finalStop(scene: Scene): Promise<void> {
  const { chance, clock, violations } = scene;
  if (present(scene).dead) replaceMaster(scene);
  if (chance.happens(0.5)) await settle();
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
