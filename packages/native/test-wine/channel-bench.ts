import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Addon } from '../src/addon.ts';
import { type NativeChannelOptions, type NativePump, type NativePumpEvent, openPump } from '../src/pump.ts';

/** What of the addon these tests use beside the pump; see native/windows/src/engine_object.cc. */
interface RawEngine {
  spawn(options: Record<string, unknown>): [number, number, number] | [number, number];
  release(handle: number, go: boolean, code: number): [number, number];
  terminate(handle: number, code: number): number;
  close(): void;
}

const require = createRequire(import.meta.url);
const gyp = require('node-gyp-build') as (folder: string) => unknown;
export const addon = gyp(dirname(require.resolve('@hsu-master/native-windows/package.json'))) as Addon & {
  readonly Engine: new (options: { onEvents(): void; maxUnacknowledgedBytes: number }) => RawEngine;
};

export interface Bench {
  readonly folder: string;
  readonly pump: NativePump;
  readonly events: NativePumpEvent[];
  open(more?: Partial<NativeChannelOptions>): number;
  /** Runs JavaScript with its standard output in the channel of that name. */
  run(code: string, name?: string): { readonly pid: number; kill(): void };
  seen<T extends NativePumpEvent['type']>(type: T): Promise<NativePumpEvent & { type: T }>;
}

export function bench(folder = temporary()): Bench {
  const events: NativePumpEvent[] = [];
  const pump = openPump(addon, { onEvents: (batch) => void events.push(...batch), maxTappedBytes: 1 << 20 });
  const engine = new addon.Engine({ onEvents: () => {}, maxUnacknowledgedBytes: 1 << 20 });
  onTestFinished(() => {
    pump.close();
    engine.close();
  });
  const environment = Object.entries(process.env)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('');
  return {
    folder,
    pump,
    events,
    open: (more = {}) =>
      pump.open({
        fifo: join(folder, 'channel'),
        file: join(folder, 'out.log'),
        maxSize: 0,
        maxFiles: 3,
        rotateEvery: 0,
        overflow: 'block',
        format: 'plain',
        labels: { worker: 'w', run: 1, stream: 'stdout', prefix: '' },
        ...more,
      }),
    run(code, name = 'channel') {
      const made = engine.spawn({
        application: process.execPath,
        commandLine: `node.exe -e "${code.replaceAll('"', '\\"')}"`,
        environment,
        directory: '',
        stdout: 4,
        stderr: 3,
        stdoutChannel: join(folder, name),
        stderrChannel: '',
        console: 0x0800_0000,
        jobs: [],
      });
      expect(made).toHaveLength(3);
      const [handle, pid] = made;
      expect(engine.release(handle, true, 0)[0]).toBe(-1);
      return { pid, kill: () => void engine.terminate(handle, 1) };
    },
    async seen(type) {
      await expect.poll(() => events.some((event) => event.type === type)).toBe(true);
      return events.find((event) => event.type === type) as NativePumpEvent & { type: typeof type };
    },
  };
}

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hsu-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
