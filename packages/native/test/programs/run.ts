import { loadNative, type NativeEngine, type NativeEvent, type NativeSpawn } from '../../src/index.ts';

/** The addon, or the end of the program. */
export function native() {
  const loaded = loadNative();
  if (!loaded.ok) throw new Error(loaded.reason);
  return loaded.native;
}

export function options(file: string, argv: string[], more: Partial<NativeSpawn> = {}): NativeSpawn {
  return {
    file,
    argv,
    env: ['PATH=/usr/bin:/bin'],
    cwd: null,
    umask: null,
    uid: null,
    gid: null,
    groups: null,
    stdout: 'null',
    stderr: 'null',
    listens: [],
    shellFallback: false,
    nofile: null,
    dieWithMaster: false,
    limits: null,
    ...more,
  };
}

/** Runs one program after another and closes the engine; resolves with the event that ended each. */
export async function runAll(
  specs: NativeSpawn[],
  inspect?: (event: NativeEvent) => void,
): Promise<NativeEvent[]> {
  const endings: NativeEvent[] = [];
  let ended = (): void => undefined;
  const engine: NativeEngine = native().openEngine({
    subreaper: false,
    maxUnacknowledgedBytes: 1 << 20,
    onEvents(batch) {
      for (const event of batch) {
        inspect?.(event);
        if (event.type !== 'exited' && event.type !== 'exec-failed') continue;
        endings.push(event);
        ended();
      }
    },
  });
  for (const spec of specs) {
    const over = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const result = engine.spawn(spec);
    if (!result.ok) throw new Error(JSON.stringify(result.failure));
    engine.release(result.value.handle, true);
    await over;
  }
  engine.close();
  return endings;
}
