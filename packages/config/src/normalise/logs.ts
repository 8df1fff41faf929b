import {
  type LogFileForm,
  type LogFilesSpec,
  type OutputStream,
  type PipelineSpec,
  PLAIN_FILES,
} from '@hsu-master/core';
import type { BufferingConfig, Config, LogConfig, TargetConfig } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenLogCollection, WrittenWorkerLog } from '../schema/logs.ts';
import type { WrittenTarget } from '../schema/targets.ts';
import type { WrittenShortWorker } from '../schema/worker.ts';
import { alertsOf } from './log-alerts.ts';
import { NO_PIPELINE, processed } from './pipeline.ts';

/** What holds where nothing is said: 100 MB and ten old files, as the original’s built-in defaults. */
const DEFAULT_LOG: LogConfig = {
  captureStdout: true,
  captureStderr: true,
  stdoutFile: null,
  stderrFile: null,
  maxSize: 100e6,
  maxFiles: 10,
  files: PLAIN_FILES,
  pipeline: NO_PIPELINE,
  enhancement: NO_PIPELINE,
  targets: { stdout: [], stderr: [], forwarding: [] },
  buffering: {},
  alerts: [],
};

/** What holds for all workers, before `default_worker`. */
export function commonLog(written: WrittenLogCollection | undefined, enhancement: PipelineSpec): LogConfig {
  const { buffer_size, flush_interval } = written?.system ?? {};
  return {
    ...DEFAULT_LOG,
    files: { ...PLAIN_FILES, channel: written?.channel ?? PLAIN_FILES.channel },
    pipeline: enhancement,
    enhancement,
    buffering: {
      ...(buffer_size === undefined ? {} : { buffer_size }),
      ...(flush_interval === undefined ? {} : { flush_interval: `${flush_interval}ms` }),
    },
  };
}

/** Where collection as a whole is off, workers have to ask for it themselves. */
export function unlessOff(written: WrittenLogCollection | undefined, log: LogConfig): LogConfig {
  return written?.enabled === false ? { ...log, captureStdout: false, captureStderr: false } : log;
}

const BOTH: readonly OutputStream[] = ['stdout', 'stderr'];

/** One worker’s block (or the block for all of them), laid over what holds anyway. */
export function longLog(
  written: WrittenWorkerLog | undefined,
  base: LogConfig,
  at: Path,
  findings: Findings,
): LogConfig {
  if (written === undefined) return base;
  const where = [...at, 'outputs', 'separate'];
  const { outputs, forwarding } = written;
  const separate = (stream: OutputStream) =>
    separated(outputs?.separate?.[stream], stream, [...where, stream]);
  const [out, err] = [separate('stdout'), separate('stderr')];
  const [stdout, stderr] = [out?.file ?? null, err?.file ?? null];
  warnOfTwoRotations(stdout, stderr, written.retention_policy !== undefined, where, findings);
  const rotation = { ...stderr?.rotation, ...stdout?.rotation, ...written.retention_policy };
  const on = written.enabled !== false;
  const own = written.enabled === true;
  return {
    captureStdout: on && (written.capture_stdout ?? (own || base.captureStdout)),
    captureStderr: on && (written.capture_stderr ?? (own || base.captureStderr)),
    stdoutFile: stdout?.path ?? base.stdoutFile,
    stderrFile: stderr?.path ?? base.stderrFile,
    maxSize: rotation.max_size ?? base.maxSize,
    maxFiles: rotation.max_files ?? base.maxFiles,
    files: {
      ...filesOf({ ...written.retention_policy, ...maxAgeOf(rotation) }, written, base.files),
      forms: {
        stdout: out === null ? base.files.forms.stdout : formOf(stdout ?? {}),
        stderr: err === null ? base.files.forms.stderr : formOf(stderr ?? {}),
      },
    },
    pipeline: processed(written, base, at, findings),
    enhancement: base.enhancement,
    targets: {
      stdout: out?.others ?? base.targets.stdout,
      stderr: err?.others ?? base.targets.stderr,
      forwarding: forwarded(
        [
          [outputs?.forwarding, [...at, 'outputs', 'forwarding']],
          [forwarding, [...at, 'forwarding']],
        ],
        base.targets.forwarding,
      ),
    },
    buffering: bufferingOf(written, base.buffering),
    alerts:
      written.alerts === undefined ? base.alerts : alertsOf(written.alerts, [...at, 'alerts'], findings),
  };
}

/** As the keys of a target’s `config`. */
function bufferingOf(
  { buffer_size, buffering = {} }: WrittenWorkerLog,
  base: BufferingConfig,
): BufferingConfig {
  const { size = buffer_size, flush_interval, max_lines = 0 } = buffering;
  return {
    ...base,
    ...(size === undefined ? {} : { buffer_size: size }),
    ...(flush_interval === undefined ? {} : { flush_interval: `${flush_interval}ms` }),
    ...(max_lines === 0 ? {} : { batch_lines: Math.min(max_lines, MOST_AT_ONCE) }),
  };
}

/** More lines than this no target takes at once. */
const MOST_AT_ONCE = 100_000;

function maxAgeOf({ max_age }: { readonly max_age?: number }): { readonly max_age?: number } {
  return max_age === undefined ? {} : { max_age };
}

interface WrittenFiles {
  readonly max_age?: number;
  readonly compress?: LogFilesSpec['compression'];
  readonly rotate_every?: 'never' | 'hour' | 'day';
}

