import { boolean, handle, integer, oneOf, text } from '../check.ts';
import { closedError } from '../failure.ts';
import type { CheckedWindowsSpawn, FlatJobLimits, WindowsAddon, WindowsAddonEngine } from './addon.ts';
import { nameWindowsError, windowsCode, windowsMeaning } from './errors.ts';
import { decodeWindowsEvents } from './events.ts';
import { checkedStartTime, checkedPid as pid, windowsText } from './identity.ts';
import type {
  WindowsCpuControl,
  WindowsEngine,
  WindowsEngineOptions,
  WindowsFailure,
  WindowsJobLimits,
  WindowsPriority,
  WindowsResult,
  WindowsSpawn,
} from './native.ts';
import { decodeJobUsage } from './rows.ts';

/** In the order of `Step` in native/windows/src/launch.h, each with the call that can fail in it. */
const steps: readonly (readonly [WindowsFailure['step'], string])[] = [
  ['stdio', 'CreateFile'],
  ['channel', 'CreateFile'],
  ['create', 'CreateProcess'],
  ['park', 'DuplicateHandle'],
  ['gate', 'ResumeThread'],
  ['attributes', 'UpdateProcThreadAttribute'],
  ['watch', 'RegisterWaitForSingleObject'],
];

/** Exit code of who is turned away at its gate: ERROR_CANCELLED. */
const TURNED_AWAY = 1223;
const LARGEST_CODE = 0xffff_ffff;
const LARGEST = Number.MAX_SAFE_INTEGER;

/** CREATE_NO_WINDOW, DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP. */
const CONSOLES = { own: 0x0800_0000, none: 0x0000_0008, shared: 0x0000_0200 } as const;

/** `*_PRIORITY_CLASS`. */
const PRIORITIES: Readonly<Record<WindowsPriority, number>> = {
  idle: 0x40,
  'below-normal': 0x4000,
  normal: 0x20,
  'above-normal': 0x8000,
  high: 0x80,
  realtime: 0x100,
};

/** JOB_OBJECT_LIMIT_*. */
const LIMIT = {
  workingSet: 0x1,
  processTime: 0x2,
  jobTime: 0x4,
  activeProcesses: 0x8,
  affinity: 0x10,
  priority: 0x20,
  processMemory: 0x100,
  jobMemory: 0x200,
  dieOnUnhandledException: 0x400,
  killOnClose: 0x2000,
} as const;

/** JOB_OBJECT_CPU_RATE_CONTROL_*. */
const CPU = { enable: 1, weight: 2, hardCap: 4 } as const;

export function failureOf(step: WindowsFailure['step'], call: string, error: number): WindowsFailure {
  return { step, error, code: windowsCode(error), call, meaning: windowsMeaning(error) };
}

/** null: 0 means that it worked. */
export function failureOrNull(call: string, error: number): WindowsFailure | null {
  return error === 0 ? null : failureOf('job', call, error);
}

export function openWindowsEngine(addon: WindowsAddon, options: WindowsEngineOptions): WindowsEngine {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('engine options must be an object');
  const { onEvents, maxUnacknowledgedBytes } = options;
  if (typeof onEvents !== 'function') throw new TypeError('onEvents must be a function');
  integer(maxUnacknowledgedBytes, 'maxUnacknowledgedBytes', 1, LARGEST);
  let engine: WindowsAddonEngine | null = open();
  const opened = (): WindowsAddonEngine => {
    if (engine === null) throw closedError();
    return engine;
  };

  function open(): WindowsAddonEngine {
    try {
      return new addon.Engine({
        maxUnacknowledgedBytes,
        onEvents: (numbers, buffers) => onEvents(decodeWindowsEvents(numbers, buffers)),
      });
    } catch (error) {
      throw nameWindowsError(error);
    }
  }

  const job = (value: unknown): number => integer(value, 'job', 1, LARGEST);
  return {
    createJob: (name) => jobResult(opened().createJob(windowsText(name, 'name'))),
    openJob: (name) => jobResult(opened().openJob(windowsText(name, 'name'))),
    closeJob: (one) => opened().closeJob(job(one)),
    limitJob: (one, limits) =>
      failureOrNull('SetInformationJobObject', opened().limitJob(job(one), flatLimits(limits))),
    controlCpu: (one, control) =>
      failureOrNull('SetInformationJobObject', opened().limitJobCpu(job(one), ...cpuControl(control))),
    restrictUi: (one, restrictions) =>
      failureOrNull(
        'SetInformationJobObject',
        opened().limitJobUi(job(one), integer(restrictions, 'restrictions', 0, LARGEST_CODE)),
      ),
    limitNetwork: (one, rate) =>
      failureOrNull(
        'SetInformationJobObject',
        opened().limitJobNetwork(job(one), rate === null ? 0 : integer(rate, 'bytesPerSecond', 1, LARGEST)),
      ),
    assign: (one, member, startTime) =>
      failureOrNull(
        'AssignProcessToJobObject',
        opened().assign(job(one), pid(member), checkedStartTime(startTime)),
      ),
    parkJob: (one, member, startTime) =>
      failureOrNull('DuplicateHandle', opened().parkJob(job(one), pid(member), checkedStartTime(startTime))),
    terminateJob: (one, code) =>
      failureOrNull(
        'TerminateJobObject',
        opened().terminateJob(job(one), integer(code, 'code', 0, LARGEST_CODE)),
      ),
    jobPids(one) {
      const pids = opened().jobPids(job(one));
      return typeof pids === 'number' ? [] : [...pids];
    },
    jobUsage: (one) => decodeJobUsage(opened().jobUsage(job(one))),
    spawn(given) {
      const answer = opened().spawn(checkWindowsSpawn(given));
      if (answer.length === 2) return { ok: false, failure: stepFailure(answer) };
      const [number, process, startTime] = answer;
      return { ok: true, value: { handle: number, pid: process, startTime: String(startTime) } };
    },
    release(one, go) {
      const answer = opened().release(handle(one), boolean(go, 'go'), TURNED_AWAY);
      return answer[0] < 0 ? null : stepFailure(answer);
    },
    watch(member, startTime) {
      const watch = opened().watch(pid(member), checkedStartTime(startTime));
      return typeof watch === 'number' ? watch : null;
    },
    unwatch: (watch) => opened().unwatch(handle(watch)),
    detachOutput: (one) => opened().detachOutput(handle(one)),
    acknowledge: (bytes) => opened().acknowledge(integer(bytes, 'bytes', 0, LARGEST)),
    close() {
      engine?.close();
      engine = null;
    },
  };
}

