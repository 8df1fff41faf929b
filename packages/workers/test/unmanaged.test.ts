import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HsuEvent, Strategy, UnmanagedControl, WorkerSpec } from '@hsu-master/core';
import { FakeCollector, FakeJournal, limitResponse, limitsSpec, workerSpec } from '@hsu-master/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFinder } from '../src/discovery/finder.ts';
import { finderTools } from '../src/host/finder-tools.ts';
import { createNativeHost } from '../src/host/native.ts';
import { nativeSource } from '../src/host/process-source.ts';
import { realClock } from '../src/real-clock.ts';
import { Supervisor } from '../src/supervisor.ts';
import { eventually, loadedNative, startForeign, temporary } from './foreign.ts';

const isRoot = process.getuid?.() === 0;

let last = 0;
function unique(word: string): string {
  last += 1;
  return `hsu-u-${word}-${process.pid}-${last}`;
}

const commandLine = (pattern: string): Strategy => ({ kind: 'command-line', pattern });

function unmanagedSpec(
  id: string,
  strategy: Strategy,
  control: Partial<UnmanagedControl> = {},
  differs: Partial<WorkerSpec> = {},
): WorkerSpec {
  const base = workerSpec(id);
  return {
    ...base,
    restart: { ...base.restart, mode: 'never' },
    command: { ...base.command, argv: [''], env: { PATH: process.env['PATH'] ?? '' } },
    unmanaged: {
      discovery: { strategy, exclude: [], choose: 'only', validation: [], timeout: 1000, interval: 200 },
      control: {
        terminate: false,
        restart: false,
        move: false,
        signals: [],
        service: null,
        commands: { stop: null, restart: null },
        ...control,
      },
      logFiles: [],
    },
    ...differs,
  };
}

