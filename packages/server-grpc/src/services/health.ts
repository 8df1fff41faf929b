import { HsuError } from '@hsu-master/core';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import type { HealthCheckResponse, Services } from '../messages.ts';

type Status = HealthCheckResponse['status'];

/** Whole services are served or not; workers serve when they are ready. */
export function healthService(services: readonly (keyof Services)[]): Handlers<'grpc.health.v1.Health'> {
  const isService = (name: string): boolean => (services as readonly string[]).includes(name);

  /** Null: there is none of that name, or it may not be seen. */
  const statusOf = (name: string, call: Call): Status | null => {
    // Whether the master itself answers everybody may know, as everybody may who can connect at all.
    if (name === '') return 'SERVING';
    call.demandAny();
    if (isService(name)) return 'SERVING';
    const { control } = call;
    const worker = control.workers({ patterns: [], namespace: null }, false).find(({ id }) => id === name);
    if (worker === undefined || !call.may('workers:read', worker)) return null;
    return worker.ready ? 'SERVING' : 'NOT_SERVING';
  };

  return {
    Check({ service }, call) {
      const status = statusOf(service, call);
      if (status === null) throw new HsuError('E_UNKNOWN_WORKER', `there is no service "${service}"`);
      return { status };
    },

    List(_question, call) {
      call.demandAny();
      const workers = call.control.workers({ patterns: [], namespace: null }, false);
      const names = ['', ...services, ...call.allowed('workers:read', workers).map(({ id }) => id)];
      const statuses = names.map((name) => [name, { status: statusOf(name, call) ?? 'UNKNOWN' }] as const);
      return { statuses: Object.fromEntries(statuses) };
    },

    async *Watch({ service }, call) {
      const { control, signal } = call;
      let wake: () => void = () => {};
      const unsubscribe = control.events.subscribe(({ workerId }) => {
        if (workerId === service) wake();
      });
      const abort = (): void => wake();
      signal.addEventListener('abort', abort);
      try {
        let last: Status | null = null;
        while (!signal.aborted) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          const status = statusOf(service, call) ?? 'SERVICE_UNKNOWN';
          if (status !== last) yield { status };
          else if (!signal.aborted) await promise;
          last = status;
        }
      } finally {
        unsubscribe();
        signal.removeEventListener('abort', abort);
      }
    },
  };
}
