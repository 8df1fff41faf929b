import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { ASK_EXIT_CODES, tellProgress } from '@hsu-master/cli';
import { type Milliseconds, type ProcessIdentity } from '@hsu-master/core';
import { loadNative, type Native } from '@hsu-master/native';
import { realClock } from '@hsu-master/workers';
import { placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { lockFileOf } from './lock.ts';
import { outOf } from './out.ts';
import { readAnswer, type UpgradeAnswer, writeRequest } from './upgrade-files.ts';

/** The new program is tried twice, and what targets have not taken yet is waited for. */
const PATIENCE: Milliseconds = 300_000;
const LOOK_EVERY: Milliseconds = 50;

/** `hsu-master upgrade FILE`: the master of a file goes on as the version that this command belongs to, in the same process. */
export async function upgrade(file: string, flags: Flags): Promise<number> {
  const loaded = loadNative();
  if (!loaded.ok) return fail(`upgrade needs the native addon: ${loaded.reason}`);
  const { native } = loaded;
  if (loaded.windows !== null) {
    return fail(
      'Windows puts no other program into a process: with on_master_exit: leave end the master, and start the new version; the workers run on',
    );
  }
  const places = placesOf(resolve(file), process.env, directoriesOf(flags));
  const master = holderOf(lockFileOf(places.stateDirectory), native);
  if (master === null) {
    fail(`no master runs with the state directory ${places.stateDirectory}`);
    return ASK_EXIT_CODES.noMaster.code;
  }
  const id = `${process.pid}.${Date.now().toString(36)}`;
  const end = realClock().now() + PATIENCE;
  const isAlive = (): boolean => native.identify(master.pid)?.startTime === master.startedAt;
  // Who does not listen to that signal yet would be ended by it.
  while (!hears(master.pid) && isAlive() && realClock().now() < end) await pause();
  writeRequest(places.runDirectory, { id, node: process.execPath, script: process.argv[1] ?? '' });
  const sent = native.signalProcess(master.pid, master.startedAt, constants.signals.SIGUSR2);
  if (!sent.ok) {
    const code = sent.code === 'EPERM' ? EXIT_CODES.forbidden.code : EXIT_CODES.failed.code;
    return fail(`the master (pid ${master.pid}) cannot be asked: ${sent.code}`, code);
  }
  const awaited = { what: 'handing over', of: 0, left: [] };
  const endProgress = tellProgress(
    outOf(process.stderr),
    () => Date.now(),
    awaited,
    () => awaited,
  );
  let answer = readAnswer(places.runDirectory, id);
  while (answer === null && isAlive() && realClock().now() < end) {
    await pause();
    answer = readAnswer(places.runDirectory, id);
  }
  await endProgress();
  if (answer !== null) return tell(answer, master.pid);
  return isAlive()
    ? fail(`the master (pid ${master.pid}) has not answered within ${PATIENCE / 1000} s`)
    : fail(`the master (pid ${master.pid}) has ended; start it again, its workers run on`);
}

function tell(answer: UpgradeAnswer, pid: number): number {
  if (!answer.ok) return fail(answer.reason);
  const { version, workers } = answer;
  const those = workers === 1 ? '1 worker runs' : `${workers} workers run`;
  process.stdout.write(`version ${version} is the master now (pid ${pid}); ${those}\n`);
  return EXIT_CODES.ok.code;
}

function fail(problem: string, code: number = EXIT_CODES.failed.code): number {
  process.stderr.write(`hsu-master: ${problem}\n`);
  return code;
}

/** The process that holds a lock file; null where nobody does. */
function holderOf(file: string, native: Native): ProcessIdentity | null {
  let pid: number;
  try {
    pid = Number(readFileSync(file, 'utf8'));
    const lock = native.lockFile(file);
    if (lock !== null) {
      native.unlockFile(lock);
      return null;
    }
  } catch {
    return null;
  }
  const row = Number.isInteger(pid) && pid > 0 ? native.identify(pid) : null;
  return row === null ? null : { pid, startedAt: row.startTime };
}

/** Whether a process has a handler for SIGUSR2; where that is not told, it is taken to. */
function hears(pid: number): boolean {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (
      caught === undefined || ((BigInt(`0x${caught}`) >> BigInt(constants.signals.SIGUSR2 - 1)) & 1n) === 1n
    );
  } catch {
    return true;
  }
}

function pause(): Promise<void> {
  return new Promise((done) => void realClock().after(LOOK_EVERY, done));
}
