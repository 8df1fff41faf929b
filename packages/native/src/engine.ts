import type { Addon, AddonEngine } from './addon.ts';
import * as check from './check.ts';
import { checkEngineOptions, checkSpawn } from './check-spawn.ts';
import { decodeEvents } from './events.ts';
import { closedError, failureFrom, nameError, signalResult } from './failure.ts';
import type { NativeEngine, NativeEngineOptions, NativeSpawn } from './native.ts';

/** Checks what it is given, and passes it on. `defaultNofile` is asked when a spawn leaves the limit open. */
export function openEngine(
  addon: Addon,
  options: NativeEngineOptions,
  defaultNofile: () => number,
): NativeEngine {
  checkEngineOptions(options);
  const { onEvents, subreaper, maxUnacknowledgedBytes } = options;
  let engine: AddonEngine | null = open();
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

  return {
    spawn(given: NativeSpawn) {
      const result = opened().spawn(checkSpawn(given, defaultNofile));
      if (result.length === 2) return { ok: false, failure: failureFrom(...result) };
      const [handle, pid, startTime] = result;
      return { ok: true, value: { handle, pid, startTime: String(startTime) } };
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
