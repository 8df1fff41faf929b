import type { LoadedConfig } from '@hsu-master/config';
import { type EventDraft, EventStream, type Host, HsuError, type Milliseconds, type ProcessIdentity, type RunHook } from '@hsu-master/core';
import { healthHook } from '@hsu-master/health';
import { type FileCollector, fileCollector } from '@hsu-master/logcollect';
import { loadNative, type Native } from '@hsu-master/native';
import {
  createNativeHost,
  mainProcessHook,
  type NativeHost,
  openJournal,
  realClock,
  type ShutdownResult,
  Supervisor,
} from '@hsu-master/workers';
import type { Places } from './places.ts';

export interface Wiring {
  readonly config: LoadedConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  readonly reapOrphans: boolean;
  readonly masterId: string;
  /** Called before anything is touched; throws where the master must not begin. */
  prepare(native: Native | null): void;
}

/** What the end of a master came to. */
export interface EndResult extends ShutdownResult {
  /** Living processes that workers had left to the master and that could not be ended either. */
  readonly strays: readonly ProcessIdentity[];
}

/** Between asking and killing the processes that no worker claims. */
const STRAY_GRACE: Milliseconds = 2000;

export interface Wired {
  readonly supervisor: Supervisor;
  readonly host: Host;
  readonly collector: FileCollector;
  /** Ends the workers, then everything that served them. */
  end(reason: string, deadline: Milliseconds): Promise<EndResult>;
}

/** Where everything meets. */
export function wire(wiring: Wiring): Wired {
  const { config, environment, places } = wiring;
  const clock = realClock();
  const loaded = loadNative();
  const native = loaded.ok ? loaded.native : null;
  wiring.prepare(native);
  const events = new EventStream(2000);
  const say = (event: EventDraft, workerId: string | null, run: number | null): void => {
    events.publish(event, clock.wallNow(), workerId, run);
  };
  if (native === null) throw new HsuError('E_UNSUPPORTED', 'no addon');
  const host = createNativeHost(native, { environment, clock, reapOrphans: wiring.reapOrphans });
  const journal = openJournal({
    runDirectory: places.runDirectory,
    stateDirectory: places.stateDirectory,
    bootId: native.bootId(),
    failed: (error) => say({ type: 'supervisor.defect', payload: { message: `cannot write the operator’s wish: ${String(error)}` } }, null, null),
  });
  const collector = fileCollector({ clock, publish: say });
  const hooks: RunHook[] = [healthHook(), mainProcessHook()];
  const supervisor = new Supervisor({ host, clock, hooks, collector, journal, masterId: wiring.masterId, events });
  supervisor.add(config.workers);
  return {
    supervisor,
    host,
    collector,
    async end(reason, deadline) {
      const result = await supervisor.shutdown(reason, deadline);
      const strays = await (host as NativeHost).endStrays(STRAY_GRACE);
      await journal.settled();
      await collector.close();
      host.close();
      return { ...result, strays };
    },
  };
}
