import type { SignalName, UnmanagedControl } from '@hsu-master/core';
import type { LogConfig, ManagedUnit } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenSystemControl, WrittenUnmanaged } from '../schema/discovery.ts';
import type { WrittenLongWorker } from '../schema/worker.ts';
import { managerHere, normaliseDiscovery } from './discovery.ts';
import { longLog } from './logs.ts';
import { normaliseProbes } from './probes.ts';
import { longRestart } from './restart.ts';
import { commonOf, longLimits } from './unit.ts';

const GRACE = 30_000;

/** Nothing of it is executed. */
const NO_EXECUTION: ManagedUnit['execution'] = Object.freeze<ManagedUnit['execution']>({
  program: { kind: 'words', words: [''] },
  cwd: null,
  env: {},
  umask: null,
  user: null,
  group: null,
  groups: null,
});

/** A unit whose process somebody else starts. */
export function unmanagedUnit(
  worker: WrittenLongWorker,
  written: WrittenUnmanaged,
  place: { readonly at: Path; readonly log: LogConfig },
  findings: Findings,
): ManagedUnit {
  const { control = {}, metadata, log_files: logFiles = [] } = written;
  const at = [...place.at, 'unit', 'unmanaged'];
  const where = [...at, 'control'];
  const profile = worker.profile_type || 'default';
  const restart = longRestart(
    { restart_policy: control.restart_policy || 'never' },
    profile,
    where,
    findings,
  );
  const limits = longLimits(control, [...where, 'limits'], {}, findings);
  const throttles = Object.values(limits?.responses ?? {}).some(({ steps }) =>
    steps.some(({ policy }) => policy === 'throttle'),
  );
  if (throttles) {
    findings.noticeAt('throttle of unmanaged units', [...where, 'limits'], () => ({
      message: 'the policy throttle does nothing to a process that others start',
      hint: 'write alert, or restart with can_restart',
    }));
  }
  return {
    form: 'long',
    ...commonOf(worker, place.at),
    name: metadata?.name || worker.id,
    description: metadata?.description ?? '',
    execution: NO_EXECUTION,
    restart,
    stopSignal: control.stop_signal ?? 'SIGTERM',
    grace: control.graceful_timeout || GRACE,
    mainProcess: null,
    onDaemonize: 'kill',
    probes: normaliseProbes(written, at, findings),
    log: longLog(written.log_collection, place.log, [...at, 'log_collection'], findings),
    limits,
    listen: null,
    processFile: null,
    unmanaged: {
      discovery: normaliseDiscovery(written.discovery, [...at, 'discovery'], findings),
      control: controlOf(written, where, findings),
      logFiles,
    },
  };
}

function controlOf(
  { control = {}, discovery }: WrittenUnmanaged,
  at: Path,
  findings: Findings,
): UnmanagedControl {
  const terminate = control.can_terminate ?? false;
  const restart = control.can_restart ?? false;
  const manager = managerHere(control.service_manager, [...at, 'service_manager'], findings);
  const name = control.service_name || discovery.service_name;
  if (manager !== null && name === undefined) {
    findings.noticeAt('service without name', [...at, 'service_manager'], () => ({
      message: 'no service_name says which service it is; not used',
    }));
  }
  const commands = {
    stop: wordsOf(control.stop_command, [...at, 'stop_command'], findings),
    restart: wordsOf(control.restart_command, [...at, 'restart_command'], findings),
  };
  const service = manager === null || name === undefined ? null : { manager, name };
  const signals = signalsOf(control, terminate);
  if (restart && service === null && commands.restart === null) {
    findings.noticeAt('can_restart without a way', [...at, 'can_restart'], () => ({
      message: 'nothing says how it is restarted, so that it cannot be',
      hint: 'write service_manager and service_name, or restart_command',
    }));
  }
  return { terminate, restart, move: control.can_move ?? false, signals, service, commands };
}

function signalsOf(control: WrittenSystemControl, terminate: boolean): readonly SignalName[] {
  if (control.allowed_signals !== undefined) return [...new Set(control.allowed_signals)];
  return terminate ? [...new Set<SignalName>([control.stop_signal ?? 'SIGTERM', 'SIGKILL'])] : [];
}

function wordsOf(
  written: WrittenSystemControl['stop_command'],
  at: Path,
  findings: Findings,
): readonly [string, ...string[]] | null {
  if (written === undefined) return null;
  const words = 'line' in written ? written.split : written;
  if ('wrong' in words) {
    findings.errorAt(at, { message: words.wrong, hint: words.hint ?? null });
    return null;
  }
  const [program, ...args] = words;
  if (program === undefined || program === '') {
    findings.errorAt(at, { message: 'names no program' });
    return null;
  }
  return [program, ...args];
}
