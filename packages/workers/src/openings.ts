import {
  type Effect,
  type Exit,
  type Host,
  type HostRun,
  isUnknown,
  type Journal,
  type OutputChannels,
  type OutputCollector,
  type ProcessIdentity,
  type RunReport,
  type RunTrace,
  type WorkerSpec,
} from '@hsu-master/core';
import type { Ports } from './ports/ports.ts';

interface Surroundings {
  readonly host: Host;
  readonly collector: OutputCollector;
  readonly journal: Journal;
  readonly ports: Ports;
}

type Report = (report: RunReport) => void;

/** Has the host begin a run that the journal will know by this trace. Throws what the host throws. */
export function spawn(
  { host, collector, journal, ports }: Surroundings,
  spec: WorkerSpec,
  { run, limits }: Effect & { readonly kind: 'spawn' },
  trace: RunTrace,
  report: Report,
): HostRun {
  const { id: workerId, log, quotas } = spec;
  const { command, listens } = ports.assign(spec);
  const request = {
    workerId,
    run,
    command,
    mark: trace.mark,
    captureStdout: log.captureStdout,
    captureStderr: log.captureStderr,
    listens,
    output: collector.open(spec, run),
    limits,
    quotas,
    record: (process: ProcessIdentity) => journal.recordRun({ workerId, run, process, ...trace }),
  };
  return host.spawn(request, report);
}

/**
 * Returns what takes charge of a run that an earlier master began, to be called until the host does not refuse. The worker is described
 * as it is at each call.
 */
export function attachment(
  { host, collector }: Pick<Surroundings, 'host' | 'collector'>,
  worker: { readonly spec: WorkerSpec },
  { run, process, mark, exit, limits, limitsHold }: Effect & { readonly kind: 'attach' },
  report: Report,
): () => HostRun {
  let channels: OutputChannels | null | undefined;
  return () => {
    const { id: workerId, command, quotas } = worker.spec;
    if (channels === undefined) channels = collector.resume(worker.spec, run, mark);
    const request = { workerId, run, process, mark, command, channels, limits, limitsHold, quotas };
    return host.attach(request, (news) => report(withKnownExit(news, exit)));
  };
}

/** Has the host watch a process that somebody else started. */
export function accompany(
  { host, collector }: Pick<Surroundings, 'host' | 'collector'>,
  spec: WorkerSpec,
  { run, process, limits }: Effect & { readonly kind: 'accompany' },
  report: Report,
): HostRun {
  // Its files are read by themselves; what it writes anywhere else nobody hears.
  const output = collector.open(spec, run);
  for (const stream of ['stdout', 'stderr'] as const) output.end(stream);
  return host.accompany({ process, limits, mayMove: spec.unmanaged?.control.move === true }, report);
}

/** What an earlier master saw of the end says more than what this host can. */
function withKnownExit(report: RunReport, known: Exit | null): RunReport {
  return report.kind === 'exited' && known !== null && isUnknown(report.exit)
    ? { ...report, exit: known }
    : report;
}
