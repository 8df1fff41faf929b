import type { Command, decide, EventStream, WorkerId } from '@hsu-master/core';
import type { Chance } from '../chance.ts';
import { type FakeClock, lateClock } from '../fake/clock.ts';
import { FakeHost } from '../fake/host.ts';
import { FakeJournal } from '../fake/journal.ts';
import { FakeCollector } from '../fake/output.ts';
import type { FakeSystem } from '../fake/system.ts';
import { factsHook } from './facts-hook.ts';
import { mortalClock, mortalHook, mortalHost, mortalJournal, type Peril } from './peril.ts';
import { drawProgram } from './programs.ts';
import type { MakeSupervisor, SimulatedSupervisor } from './supervisor.ts';

/** A supervisor with the hands that it works through; all of them fall when it is killed. */
export interface Master {
  readonly id: string;
  readonly supervisor: SimulatedSupervisor;
  readonly journal: FakeJournal;
  readonly dead: boolean;
  /** SIGKILL to the master: nothing of it happens any more; its workers live on. */
  die(): void;
  /** It is not killed by chance any more. */
  immortal(): void;
  /** Run records cannot be written, or can again. */
  toggleJournal(): void;
}

export interface MasterParts {
  readonly id: string;
  readonly make: MakeSupervisor;
  /** Whether a worker is one that puts itself in the background. */
  readonly isDaemon: (id: WorkerId) => boolean;
  readonly chance: Chance;
  /** What each tree was begun with, by its mark. */
  readonly commands: Map<string, Command>;
  readonly clock: FakeClock;
  readonly system: FakeSystem;
  /** What the master before wrote down. */
  readonly journal: FakeJournal;
  readonly bootedAt: number;
  readonly events: EventStream;
  readonly mostDelay: number;
  readonly mostLateness: number;
  readonly decide: typeof decide;
  /** Whether the master dies in this moment. */
  readonly dies: (chance: Chance) => boolean;
}

export function beginMaster(parts: MasterParts): Master {
  const { chance, system, journal } = parts;
  let dead = false;
  let mortal = true;
  const programs = chance.fork();
  const delays = chance.fork();
  const deaths = chance.fork();
  const host = new FakeHost(
    system,
    (command, request) => {
      parts.commands.set(request.mark, command);
      return drawProgram(programs, 'workerId' in request && parts.isDaemon(request.workerId));
    },
    () => delays.between(1, parts.mostDelay),
    { enforces: chance.happens(0.8), tellsExits: chance.happens(0.5) },
  );
  const die = (): void => {
    dead = true;
    host.close();
  };
  const peril: Peril = {
    get dead() {
      return dead;
    },
    step() {
      if (mortal && parts.dies(deaths)) die();
    },
  };
  parts.events.subscribe(() => {
    if (!dead) peril.step();
  });
  const clock = mortalClock(lateClock(parts.clock, chance.fork(), parts.mostLateness), parts.bootedAt, peril);
  const supervisor = parts.make({
    host: mortalHost(host, peril),
    clock,
    hooks: [mortalHook(factsHook(chance.fork(), clock), peril)],
    collector: new FakeCollector(),
    journal: mortalJournal(journal, peril),
    instance: 'simulated',
    masterId: parts.id,
    events: parts.events,
    decide: parts.decide,
  });
  return {
    id: parts.id,
    supervisor,
    journal,
    get dead() {
      return dead;
    },
    die,
    immortal() {
      mortal = false;
      journal.failure = null;
    },
    toggleJournal() {
      journal.failure = journal.failure === null ? new Error('no space left') : null;
    },
  };
}
