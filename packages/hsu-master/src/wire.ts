import type { LoadedConfig } from '@hsu-master/config';
import { type EventDraft, EventStream, type Host, type Milliseconds, type OutputStream, type RunHook } from '@hsu-master/core';
import { healthHook } from '@hsu-master/health';
import { fileCollector } from '@hsu-master/logcollect';
import { loadNative, type Native } from '@hsu-master/native';
import {
  createNativeHost,
  createNodeHost,
  mainProcessHook,
  openJournal,
  realClock,
  type ShutdownResult,
  Supervisor,
} from '@hsu-master/workers';
import type { Places } from './places.ts';

/** Sees every chunk of every worker’s output, at once and without a say in it. */
export type OutputTap = (workerId: string, stream: OutputStream, chunk: Uint8Array | null) => void;

export interface Wiring {
  readonly config: LoadedConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  readonly reapOrphans: boolean;
  readonly masterId: string;
  readonly tap: OutputTap | null;
  /** Called before anything is touched; throws where the master must not begin. */
  prepare(native: Native | null): void;
}

export interface Wired {
  readonly supervisor: Supervisor;
  readonly host: Host;
  lastLines(id: string): readonly string[];
  /** Ends the workers, then everything that served them. */
  end(reason: string, deadline: Milliseconds): Promise<ShutdownResult>;
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
  const host = native === null
    ? createNodeHost({ environment, clock })
    : createNativeHost(native, { environment, clock, reapOrphans: wiring.reapOrphans });
  const journal = openJournal({
    runDirectory: places.runDirectory,
    stateDirectory: places.stateDirectory,
    bootId: native?.bootId() ?? 'unknown',
    failed: (error) => say({ type: 'supervisor.defect', payload: { message: `cannot write the operator’s wish: ${String(error)}` } }, null, null),
  });
  const collector = fileCollector({ clock, publish: say, tap: wiring.tap });
  const hooks: RunHook[] = [healthHook(), mainProcessHook()];
  const supervisor = new Supervisor({ host, clock, hooks, collector, journal, masterId: wiring.masterId, events });
  supervisor.add(config.workers);
  return {
    supervisor,
    host,
    lastLines: (id) => collector.lastLines(id),
    async end(reason, deadline) {
      const result = await supervisor.shutdown(reason, deadline);
      await journal.settled();
      await collector.close();
      host.close();
      return result;
    },
  };
}
