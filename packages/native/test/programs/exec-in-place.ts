// Starts children, runs itself again in the same process, and tells what is known of them then. Argument: a folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeEvent } from '../../src/index.ts';
import { native, options } from './run.ts';

const addon = native();
const [folder = '', pids = '', lock = ''] = process.argv.slice(2);
const events: NativeEvent[] = [];
let told = (): void => undefined;
const engine = addon.openEngine({
  subreaper: true,
  maxUnacknowledgedBytes: 1 << 20,
  onEvents(batch) {
    events.push(...batch);
    told();
  },
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      told = resolve;
      setTimeout(resolve, 5);
    });
  }
}

const stateOf = (pid: number): string | undefined => addon.identify(pid)?.state;
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

function begin(script: string): number {
  const result = engine.spawn(options('/bin/sh', ['sh', '-c', script]));
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  engine.release(result.value.handle, true);
  return result.value.pid;
}

async function before(): Promise<void> {
  const file = join(folder, 'lock');
  const held = addon.lockFile(file) ?? -1;
  const signal = join(folder, 'go');
  const wait = `while [ ! -e ${signal} ]; do sleep 0.02; done`;
  const all = [
    begin(`${wait}; exit 7`),
    begin(`${wait}; exit 9`),
    begin('exec sleep 60'),
    begin('exec sleep 60'),
  ];
  await until(() => events.filter(({ type }) => type === 'execed').length === all.length);
  say(`missing ${addon.exec('/no/such/program', ['x'], {}, [held])}`);
  say(
    `still here ${all.every((pid) => 'RSD'.includes(stateOf(pid) ?? 'Z'))} ${addon.lockFile(file) === null}`,
  );
  const { PATH } = process.env;
  const argv = [process.execPath, import.meta.filename, folder, [process.pid, ...all].join(), String(held)];
  engine.rest();
  say(addon.exec(process.execPath, argv, { PATH, LIFE: '2' }, [held]));
}

async function after(): Promise<void> {
  const [own, early = 0, nobodys = 0, killed = 0, left = 0] = pids.split(',').map(Number);
  const file = join(folder, 'lock');
  say(`same pid ${own === process.pid}, lock free ${addon.lockFile(file) !== null}`);
  say(`kept ${addon.lockFile(file, Number(lock)) === Number(lock)}`);
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  writeFileSync(join(folder, 'go'), '');
  await until(() => stateOf(early) === 'Z' && stateOf(nobodys) === 'Z');
  const startOf = (pid: number): string => addon.identify(pid)?.startTime ?? '';
  const watches = new Map([early, killed, left].map((pid) => [engine.watch(pid, startOf(pid)), pid]));
  engine.signalProcess(killed, startOf(killed), 15);
  const ended = () => events.flatMap((event) => (event.type === 'watched-status' ? [event] : []));
  await until(() => ended().length === 2);
  for (const { watch, code, signal, userMs } of ended()) {
    say(`${watches.get(watch) === early ? 'early' : 'killed'} ${code} ${signal} ${typeof userMs}`);
  }
  say(`spared ${stateOf(nobodys)}`);
  engine.reapInherited();
  await until(() => stateOf(nobodys) === undefined);
  say(`left ${engine.orphans().length} ${engine.orphans()[0] === left}`);
  engine.signalProcess(left, startOf(left), 9);
  await until(() => ended().length === 3);
  const zombies = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  say(`children ${JSON.stringify(zombies)}`);
  engine.close();
}

await (process.env['LIFE'] === '2' ? after() : before());
