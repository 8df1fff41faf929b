import { join } from 'node:path';
import type { Clock, EventDraft, GrpcPort, Host, WorkerSpec } from '@hsu-master/core';
import { openGrpc } from '@hsu-master/grpc';
import { PidFiles, Ports, portMemory, startTimeOf } from '@hsu-master/workers';
import type { Places } from './places.ts';

interface Parts {
  readonly host: Host;
  readonly clock: Clock;
  readonly bootId: string;
  readonly places: Places;
  readonly publish: (event: EventDraft, workerId: string | null, run: number | null) => void;
}

/** What makes a program a unit that others find and ask: its port, its files, and who speaks with it. */
export interface Units {
  readonly grpc: GrpcPort;
  readonly ports: Ports;
  readonly pidFiles: PidFiles;
  /** Removes the files of workers that nobody is named by any more. */
  sweep(workers: readonly WorkerSpec[]): void;
  close(): void;
}

export function openUnits({ host, clock, bootId, places, publish }: Parts): Units {
  const grpc = openGrpc();
  const ports = new Ports(host, portMemory(join(places.stateDirectory, 'ports')));
  const startedAt = (process: Parameters<typeof startTimeOf>[0]) => startTimeOf(process, clock.wallNow());
  const pidFiles = new PidFiles({ host, bootId, startedAt, publish });
  return {
    grpc,
    ports,
    pidFiles,
    sweep(workers) {
      for (const worker of workers) pidFiles.sweep(worker);
    },
    close() {
      grpc.close();
      ports.close();
    },
  };
}