/** A supervisor over the real system. */
function stage(...specs: readonly WorkerSpec[]) {
  const native = loadedNative();
  const clock = realClock();
  const host = createNativeHost(native, { environment: process.env, reapOrphans: false, clock });
  const userId = (name: string) => native.lookupUser(name)?.uid ?? null;
  const tools = finderTools({ host, userId, mark: 'test' });
  const finder = createFinder({ source: nativeSource(native), tools, clock, ownPid: process.pid });
  const journal = new FakeJournal();
  const collector = new FakeCollector();
  const masterId = unique('m');
  const supervisor = new Supervisor({
    host,
    clock,
    hooks: [],
    collector,
    journal,
    instance: 'i',
    masterId,
    finder,
  });
  const events: HsuEvent[] = [];
  supervisor.events.subscribe((event) => events.push(event));
  supervisor.add(specs);
  onTestFinished(async () => {
    await supervisor.shutdown('the test is over', 2000);
    host.close();
  });
  const payloads = <T extends HsuEvent['type']>(type: T) =>
    events.flatMap((event) =>
      event.type === type ? [event.payload as Extract<HsuEvent, { type: T }>['payload']] : [],
    );
  const phase = (id: string) => supervisor.snapshot(id);
  const attached = (id: string, pid: number) =>
    eventually(() => phase(id).process?.pid === pid, `${id} is attached to ${pid}: ${phase(id).doing}`);
  return { supervisor, host, events, payloads, phase, attached, journal };
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe('an unmanaged unit', () => {
  it('K1 K3 K5: waits for its process, is attached to it, and again under its new pid', async () => {
    const word = unique('a');
    const scene = stage(unmanagedSpec('web', commandLine(word)));
    await scene.supervisor.startAll();
    expect(scene.phase('web')).toMatchObject({
      phase: 'blocked',
      doing: `waiting for its process: command line ~ ${word}`,
    });
    const first = startForeign(`sleep 60; true ${word}`);
    await scene.attached('web', first.pid);
    first.kill('SIGTERM');
    await eventually(() => scene.payloads('worker.exited').length === 1, 'its end is noticed');
    expect(scene.payloads('worker.exited')[0]).toMatchObject({ asked: false, success: false, remaining: [] });
    await eventually(() => scene.phase('web').phase === 'blocked', 'it is waited for again');
    const second = startForeign(`sleep 60; true ${word}`);
    await scene.attached('web', second.pid);
    expect(scene.payloads('worker.attached').map(({ process, origin }) => [process.pid, origin])).toEqual([
      [first.pid, 'foreign'],
      [second.pid, 'foreign'],
    ]);
    expect(scene.events.filter(({ type }) => type === 'worker.starting')).toEqual([]);
    expect(scene.phase('web')).toMatchObject({ run: 2, restarts: 0 });
    expect(scene.journal.leftOvers()).toEqual([]);
  });

  it('K1: names both where two match, attaches neither, and says so once', async () => {
    const word = unique('b');
    const [one, two] = [startForeign(`sleep 60; true ${word}`), startForeign(`sleep 60; true ${word}`)];
    const scene = stage(unmanagedSpec('web', commandLine(word)));
    await scene.supervisor.startAll();
    await eventually(() => scene.payloads('worker.not-found').length > 0, 'it is told');
    const [told] = scene.payloads('worker.not-found');
    expect(new Set(told?.processes.map(({ pid }) => pid))).toEqual(new Set([one.pid, two.pid]));
    expect(scene.phase('web').doing).toMatch(`pid ${one.pid}`);
    two.kill();
    await scene.attached('web', one.pid);
    expect(scene.payloads('worker.not-found')).toHaveLength(1);
  });

  it('never takes the processes of the master’s own workers, nor what another unit has', async () => {
    const word = unique('c');
    const managed = workerSpec('own', {
      command: { ...workerSpec('own').command, argv: ['/bin/sh', '-c', `sleep 60; true ${word}`] },
    });
    const scene = stage(managed, unmanagedSpec('first', commandLine(word)));
    await scene.supervisor.startAll();
    await eventually(() => scene.phase('own').phase === 'running', 'its own worker runs');
    const foreign = startForeign(`sleep 60; true ${word}`);
    await scene.attached('first', foreign.pid);
    scene.supervisor.add([unmanagedSpec('second', commandLine(word))]);
    void scene.supervisor.start('second');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(scene.phase('second').phase).toBe('blocked');
    expect(scene.payloads('worker.not-found')).toEqual([]);
  });

  it('is ended only where control allows it, and by a signal to it alone', async () => {
    const word = unique('d');
    const { pid } = startForeign(`sleep 61 & wait; true ${word}`);
    const [child] = await childrenOf(pid);
    const forbidden = stage(unmanagedSpec('web', commandLine(word)));
    await forbidden.supervisor.startAll();
    await forbidden.attached('web', pid);
    for (const order of ['stop', 'kill', 'restart'] as const)
      expect(await forbidden.supervisor[order]('web')).toMatchObject({
        kind: 'failed',
        failure: { code: 'E_UNMANAGED' },
      });
    expect(isAlive(pid)).toBe(true);
    const allowed = stage(
      unmanagedSpec('web', commandLine(word), { terminate: true, signals: ['SIGTERM', 'SIGKILL'] }),
    );
    await allowed.supervisor.startAll();
    await allowed.attached('web', pid);
    expect(await allowed.supervisor.stop('web')).toMatchObject({ kind: 'done' });
    expect(isAlive(pid)).toBe(false);
    expect(child !== undefined && isAlive(child)).toBe(true);
    if (child !== undefined) process.kill(child, 'SIGKILL');
    expect(allowed.phase('web').phase).toBe('stopped');
    expect(allowed.journal.desired('web')).toBe('down');
  });

  it('is restarted by the command that is named for it; what that starts lives on', async () => {
    const word = unique('e');
    const folder = temporary();
    const start = `setsid sh -c 'echo $$ > ${join(folder, 'pid')}; sleep 60; true ${word}' > /dev/null 2>&1 &`;
    const first = startForeign(`echo $$ > ${join(folder, 'pid')}; sleep 60; true ${word}`);
    const restart = ['/bin/sh', '-c', `kill $(cat ${join(folder, 'pid')}); ${start}`] as const;
    const file: Strategy = { kind: 'pid-file', path: join(folder, 'pid'), checkAge: true };
    const scene = stage(unmanagedSpec('web', file, { restart: true, commands: { stop: null, restart } }));
    await scene.supervisor.startAll();
    await scene.attached('web', first.pid);
    expect(await scene.supervisor.restart('web')).toMatchObject({ kind: 'done' });
    const pid = scene.phase('web').process?.pid ?? 0;
    expect(pid).not.toBe(first.pid);
    expect(pid).toBe(Number(readFileSync(join(folder, 'pid'), 'utf8')));
    await scene.supervisor.shutdown('the end', 2000);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it('runs on, with a reason, when the command that should end it fails', async () => {
    const word = unique('f');
    const { pid } = startForeign(`sleep 60; true ${word}`);
    const stop = ['/bin/sh', '-c', 'exit 3'] as const;
    const scene = stage(
      unmanagedSpec('web', commandLine(word), { terminate: true, commands: { stop, restart: null } }),
    );
    await scene.supervisor.startAll();
    await scene.attached('web', pid);
    expect(await scene.supervisor.stop('web')).toMatchObject({
      kind: 'failed',
      failure: { code: 'E_UNMANAGED', message: expect.stringMatching('failed: exit 3') },
    });
    expect(scene.payloads('worker.control-failed')).toHaveLength(1);
    expect(scene.phase('web')).toMatchObject({ phase: 'running', process: { pid } });
  });

  it('outlives the master, in order or forced', async () => {
    const word = unique('g');
    const { pid } = startForeign(`sleep 60; true ${word}`);
    const signals = ['SIGTERM', 'SIGKILL'] as const;
    const scene = stage(unmanagedSpec('web', commandLine(word), { terminate: true, signals }));
    await scene.supervisor.startAll();
    await scene.attached('web', pid);
    const ended = scene.supervisor.shutdown('the end', 2000);
    scene.supervisor.force();
    expect(await ended).toMatchObject({ survivors: [] });
    expect(isAlive(pid)).toBe(true);
    expect(scene.payloads('worker.detached')).toEqual([{ process: expect.objectContaining({ pid }) }]);
  });

  it('is limited by what can be set from outside, and what it uses with its children is told', async () => {
    const word = unique('h');
    const { pid } = startForeign(`sleep 61 & sleep 62; true ${word}`);
    const limits = limitsSpec(
      { values: { 'process.max_file_descriptors': 321, 'memory.max_rss': 2 ** 30 } },
      limitResponse(),
    );
    const scene = stage(unmanagedSpec('web', commandLine(word), {}, { limits }));
    await scene.supervisor.startAll();
    await scene.attached('web', pid);
    await eventually(() => scene.phase('web').limits.length > 0, 'the limits are told');
    const statuses = Object.fromEntries(
      scene.phase('web').limits.map(({ limit, status }) => [limit, status]),
    );
    expect(statuses).toMatchObject({
      'process.max_file_descriptors': 'enforced',
      'memory.max_rss': 'watched',
    });
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max open files\s+321/);
  });

  it.runIf(isRoot)('K2: can only be watched where it is another user’s, and says so', async () => {
    const word = unique('i');
    const { pid } = startForeign(`sleep 60; true ${word}`, { uid: 65_534 });
    process.seteuid?.(1);
    try {
      const scene = stage(
        unmanagedSpec(
          'web',
          commandLine(word),
          { terminate: true, signals: ['SIGTERM'] },
          {
            stop: { signal: 'SIGTERM', grace: 300 },
          },
        ),
      );
      await scene.supervisor.startAll();
      await scene.attached('web', pid);
      expect(scene.payloads('worker.monitor-only')).toEqual([
        { reason: `process ${pid} belongs to another user` },
      ]);
      expect(await scene.supervisor.stop('web')).toMatchObject({
        kind: 'failed',
        failure: { code: 'E_UNMANAGED' },
      });
      expect(isAlive(pid)).toBe(true);
    } finally {
      process.seteuid?.(0);
    }
  });
});

/** Once it has any; what put its pid into the file may be a child for a moment. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  let children: readonly number[] = [];
  await eventually(() => {
    const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    children = listed.filter((child) => child !== '' && nameOf(child) === 'sleep').map(Number);
    return children.length > 0;
  }, 'it has a child');
  return children;
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
