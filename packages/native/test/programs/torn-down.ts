// An engine with living processes, waiting processes, a watch and output, and a pump, whose environment goes away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { NativeEvent } from '../../src/index.ts';
import { native, options } from './run.ts';

const way = isMainThread ? process.argv[2] : (workerData as string);

function busyEngine(onEvents: (batch: NativeEvent[]) => void): void {
  const addon = native();
  const engine = addon.openEngine({ subreaper: isMainThread, maxUnacknowledgedBytes: 1 << 20, onEvents });
  const start = (go: boolean, ...argv: string[]): void => {
    const file = `/bin/${argv[0]}`;
    const result = engine.spawn(options(file, argv, { stdout: 'capture', stderr: 'capture' }));
    if (result.ok && go) engine.release(result.value.handle, true);
  };
  for (let at = 0; at < 5; at++) {
    start(true, 'sh', '-c', 'while echo x; do sleep 0.001; done 2>/dev/null');
    start(true, 'true');
    start(false, 'true');
  }
  for (let at = 0; at < 5; at++) engine.submit(options('/bin/true', ['true'], { stdout: 'capture' }));
  if (way === 'flood') for (let at = 0; at < 3; at++) start(true, 'cat', '/dev/zero');
  const place = mkdtempSync(join(tmpdir(), 'hsu-torn-'));
  const pump = addon.openPump({ maxTappedBytes: 1 << 20, onEvents: () => undefined });
  for (const format of ['plain', 'json'] as const) {
    const fifo = join(place, format);
    const labels = { worker: 'x', run: 1, stream: 'stdout', prefix: '' } as const;
    const rest = { maxSize: 0, maxFiles: 0, rotateEvery: 0, overflow: 'block' } as const;
    pump.tap(pump.open({ fifo, file: '/dev/null', ...rest, format, labels }), 'wait');
    const result = engine.spawn(
      options('/bin/sh', ['sh', '-c', 'yes & sleep 0.5; kill $!'], { stdout: { fifo } }),
    );
    if (result.ok) engine.release(result.value.handle, true);
  }
  rmSync(place, { recursive: true });
  const own = addon.identify(process.ppid);
  if (own) engine.watch(own.pid, own.startTime);
}

function inMainThread(): void {
  process.stdout.write(`${way}\n`);
  switch (way) {
    case 'exit':
      busyEngine(() => undefined);
      setTimeout(() => process.exit(0), 50);
      break;
    case 'exit-in-callback':
      busyEngine(() => process.exit(0));
      break;
    case 'throw-in-callback':
      busyEngine(() => {
        throw new Error('thrown by the callback');
      });
      break;
    case 'flood':
      busyEngine(() => undefined);
      setTimeout(() => process.exit(0), 100);
      break;
    case 'collected':
      collect();
      break;
    case 'worker-terminate-often':
      void terminateOften();
      break;
    default:
      inWorker();
  }
}

/** Nobody refers to the engine, and yet it goes on reporting. */
function collect(): void {
  let exits = 0;
  busyEngine((batch) => {
    exits += batch.filter((event) => event.type === 'exited').length;
  });
  let rounds = 0;
  const timer = setInterval(() => {
    globalThis.gc?.();
    if (++rounds < 20 || exits < 5) return;
    clearInterval(timer);
    process.exit(0);
  }, 5);
}

/** At all sorts of moments, mostly inside a call. */
async function terminateOften(): Promise<void> {
  for (let round = 0; round < 30; round++) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: way });
    await new Promise((resolve) => worker.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, round % 7));
    await worker.terminate();
  }
  process.exit(0);
}

function spawnWithoutEnd(): void {
  const engine = native().openEngine({
    subreaper: false,
    maxUnacknowledgedBytes: 1,
    onEvents: () => undefined,
  });
  parentPort?.postMessage('busy', []);
  for (;;) {
    engine.submit(options('/bin/true', ['true'], { stdout: 'capture' }));
    const result = engine.spawn(options('/bin/true', ['true'], { stdout: 'capture' }));
    if (result.ok) engine.release(result.value.handle, false);
    for (const { handle } of engine.collect()) engine.release(handle, false);
  }
}

function inWorker(): void {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: way });
  worker.on('message', () => {
    if (way === 'worker-terminate') void worker.terminate();
  });
  worker.on('exit', () => setTimeout(() => process.exit(0), 50));
}

if (isMainThread) {
  process.on('uncaughtException', () => process.exit(7));
  inMainThread();
} else if (way === 'worker-terminate-often') {
  spawnWithoutEnd();
} else {
  let told = false;
  busyEngine(() => {
    if (told) return;
    told = true;
    parentPort?.postMessage('busy', []);
    if (way === 'worker-exit') process.exit(0);
  });
}