interface WrittenFlow {
  readonly when_full?: keyof typeof OVERFLOWS;
  readonly channel?: LogFilesSpec['channel'];
}

const SECONDS = { never: 0, hour: 3600, day: 86_400 } as const;
const OVERFLOWS = { block: 'block', drop_oldest: 'drop-oldest', drop_newest: 'drop-newest' } as const;

function filesOf(
  { max_age, compress, rotate_every }: WrittenFiles,
  { when_full, channel }: WrittenFlow,
  base: LogFilesSpec,
): LogFilesSpec {
  return {
    forms: base.forms,
    overflow: when_full === undefined ? base.overflow : OVERFLOWS[when_full],
    rotateEvery: rotate_every === undefined ? base.rotateEvery : SECONDS[rotate_every],
    compression: compress ?? base.compression,
    maxAge: max_age === undefined ? base.maxAge : max_age || null,
    channel: channel ?? base.channel,
  };
}

function formOf({ format = 'plain', prefix = '' }: Pick<WrittenTarget, 'format' | 'prefix'>): LogFileForm {
  return { format, prefix };
}

type WrittenForwarding = NonNullable<WrittenWorkerLog['forwarding']>;

/** Both spellings add up; what is written replaces what holds for all. */
function forwarded(
  written: readonly (readonly [WrittenForwarding | undefined, Path])[],
  base: readonly TargetConfig[],
): readonly TargetConfig[] {
  if (written.every(([block]) => block === undefined)) return base;
  return written.flatMap(([block, at]) => {
    if (block === undefined) return [];
    if (isList(block)) return targetsOf(block, at);
    return block.enabled === false ? [] : targetsOf(block.targets ?? [], [...at, 'targets']);
  });
}

function targetsOf(written: readonly WrittenTarget[], at: Path): readonly TargetConfig[] {
  return written.map((target, index) => ({ at: [...at, index], streams: BOTH, written: target }));
}

/** What holds for the lines of all workers. */
export function aggregated(
  written: WrittenLogCollection | undefined,
  buffering: BufferingConfig,
  findings: Findings,
): Config['aggregation'] {
  if (written?.enabled === false) return null;
  const { global_aggregation: global, alerts = [] } = written ?? {};
  const at = ['log_collection', 'global_aggregation', 'targets'];
  return {
    targets: global?.enabled === false ? [] : targetsOf(global?.targets ?? [], at),
    buffering,
    alerts: alertsOf(alerts, ['log_collection', 'alerts'], findings),
  };
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

/** Both files of a worker rotate alike; what is asked for one of them only is not done in silence. */
function warnOfTwoRotations(
  stdout: WrittenTarget | null,
  stderr: WrittenTarget | null,
  overruled: boolean,
  at: Path,
  findings: Findings,
): void {
  const one = JSON.stringify(stdout?.rotation ?? stderr?.rotation);
  const other = JSON.stringify(stderr?.rotation ?? stdout?.rotation);
  if (one === undefined || (one === other && !overruled)) return;
  findings.noticeAt(
    'outputs.separate rotation',
    at,
    () => ({
      message: overruled
        ? 'retention_policy overrules the rotation of the separate outputs'
        : 'both files of a worker rotate alike in this version: the rotation of stdout counts',
    }),
    [],
  );
}

/** The first target that is a file is the worker’s own; the others are targets like any. null: nothing is written. */
function separated(
  targets: readonly WrittenTarget[] | undefined,
  stream: OutputStream,
  at: Path,
): { readonly file: WrittenTarget | null; readonly others: readonly TargetConfig[] } | null {
  if (targets === undefined) return null;
  const own = targets.findIndex(({ type = 'file' }) => type === 'file');
  const file = targets[own] ?? null;
  const others = targets.map((written, index) => ({ at: [...at, index], streams: [stream], written }));
  return { file, others: others.filter((_, index) => index !== own) };
}

export function shortLog(
  written: WrittenShortWorker['log'],
  base: LogConfig,
  at: Path,
  findings: Findings,
): LogConfig {
  if (written === undefined) return base;
  return {
    captureStdout: written.capture_stdout ?? base.captureStdout,
    captureStderr: written.capture_stderr ?? base.captureStderr,
    stdoutFile: written.stdout ?? base.stdoutFile,
    stderrFile: written.stderr ?? base.stderrFile,
    maxSize: written.max_size ?? base.maxSize,
    maxFiles: written.max_files ?? base.maxFiles,
    files: {
      ...filesOf(written, written, base.files),
      forms: {
        stdout: shortForm(written, base.files.forms.stdout),
        stderr: shortForm(written, base.files.forms.stderr),
      },
    },
    pipeline: processed(written, base, at, findings),
    enhancement: base.enhancement,
    buffering: base.buffering,
    targets: {
      ...base.targets,
      forwarding: forwarded([[written.forwarding, [...at, 'forwarding']]], base.targets.forwarding),
    },
    alerts:
      written.alerts === undefined ? base.alerts : alertsOf(written.alerts, [...at, 'alerts'], findings),
  };
}

function shortForm(
  { format, prefix }: NonNullable<WrittenShortWorker['log']>,
  base: LogFileForm,
): LogFileForm {
  return { format: format ?? base.format, prefix: prefix ?? base.prefix };
}
