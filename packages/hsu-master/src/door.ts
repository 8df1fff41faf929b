import { loadNative } from '@hsu-master/native';
import { realClock } from '@hsu-master/workers';
import { createControl } from './control.ts';
import { type ControlSocket, openControlSocket } from './control-socket.ts';
import type { Master } from './create-master.ts';
import type { EndResult } from './wire.ts';

/** The way in for those who ask a master, and what they ask of it that ends it. */
export interface Door {
  /** @throws HsuError E_OTHER_MASTER, E_STATE */
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

export function openDoor(master: Master): Door {
  const asked = Promise.withResolvers<AskedEnd>();
  const ended = Promise.withResolvers<EndResult | null>();
  const control = createControl({
    master,
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
    const at = realClock().wallNow();
    master.events.publish({ type: 'supervisor.defect', payload: { message } }, at, null, null);
  };
  let socket: ControlSocket | null = null;
  return {
    asked: asked.promise,
    async open() {
      const loaded = loadNative();
      const native = loaded.ok ? loaded.native : null;
      const { runDirectory } = master.places;
      socket = await openControlSocket({ control, runDirectory, native, defect });
    },
    async close(result) {
      ended.resolve(result);
      await socket?.close();
      socket = null;
    },
  };
}
