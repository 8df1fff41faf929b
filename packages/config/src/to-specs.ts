import { dirname, isAbsolute, resolve, sep } from 'node:path';
import {
  type Command,
  type Dependency,
  hasReadiness,
  type LimitsSpec,
  type LogFileForm,
  type LogFilesSpec,
  type LogSpec,
  type QuotaSpec,
  type WorkerSpec,
} from '@hsu-master/core';
import type { Config, ManagedUnit } from './config.ts';
import type { Findings } from './findings.ts';
import { freeze } from './freeze.ts';
import type { Path } from './issue.ts';
import { doesNothing } from './normalise/pipeline.ts';
import { processFileDirectory } from './process-files.ts';
import { atHome, type Place } from './surroundings.ts';
import { toUnmanaged } from './to-unmanaged.ts';

const SHELL = '/bin/sh';
/** Nothing is executed. */
const NO_COMMAND: Omit<Command, 'cwd'> = {
  argv: [''],
  env: {},
  umask: null,
  user: null,
  group: null,
  groups: null,
};
const NO_QUOTAS: readonly QuotaSpec[] = Object.freeze([]);

/** Turns every unit into the frozen spec of its worker: paths made absolute, dependencies made definite. */
export function toSpecs(config: Config, place: Place, findings: Findings): readonly WorkerSpec[] {
  const units = new Map(config.units.map((unit) => [unit.id, unit]));
  const files = new Map<string, string>();
  const quotas = quotasOf(config, place);
  return freeze(
    config.units.map((unit): WorkerSpec => {
      const command = commandOf(unit, place, findings);
      const { mainProcess } = unit;
      return {
        id: unit.id,
        name: unit.name,
        description: unit.description,
        namespace: unit.namespace,
        group: unit.group,
        enabled: unit.enabled,
        command,
        restart: unit.restart,
        stop: { signal: unit.stopSignal, grace: unit.grace },
        dependsOn: dependenciesOf(unit, units),
        probes: unit.probes,
        mainProcess: mainProcess && {
          ...mainProcess,
          pidFile: resolve(command.cwd, atHome(mainProcess.pidFile, place)),
        },
        onDaemonize: unit.onDaemonize,
        listen: unit.listen,
        processFile: unit.processFile && { directory: processFileDirectory(unit.processFile, place) },
        log: logOf(unit, place, files, findings),
        limits: unit.limits && limitsOf(unit.limits, command.cwd, place),
        quotas: quotas(unit),
        unmanaged: unit.unmanaged && toUnmanaged(unit.unmanaged, place),
      };
    }),
  );
}

/** The budgets of a unit, the outermost first. Those of units in the same place are one and the same. */
function quotasOf(config: Config, place: Place): (unit: ManagedUnit) => readonly QuotaSpec[] {
  const { namespaces, groups } = config.quotas;
  const specs = (kind: QuotaSpec['kind'], all: ReadonlyMap<string, LimitsSpec | null>) =>
    new Map(
      [...all].flatMap(([id, limits]): [string, QuotaSpec][] =>
        limits === null ? [] : [[id, { kind, id, limits: limitsOf(limits, null, place) }]],
      ),
    );
  const outer = specs('namespace', namespaces);
  const inner = specs('group', groups);
  const known = new Map<string, readonly QuotaSpec[]>();
  return ({ namespace, group }) => {
    if (namespace === null && group === null) return NO_QUOTAS;
    const key = `${namespace ?? ''} ${group ?? ''}`;
    let quotas = known.get(key);
    if (quotas === undefined) {
      const found = [outer.get(namespace ?? ''), inner.get(group ?? '')];
      quotas = found.filter((quota) => quota !== undefined);
      known.set(key, quotas);
    }
    return quotas;
  };
}

/** The limits with absolute paths; `cwd` is whose device limits are for where they name no path. */
function limitsOf(limits: LimitsSpec, cwd: string | null, place: Place): LimitsSpec {
  const { values, ioPaths, tempDirectory, alerts } = limits;
  const perDevice = Object.keys(values).some((limit) => limit.startsWith('io.max_'));
  const absolute = (path: string) => resolve(place.directory, atHome(path, place));
  // A name without a slash stays for PATH.
  const programAt = (program: string) => (program.includes('/') ? absolute(program) : program);
  return {
    ...limits,
    ioPaths: ioPaths.length === 0 && perDevice && cwd !== null ? [cwd] : ioPaths.map(absolute),
    tempDirectory: tempDirectory && absolute(tempDirectory),
    alerts: alerts && {
      ...alerts,
      exec: alerts.exec && [programAt(alerts.exec[0]), ...alerts.exec.slice(1)],
    },
  };
}

function dependenciesOf(unit: ManagedUnit, units: ReadonlyMap<string, ManagedUnit>): Dependency[] {
  const dependencies: Dependency[] = [];
  for (const { id, condition, restart } of unit.dependsOn) {
    const target = units.get(id);
    // Units that are not run are not waited for; a warning said so.
    if (target === undefined) continue;
    dependencies.push({
      id,
      condition: condition ?? (hasReadiness(target) ? 'ready' : 'started'),
      restart: restart || target.restartDependents,
    });
  }
  return dependencies;
}

