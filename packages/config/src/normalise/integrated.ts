import type { GrpcCall, ListenSpec, Probe, Probes } from '@hsu-master/core';
import type { LogConfig, ManagedUnit } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenIntegrated } from '../schema/units.ts';
import type { WrittenLongWorker } from '../schema/worker.ts';
import { processFile } from './process-file.ts';
import { longUnit } from './unit.ts';

/** The original’s rhythm. */
const INTERVAL = 30_000;
const TIMEOUT = 5000;

/** Whether it serves is asked more often: dependents wait for it. */
const READY_INTERVAL = 1000;

/** A managed unit that is given a port, and is asked there. */
export function integratedUnit(
  worker: WrittenLongWorker,
  written: WrittenIntegrated,
  place: { readonly at: Path; readonly log: LogConfig },
  findings: Findings,
): ManagedUnit {
  const unit = longUnit(worker, written, { ...place, block: 'integrated' }, findings);
  const { liveness, readiness, startup } = unit.probes;
  const usual = usualProbes(written, [...place.at, 'unit', 'integrated'], findings);
  const listen: ListenSpec = {
    range: written.port ?? null,
    argument: (written.port_argument ?? '--port') || null,
    handOver: written.port_handover ?? 'reserve',
    isUnit: true,
  };
  return {
    ...unit,
    listen,
    probes: { startup, liveness: liveness ?? usual.liveness, readiness: readiness ?? usual.readiness },
    processFile: unit.processFile ?? processFile({}),
  };
}

function usualProbes(
  { health_check_run_options: options = {} }: WrittenIntegrated,
  at: Path,
  findings: Findings,
): Probes {
  const {
    interval = INTERVAL,
    timeout = Math.min(TIMEOUT, interval / 2),
    initial_delay: initialDelay = 0,
  } = options;
  if (timeout >= interval) {
    findings.errorAt([...at, 'health_check_run_options', 'timeout'], {
      message: 'timeout must be shorter than interval',
    });
  }
  if (options.enabled === false) return { startup: null, liveness: null, readiness: null };
  const failureThreshold = options.retries === undefined ? 2 : Math.max(1, options.retries);
  const probe = (call: GrpcCall): Probe => ({
    check: { type: 'grpc', host: '127.0.0.1', port: null, call, headers: {} },
    interval,
    timeout,
    initialDelay,
    failureThreshold,
    successThreshold: 1,
  });
  const every = Math.min(READY_INTERVAL, interval);
  return {
    startup: null,
    liveness: probe({ kind: 'ping' }),
    readiness: { ...probe({ kind: 'serving' }), interval: every, timeout: Math.min(timeout, every) },
  };
}
