import type { LogConfig } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import type { WrittenTarget, WrittenWorkerLog } from '../schema/logs.ts';
import type { WrittenShortWorker } from '../schema/worker.ts';
import { NO_PIPELINE, processed } from './pipeline.ts';

/** What holds where nothing is said: 100 MB and ten old files, as the original’s built-in defaults. */
export const DEFAULT_LOG: LogConfig = {
  captureStdout: true,
  captureStderr: true,
  stdoutFile: null,
  stderrFile: null,
  maxSize: 100e6,
  maxFiles: 10,
  pipeline: NO_PIPELINE,
  enhancement: NO_PIPELINE,
};

/** One worker’s block (or the block for all of them), laid over what holds anyway. */
export function longLog(
  written: WrittenWorkerLog | undefined,
  base: LogConfig,
  at: Path,
  findings: Findings,
): LogConfig {
  if (written === undefined) return base;
  const where = [...at, 'outputs', 'separate'];
  const stdout = fileTarget(written.outputs?.separate?.stdout, [...where, 'stdout'], findings);
  const stderr = fileTarget(written.outputs?.separate?.stderr, [...where, 'stderr'], findings);
  warnOfTwoRotations(stdout, stderr, written.retention_policy !== undefined, where, findings);
  const rotation = { ...stderr?.rotation, ...stdout?.rotation, ...written.retention_policy };
  const on = written.enabled !== false;
  return {
    captureStdout: on && (written.capture_stdout ?? base.captureStdout),
    captureStderr: on && (written.capture_stderr ?? base.captureStderr),
    stdoutFile: stdout?.path ?? base.stdoutFile,
    stderrFile: stderr?.path ?? base.stderrFile,
    maxSize: rotation.max_size ?? base.maxSize,
    maxFiles: rotation.max_files ?? base.maxFiles,
    pipeline: processed(written, base, at, findings),
    enhancement: base.enhancement,
  };
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

/** The first target that is a file. All others are named as not acted on. */
function fileTarget(
  targets: readonly WrittenTarget[] | undefined,
  at: Path,
  findings: Findings,
): WrittenTarget | null {
  let chosen: WrittenTarget | null = null;
  for (const [index, target] of (targets ?? []).entries()) {
    const isFile = target.type === undefined || target.type === 'file';
    if (isFile && chosen === null) {
      chosen = target;
      continue;
    }
    findings.noticeAt(
      'outputs.separate targets',
      [...at, index],
      () => ({
        message: 'accepted, but each stream goes to its first target of type file only, in this version',
      }),
      [],
    );
  }
  return chosen;
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
    pipeline: processed(written, base, at, findings),
    enhancement: base.enhancement,
  };
}
