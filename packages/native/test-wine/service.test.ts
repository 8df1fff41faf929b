import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commandLine } from '../src/index.ts';
import { temporary } from './channel-bench.ts';
import { windows } from './engine.ts';

const { system } = windows;
/** native/windows/test/ends.c */
const ends = `${process.env['HSU_ZOO']}\\ends.exe`;
const STOP = 1;

/** A service that writes down what it is asked, and ends then. */
function install(file: string): string {
  const name = `hsu-test-service-${process.pid}-${Date.now()}`;
  const addon = new URL('../dist/index.js', import.meta.url).href;
  const code = `import { writeFileSync } from 'node:fs';
    import { loadNative } from ${JSON.stringify(addon)};
    const service = loadNative({}).windows.system.beginService((what) => {
      service.stopping(5000);
      writeFileSync(${JSON.stringify(file)}, what);
      clearInterval(life);
      service.stopped(0);
    });
    const life = setInterval(() => {}, 1000);
    service.running();`;
  const line = commandLine([process.execPath, '--input-type=module', '-e', code.replaceAll('\n', ' ')]);
  if (!line.ok) throw new Error(line.reason);
  const settings = { name, title: name, description: '', environment: [], stopTimeout: 20_000 };
  expect(system.installService({ ...settings, commandLine: line.line })).toBeNull();
  onTestFinished(() => void system.uninstallService(name));
  return name;
}

describe('H8: a service is told why it is to end', () => {
  const stateOf = (name: string): string | undefined => {
    const found = system.queryService(name);
    return found === null || typeof found === 'string' ? undefined : found.state;
  };

  test('it is stopped', async () => {
    const file = join(temporary(), 'asked');
    const name = install(file);
    // Wine waits for its first word for a few seconds only, however busy the machine is.
    const isRunning = (): boolean => {
      if (stateOf(name) === 'stopped') system.startService(name);
      return stateOf(name) === 'running';
    };
    await expect.poll(isRunning, { interval: 200 }).toBe(true);
    expect(
      spawnSync(ends, ['service', String(STOP), name], { encoding: 'utf8', windowsHide: true }).stdout,
    ).toBe('');
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toBe('stop');
    await expect.poll(() => stateOf(name)).toBe('stopped');
  });

  // Sent by the manager of services alone, when the machine goes down: ControlService refuses it (87).
  test.skip('the machine goes down: SERVICE_CONTROL_PRESHUTDOWN', () => {});
});
