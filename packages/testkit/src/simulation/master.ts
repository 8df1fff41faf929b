import type { Clock, decide, EventStream, RunRecord, WorkerId } from '@hsu-master/core';
import type { Chance } from '../chance.ts';
import { type FakeClock, lateClock } from '../fake/clock.ts';
import { FakeHost } from '../fake/host.ts';
import { FakeJournal } from '../fake/journal.ts';
import { FakeCollector } from '../fake/output.ts';
import type { FakeSystem } from '../fake/system.ts';
import { factsHook } from './facts-hook.ts';
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

interface MasterParts {
  readonly id: string;
  readonly make: MakeSupervisor;
  /** Whether a worker is one that puts itself in the background. */
  readonly isDaemon: (id: WorkerId) => boolean;
  readonly chance: Chance;
  readonly clock: FakeClock;
  readonly system: FakeSystem;
  readonly earlier: Master | null;
  readonly events: EventStream;
  readonly mostDelay: number;
  readonly mostLateness: number;
  readonly decide: typeof decide;
}

export function beginMaster(parts: MasterParts): Master {
  const { chance, system } = parts;
  let dead = false;
  let mortal = true;
  const programs = chance.fork();
  const delays = chance.fork();
  const host = new FakeHost(
    system,
    (_command, request) => drawProgram(programs, 'workerId' in request && parts.isDaemon(request.workerId)),
    () => delays.between(1, parts.mostDelay),
    chance.happens(0.8),
  );
  const die = (): void => {
    dead = true;
    host.close();
  };
  const journal = new PerilousJournal(parts.earlier?.journal, () => {
    if (mortal && chance.happens(0.01)) die();
  });
  const clock = mortalClock(lateClock(parts.clock, chance.fork(), parts.mostLateness), () => dead);
  const supervisor = parts.make({
    host,
    clock,
    hooks: [factsHook(chance.fork(), clock)],
    collector: new FakeCollector(),
    journal,
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

/** Writing a record is the moment in which a master’s death matters most. */
class PerilousJournal extends FakeJournal {
  readonly #peril: () => void;

  constructor(earlier: FakeJournal | undefined, peril: () => void) {
    super(earlier);
    this.#peril = peril;
  }

  override recordRun(record: RunRecord): void {
    super.recordRun(record);
    this.#peril();
  }
}

/** A clock whose timers never fire for the dead. */
function mortalClock(clock: Clock, isDead: () => boolean): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    random: () => clock.random(),
    after: (delay, fire) =>
      clock.after(delay, () => {
        if (!isDead()) fire();
      }),
  };
}