function jobResult(answer: number | [string, number]): WindowsResult<number> {
  if (typeof answer === 'number') return { ok: true, value: answer };
  return { ok: false, failure: failureOf('job', ...answer) };
}

function stepFailure([step, error]: readonly [number, number]): WindowsFailure {
  const [name, call] = steps[step] ?? (['create', 'CreateProcess'] as const);
  return failureOf(name, call, error);
}

function cpuControl(control: WindowsCpuControl): [number, number] {
  if (control === null) return [0, 0];
  if ('weight' in control) {
    return [CPU.enable | CPU.weight, integer(control.weight, 'weight', 1, 9)];
  }
  const { rate } = control;
  if (typeof rate !== 'number' || !(rate >= 0.01 && rate <= 100))
    throw new RangeError(`rate must be from 0.01 to 100, not ${rate}`);
  return [CPU.enable | CPU.hardCap, Math.max(1, Math.round(rate * 100))];
}

function flatLimits(limits: WindowsJobLimits): FlatJobLimits {
  if (typeof limits !== 'object' || limits === null) throw new TypeError('limits must be an object');
  let flags = 0;
  for (const key of Object.keys(LIMIT) as (keyof typeof LIMIT)[]) {
    const value = limits[key];
    if (value !== undefined && value !== false) flags |= LIMIT[key];
  }
  const size = (value: number | undefined, what: string): number =>
    value === undefined ? 0 : integer(value, what, 0, LARGEST);
  const ticks = (value: number | undefined, what: string): number => Math.round(size(value, what) * 10_000);
  const mask = affinityMask(limits.affinity ?? []);
  const [least, most] = limits.workingSet ?? [0, 0];
  const priority = limits.priority ?? 'normal';
  oneOf(priority, 'priority', Object.keys(PRIORITIES));
  return {
    flags,
    processTime: ticks(limits.processTime, 'processTime'),
    jobTime: ticks(limits.jobTime, 'jobTime'),
    leastWorkingSet: size(least, 'workingSet[0]'),
    mostWorkingSet: size(most, 'workingSet[1]'),
    activeProcesses: integer(limits.activeProcesses ?? 0, 'activeProcesses', 0, LARGEST_CODE),
    priorityClass: PRIORITIES[priority],
    schedulingClass: 0,
    affinityLow: Number(mask & 0xffff_ffffn),
    affinityHigh: Number(mask >> 32n),
    processMemory: size(limits.processMemory, 'processMemory'),
    jobMemory: size(limits.jobMemory, 'jobMemory'),
  };
}

function affinityMask(cpus: readonly number[]): bigint {
  return cpus.reduce((mask, cpu) => mask | (1n << BigInt(integer(cpu, 'affinity', 0, 63))), 0n);
}

type Stream = WindowsSpawn['stderr'];
const CHANNEL = 4;

const streamNumber = (value: Stream, what: string, allowed: readonly string[]): number =>
  typeof value === 'object' && value !== null ? CHANNEL : oneOf(value, what, allowed);

const channelOf = (value: Stream, what: string): string =>
  typeof value === 'object' && value !== null ? text(value.fifo, `${what}.fifo`) : '';

function checkWindowsSpawn(options: WindowsSpawn): CheckedWindowsSpawn {
  if (typeof options !== 'object' || options === null) throw new TypeError('spawn options must be an object');
  const application = windowsText(options.application, 'application');
  if (application === '') throw new TypeError('application must not be empty');
  if (!Array.isArray(options.environment)) throw new TypeError('environment must be an array');
  if (!Array.isArray(options.jobs)) throw new TypeError('jobs must be an array');
  oneOf(options.console, 'console', Object.keys(CONSOLES));
  return {
    application,
    commandLine: windowsText(options.commandLine, 'commandLine'),
    environment: (options.environment as readonly string[])
      .map((entry, at) => `${text(entry, `environment[${at}]`)}\0`)
      .join(''),
    directory: options.cwd === null ? '' : windowsText(options.cwd, 'cwd'),
    stdout: streamNumber(options.stdout, 'stdout', ['capture', 'null', 'inherit']),
    stderr: streamNumber(options.stderr, 'stderr', ['capture', 'null', 'inherit', 'stdout']),
    stdoutChannel: channelOf(options.stdout, 'stdout'),
    stderrChannel: channelOf(options.stderr, 'stderr'),
    console: CONSOLES[options.console],
    jobs: (options.jobs as readonly number[]).map((one, at) => integer(one, `jobs[${at}]`, 1, LARGEST)),
  };
}
