import { join } from 'node:path';
import type { Clock, EventDraft, GrpcPort, Host } from '@hsu-master/core';
import { openGrpc } from '@hsu-master/grpc';
import { fileMemory, PidFiles, Ports, portMemory, startTimeOf } from '@hsu-master/workers';
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
  close(): void;
}

export function openUnits({ host, clock, bootId, places, publish }: Parts): Units {
  const grpc = openGrpc();
  const ports = new Ports(host, portMemory(join(places.stateDirectory, 'ports')));
  const startedAt = (process: Parameters<typeof startTimeOf>[0]) => startTimeOf(process, clock.wallNow());
  const memory = fileMemory(join(places.stateDirectory, 'process-files'));
  const pidFiles = new PidFiles({ host, bootId, startedAt, publish, memory });
  return {
    grpc,
    ports,
    pidFiles,
    close() {
      grpc.close();
      ports.close();
    },
  };
}
