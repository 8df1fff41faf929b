import { readFileSync } from 'node:fs';
import type { NativeEvent } from '../../src/index.ts';
import { native, options } from './run.ts';

const addon = native();
const reaped: number[] = [];
let told = (): void => undefined;
const engine = addon.openEngine({
  subreaper: true,
  maxUnacknowledgedBytes: 1 << 20,
  onEvents(batch: NativeEvent[]) {
    for (const event of batch) if (event.type === 'orphan-reaped') reaped.push(event.pid);
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

/** Nobody else's processes have it in their arguments: `sleep` takes it as a fraction. */
const mark = `.${process.pid}`;

/** Forks twice, as daemons do, in a session of its own. */
function daemonize(by = engine): void {
  const script = `(setsid sleep 60${mark} &) ; (setsid sleep 61${mark} &) ; (setsid sh -c "sleep 0.05; exec sleep 62${mark}" &)`;
  const result = by.spawn(options('/bin/sh', ['sh', '-c', script]));
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  by.release(result.value.handle, true);
}

function isSleeper(pid: number): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.startsWith('sleep\x006') && command.endsWith(`${mark}\0`);
  } catch {
    return false; // gone
  }
}
const sleepers = (): number[] => engine.orphans().filter(isSleeper);

daemonize();
await until(() => sleepers().length === 3);
const orphans = sleepers();
const rows = orphans.map((pid) => addon.identify(pid));
const apart = rows.every((row) => row?.ppid === process.pid && row.sid === row.pid);
process.stdout.write(
  `adopted ${orphans.length}, ${apart ? 'all in sessions of their own' : JSON.stringify(rows)}\n`,
);
for (const row of rows) if (row) engine.signalProcess(row.pid, row.startTime, 9);
await until(() => orphans.every((pid) => reaped.includes(pid)));
process.stdout.write(`reaped ${orphans.length}\nleft ${engine.orphans().length}\n`);
const zombies = addon.processTable().filter((row) => row.ppid === process.pid && row.state === 'Z');
process.stdout.write(`zombies ${zombies.length}\n`);
try {
  addon.openEngine({ subreaper: true, maxUnacknowledgedBytes: 1, onEvents: () => undefined });
} catch (error) {
  process.stdout.write(`two subreapers ${(error as NodeJS.ErrnoException).code}\n`);
}
engine.close();

const plain = addon.openEngine({ subreaper: false, maxUnacknowledgedBytes: 1, onEvents: () => told() });
daemonize(plain);
const made = () => addon.processTable().filter((row) => row.sid === row.pid && isSleeper(row.pid));
await until(() => made().length === 3);
const adopted = made().some((row) => row.ppid === process.pid && row.state !== 'Z');
process.stdout.write(adopted ? 'adopted after close\n' : 'closed: no orphan adopted\n');
for (const row of made()) plain.signalProcess(row.pid, row.startTime, 9);
plain.close();
