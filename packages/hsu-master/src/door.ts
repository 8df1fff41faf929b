import { type EventDraft, maskText } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { realClock } from '@hsu-master/workers';
import { openAccess } from './access/access.ts';
import type { GrpcListener } from './access/grpc-listener.ts';
import type { Listener } from './access/listener.ts';
import { createControl } from './control.ts';
import { type ControlSocket, openControlSocket } from './control-socket.ts';
import type { Master } from './create-master.ts';
import type { EndResult } from './wire.ts';

/** The way in for those who ask a master, and what they ask of it that ends it. */
export interface Door {
  /** What is open stays so where something else is not. @throws HsuError E_OTHER_MASTER, E_STATE, E_ADDRESS */
  open(): Promise<void>;
  /** Resolves when somebody asks for the end: that of the workers too, whatever the configuration says of other ends. */
  readonly asked: Promise<AskedEnd>;
  /** Tells who asked for the end what it came to, and lets nobody in any more. null: it goes on in another program. */
  close(result: EndResult | null): Promise<void>;
}

interface AskedEnd {
  readonly reason: string;
  readonly failed: false;
  readonly workers: 'stop';
}

/** Requests a second for each token where the configuration says nothing. */
const RATE = 100;

export function openDoor(master: Master): Door {
  const asked = Promise.withResolvers<AskedEnd>();
  const ended = Promise.withResolvers<EndResult | null>();
  const clock = realClock();
  const tell = (event: EventDraft): void => {
    master.events.publish(event, clock.wallNow(), null, null);
  };
  const { stateDirectory } = master.places;
  const { api, grpc } = master.config;
  const access = openAccess({
    stateDirectory,
    clock,
    perSecond: api?.rateLimit ?? grpc?.rateLimit ?? RATE,
    tell,
  });
  const { audit, gate, tokens } = access;
  const control = createControl({
    master,
    audit,
    tokens,
    environment: process.env,
    async shutdown(reason) {
      asked.resolve({ reason, failed: false, workers: 'stop' });
      const result = await ended.promise;
      if (result === null) return { survivors: [], forced: false };
      const { survivors, strays, forced } = result;
      return { survivors: [...survivors.map(({ process }) => process), ...strays], forced };
    },
  });
  const defect = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ type: 'supervisor.defect', payload: { message: maskText(message) } });
  };
  let socket: ControlSocket | null = null;
  let listener: Listener | null = null;
  let grpcListener: GrpcListener | null = null;
  return {
    asked: asked.promise,
    async open() {
      const loaded = loadNative();
      const native = loaded.ok ? loaded.native : null;
      const system = (loaded.ok && loaded.windows?.system) || null;
      const { runDirectory } = master.places;
      socket = await openControlSocket({ control, runDirectory, native, system, audit, defect });
      if (api !== null) {
        const { openListener } = await import('./access/listener.ts');
        listener = await openListener({ control, config: api, gate, audit, defect, tell });
      }
      if (grpc !== null) {
        const { openGrpcListener } = await import('./access/grpc-listener.ts');
        grpcListener = await openGrpcListener({ control, config: grpc, gate, audit, defect, tell });
      }
    },
    async close(result) {
      ended.resolve(result);
      await Promise.all([socket?.close(), listener?.close(), grpcListener?.close()]);
      socket = null;
      listener = null;
      grpcListener = null;
      await access.close();
    },
  };
}