function commandOf(unit: ManagedUnit, place: Place, findings: Findings): Command {
  if (unit.unmanaged !== null) return { ...NO_COMMAND, cwd: place.directory };
  const { program, cwd: writtenCwd, env, umask, user, group, groups } = unit.execution;
  const wanted = writtenCwd === null ? null : resolve(place.directory, atHome(writtenCwd, place));
  let argv: [string, ...string[]];
  let cwd = wanted ?? place.directory;
  if (program.kind === 'shell') argv = [SHELL, '-c', program.line, ...program.args];
  else {
    const [written, ...args] = program.words;
    const path = programPath(written, unit, wanted, place);
    argv = [path, ...args];
    if (unit.form === 'long' && wanted === null && isAbsolute(path)) cwd = dirname(path);
    if (isAbsolute(path) && !place.exists(path)) reportMissing(unit, path, findings);
  }
  if (wanted !== null && !place.exists(wanted)) {
    const key =
      unit.form === 'short'
        ? ['cwd']
        : [
            'unit',
            unit.listen === null ? 'managed' : 'integrated',
            'control',
            'execution',
            'working_directory',
          ];
    findings.noticeAt(`missing directory ${wanted}`, [...unit.at, ...key], () => ({
      message: `the working directory ${wanted} does not exist yet`,
      hint: 'create it before the worker is started',
    }));
  }
  return { argv, cwd, env, umask, user, group, groups };
}

function reportMissing(unit: ManagedUnit, path: string, findings: Findings): void {
  const key: Path =
    unit.form === 'short'
      ? ['command']
      : ['unit', unit.listen === null ? 'managed' : 'integrated', 'control', 'execution', 'executable_path'];
  findings.noticeAt(`missing program ${path}`, [...unit.at, ...key], () => ({
    message: `the program ${path} does not exist yet`,
    hint: 'build or install it before the worker is started',
  }));
}

/**
 * A name without a slash stays for PATH. A relative path is looked for where people may have meant it: in the worker’s
 * working directory (short form, as a shell would), beside the configuration file, in the master’s working directory.
 */
function programPath(written: string, unit: ManagedUnit, wanted: string | null, place: Place): string {
  const program = unit.form === 'long' ? atHome(written, place) : written;
  if (isAbsolute(program) || !(program.includes('/') || program.includes(sep))) return program;
  const bases =
    unit.form === 'short' && wanted !== null
      ? [wanted, place.directory, place.cwd]
      : [place.directory, place.cwd];
  const candidates = bases.map((base) => resolve(base, program));
  return candidates.find((candidate) => place.exists(candidate)) ?? (candidates[0] as string);
}

function logOf(unit: ManagedUnit, place: Place, files: Map<string, string>, findings: Findings): LogSpec {
  const { captureStdout, captureStderr, stdoutFile, stderrFile, maxSize, maxFiles, pipeline } = unit.log;
  const directory = place.workerLogDirectory;
  const file = (written: string | null, stream: 'stdout' | 'stderr'): string => {
    const usual = `${directory}${sep}${unit.id}-${stream}.log`;
    const path =
      written === null
        ? usual
        : resolve(directory, atHome(written.replaceAll('{worker_id}', unit.id), place));
    const owner = files.get(path);
    if (owner === undefined || owner === unit.id) {
      files.set(path, unit.id);
      return path;
    }
    findings.noticeAt(`log file ${path}`, unit.at, () => ({
      message: `the log file ${path} belongs to "${owner}" already; ${usual} is used`,
      hint: 'write {worker_id} into the path',
    }));
    return usual;
  };
  const [stdout, stderr] = [file(stdoutFile, 'stdout'), file(stderrFile, 'stderr')];
  return {
    captureStdout,
    captureStderr,
    stdoutFile: stdout,
    stderrFile: stderr,
    maxSize,
    maxFiles,
    files: filesOf(unit, stdout === stderr, findings),
    pipeline: doesNothing(pipeline) ? null : pipeline,
  };
}

/** What the program writes itself nobody can format, or drop. */
function checkChannel(unit: ManagedUnit, forms: readonly LogFileForm[], findings: Findings): void {
  const { channel, overflow } = unit.log.files;
  if (channel !== 'file') return;
  if (forms.some(({ format, prefix }) => format !== 'plain' || prefix !== '')) {
    findings.errorAt(unit.at, {
      message:
        'channel: file keeps output as the program writes it; its own files have no format or prefix then',
      hint: 'write channel: fifo, or give the format to a target in forwarding',
    });
  }
  if (overflow !== 'block') {
    findings.noticeAt('when_full of channel: file', unit.at, () => ({
      message:
        'when_full is for targets only with channel: file: the program itself waits for the disk, or is told that it is full',
    }));
  }
}

function filesOf(unit: ManagedUnit, isShared: boolean, findings: Findings): LogFilesSpec {
  const { files } = unit.log;
  const form = (stream: 'stdout' | 'stderr'): LogFileForm => {
    const { format, prefix } = files.forms[stream];
    const known = prefix.replaceAll(/\{(?:worker|process)_id\}/g, unit.id).replaceAll('{stream}', stream);
    return { format, prefix: known };
  };
  const [stdout, stderr] = [form('stdout'), form('stderr')];
  checkChannel(unit, [stdout, stderr], findings);
  if (/\{(?:timestamp|level|sequence|run|host|master_id)\}/.test(stdout.prefix + stderr.prefix)) {
    findings.noticeAt('prefix of own file', unit.at, () => ({
      message: 'in the prefix of a worker’s own file only {worker_id} and {stream} are replaced',
      hint: 'write format: enhanced_plain or structured_json, or a target of its own',
    }));
  }
  if (isShared && JSON.stringify(stdout) !== JSON.stringify(stderr)) {
    findings.noticeAt('two formats in one file', unit.at, () => ({
      message: 'both streams go to one file, which has one format and prefix: those of stdout count',
    }));
    return { ...files, forms: { stdout, stderr: stdout } };
  }
  return { ...files, forms: { stdout, stderr } };
}
