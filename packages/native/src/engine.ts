import type { Addon, AddonEngine } from './addon.ts';
import * as check from './check.ts';
import { checkEngineOptions, checkSpawn } from './check-spawn.ts';
import { decodeEvents } from './events.ts';
import { closedError, failureFrom, nameError, signalResult } from './failure.ts';
import type {
  NativeCollected,
  NativeEngine,
  NativeEngineOptions,
  NativeSpawn,
  NativeSpawnResult,
} from './native.ts';

/** Numbers of one launch, as native/shared/hsu/glue/engine_object.cc writes them. */
const collectedWidth = 5;

function decodeCollected(numbers: Float64Array): NativeCollected[] {
  const collected: NativeCollected[] = [];
  for (let at = 0; at < numbers.length; at += collectedWidth) {
    const [handle = 0, step = 0, errno = 0, pid = 0, startTime = 0] = numbers.subarray(
      at,
      at + collectedWidth,
    );
    const result: NativeSpawnResult =
      step < 0
        ? { ok: true, value: { handle, pid, startTime: String(startTime) } }
        : { ok: false, failure: failureFrom(step, errno) };
    collected.push({ handle, result });
  }
  return collected;
}

/** Checks what it is given, and passes it on. `defaultNofile` is asked when a spawn leaves the limit open. */
export function openEngine(
  addon: Addon,
  options: NativeEngineOptions,
  defaultNofile: () => number,
): NativeEngine {
  checkEngineOptions(options);
  const { onEvents, subreaper, maxUnacknowledgedBytes } = options;
  let engine: AddonEngine | null = open();
  /** What a spawn found done that was not its own. */
  let collected: readonly NativeCollected[] = [];
  const opened = (): AddonEngine => {
    if (engine === null) throw closedError();
    return engine;
  };

  function open(): AddonEngine {
    try {
      return new addon.Engine({
        subreaper,
        maxUnacknowledgedBytes,
        onEvents: (numbers, buffers) => onEvents(decodeEvents(numbers, buffers)),
      });
    } catch (error) {
      throw nameError(error);
    }
  }

  const submit = (given: NativeSpawn) => opened().submit(checkSpawn(given, defaultNofile));
  const collect = (): readonly NativeCollected[] => {
    const before = collected;
    collected = [];
    return [...before, ...decodeCollected(opened().collect())];
  };

  return {
    submit,
    collect,
    spawn(given) {
      const handle = submit(given);
      const all = collect();
      collected = all.filter((one) => one.handle !== handle);
      return (all.find((one) => one.handle === handle) as NativeCollected).result;
    },
    release: (handle, go) => opened().release(check.handle(handle), check.boolean(go, 'go')),
    signal: (handle, signal) => signalResult(opened().signal(check.handle(handle), check.signal(signal))),
    signalGroup: (handle, signal) =>
      signalResult(opened().signalGroup(check.handle(handle), check.signal(signal))),
    protect: (oomScoreAdj) =>
      signalResult(opened().protect(check.integer(oomScoreAdj, 'oomScoreAdj', -1000, 1000))),
    signalProcess(pid, startTime, signal) {
      opened();
      return signalResult(
        addon.signalProcess(check.pid(pid), check.startTime(startTime), check.signal(signal)),
      );
    },
    watch(pid, startTime) {
      const watch = opened().watch(check.pid(pid), check.startTime(startTime));
      return watch < 0 ? null : watch;
    },
    rest: () => opened().rest(),
    reapInherited: () => opened().reapInherited(),
    unwatch: (watch) => opened().unwatch(check.handle(watch)),
    detachOutput: (handle) => opened().detachOutput(check.handle(handle)),
    orphans() {
      opened();
      return addon.orphans();
    },
    acknowledge: (bytes) => opened().acknowledge(check.integer(bytes, 'bytes', 0, Number.MAX_SAFE_INTEGER)),
    close() {
      engine?.close();
      engine = null;
    },
  };
}
