import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NativeEvent } from '../../src/index.ts';
import { native, options } from './run.ts';

const sleeper = options('/bin/sleep', ['sleep', '60'], { stdout: 'capture', stderr: 'capture' });

async function exhaust(): Promise<void> {
  let tell: (event: NativeEvent) => void = () => undefined;
  const engine = native().openEngine({
    subreaper: false,
    maxUnacknowledgedBytes: 1 << 20,
    onEvents: (batch) => batch.forEach((event) => tell(event)),
  });
  const handles: number[] = [];
  const exits = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let seen = 0;
      tell = (event) => {
        const over = event.type === 'exited' || event.type === 'exec-failed';
        if (over && ++seen === count) resolve();
      };
    });
  for (;;) {
    const result = engine.spawn(sleeper);
    if (result.ok) {
      handles.push(result.value.handle);
      continue;
    }
    process.stdout.write(`refused with ${result.failure.code} after ${handles.length}\n`);
    break;
  }
  const alive = handles.filter((handle) => engine.signal(handle, 0).ok);
  process.stdout.write(`children left ${alive.length} of ${handles.length}\n`);
  const two = exits(2);
  for (const handle of handles.slice(0, 2)) engine.release(handle, false);
  await two;
  const again = engine.spawn(sleeper);
  if (again.ok) process.stdout.write('works again\n');
  engine.close();
}

if (process.argv[2] === undefined) {
  const own = fileURLToPath(import.meta.url);
  const script = 'ulimit -n 64 && exec "$0" "$1" below';
  spawnSync('/bin/sh', ['-c', script, process.execPath, own], { stdio: 'inherit' });
} else {
  await exhaust();
}
