import type { Command, SpawnRequest } from '@hsu-master/core';
import { HsuError } from '@hsu-master/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ZooProgram } from '../zoo/zoo.ts';
import * as zoo from '../zoo/zoo.ts';
import { describeExecContract } from './exec-contract.ts';
import type { HostFeatures, HostHarness } from './harness.ts';
import { newMark, WatchedRun } from './watch.ts';

/**
 * The contract that every host keeps, as a vitest suite.
 * @param make called once, before the first test
 */
export function describeHostContract(
  name: string,
  features: HostFeatures,
  make: () => HostHarness | Promise<HostHarness>,
): void {
  describe(`host contract: ${name}`, () => {
    let harness: HostHarness;
    const begun: WatchedRun[] = [];
    const spawn: Spawn = (program, differs) => {
      const watched = WatchedRun.spawn(harness, program, differs);
      begun.push(watched);
      return watched;
    };
    beforeAll(async () => {
      harness = await make();
    });
    afterEach(async () => {
      for (const watched of begun.splice(0)) {
        if (watched.isOver()) continue;
        if (watched.reports.length === 0) await watched.until('an answer', () => watched.reports.length > 0);
        watched.run.signalTree('SIGKILL');
        await watched.over();
      }
    });
    afterAll(() => harness.close());

    describeLife(spawn, () => harness, features);
    describeTree(spawn, features);
    describeOutput(spawn);
    describeRecord(spawn, features);
    if (features.follows) describeFollow(spawn);
    if (features.attaches) describeAttach(() => harness, begun);
    describeExecContract(() => harness);

    test('closing the host ends no process', async () => {
      const other = await make();
      const watched = WatchedRun.spawn(other, zoo.sleeps());
      // Who is still to write would get SIGPIPE from its output, which the host no longer reads.
      await watched.says('up');
      const { process } = await watched.first('spawned');
      other.host.close();
      expect(other.host.isAlive(process)).toBe(true);
      other.end(process);
      other.close();
    });
  });
}

type Spawn = (
  program: ZooProgram,
  differs?: Partial<Omit<SpawnRequest, 'command'>> & { readonly command?: Partial<Command> },
) => WatchedRun;

function describeLife(spawn: Spawn, harness: () => HostHarness, features: HostFeatures): void {
  test('A14: a run that exits at once reports spawned, then one exited, then nothing', async () => {
    const watched = spawn(zoo.exitsAtOnce(7));
    expect(watched.reports).toEqual([]);
    const { exit, remaining } = await watched.first('exited');
    expect(exit).toMatchObject({ code: 7, signal: null });
    expect(remaining).toEqual([]);
    expect(watched.kinds).toEqual(['spawned', 'exited']);
  });

  test('an end by a signal has that signal and no code', async ({ skip }) => {
    skip(features.signals !== true, String(features.signals));
    const { exit } = await spawn(zoo.crashes('SIGABRT')).first('exited');
    expect(exit).toMatchObject({ code: null, signal: 'SIGABRT' });
  });

  test('B1: a program that does not exist is spawn-failed with E_EXEC_NOT_FOUND, and not transient', async () => {
    const watched = spawn(zoo.doesNotExist());
    const { failure, transient } = await watched.first('spawn-failed');
    expect(failure.code).toBe('E_EXEC_NOT_FOUND');
    expect(transient).toBe(false);
    expect(watched.kinds).toEqual(['spawn-failed']);
    expect(watched.run.members()).toEqual([]);
  });

  test('directory, environment and the mark of the run arrive, and the reported pid is the program’s', async () => {
    const watched = spawn(zoo.tellsItsSurroundings('GREETING'), {
      command: { cwd: harness().directory, env: { GREETING: 'héllo wörld' } },
    });
    const { process } = await watched.first('spawned');
    await watched.over();
    await watched.until('its output', () => watched.output.ended.includes('stdout'));
    expect(watched.output.text('stdout')).toBe(
      `${harness().directory}\nhéllo wörld\n${watched.mark}\n${process.pid}\n`,
    );
  });

  test('a process is alive and identified until it is reported as exited', async () => {
    const { host } = harness();
    const watched = spawn(zoo.sleeps());
    const { process } = await watched.first('spawned');
    expect(host.isAlive(process)).toBe(true);
    expect(host.identify(process.pid)).toEqual(process);
    expect(host.isAlive({ ...process, startedAt: `${process.startedAt}1` })).toBe(false);
    watched.run.signalTree('SIGKILL');
    await watched.over();
    expect(host.isAlive(process)).toBe(false);
    expect(host.identify(process.pid)).toBeNull();
  });

  test('thirty runs at once each get their own reports', async () => {
    const all = Array.from({ length: 30 }, (_unused, index) => spawn(zoo.exitsAtOnce(index)));
    await Promise.all(all.map((watched) => watched.over()));
    for (const [index, watched] of all.entries()) {
      expect(watched.kinds).toEqual(['spawned', 'exited']);
      expect(watched.reports[1]).toMatchObject({ exit: { code: index } });
    }
  });

  test('calls after the end do nothing', async () => {
    const watched = spawn(zoo.exitsAtOnce());
    await watched.over();
    watched.run.signalTree('SIGKILL');
    watched.run.detachOutput();
    watched.run.detachOutput();
    expect(watched.run.members()).toEqual([]);
  });
}

function describeTree(spawn: Spawn, features: HostFeatures): void {
  test('a signal to the tree reaches children and grandchildren', async () => {
    const watched = spawn(zoo.threeGenerations());
    await watched.says('up');
    const { process } = await watched.first('spawned');
    expect(watched.run.members()).toHaveLength(3);
    expect(watched.run.members()).toContainEqual(process);
    watched.run.signalTree('SIGTERM');
    await watched.over();
    expect(watched.run.members()).toEqual([]);
  });

  test('A7: what a leader leaves behind is named in its exit, and tree-empty follows when it is gone', async () => {
    const watched = spawn(zoo.leaderEndsChildIgnores());
    await watched.says('up');
    watched.run.signalTree('SIGTERM');
    const { exit, remaining } = await watched.first('exited');
    expect(exit.signal).toBe('SIGTERM');
    expect(remaining).toHaveLength(1);
    expect(watched.run.members()).toEqual(remaining);
    watched.run.signalTree('SIGKILL');
    await watched.first('tree-empty');
    expect(watched.kinds).toEqual(['spawned', 'exited', 'tree-empty']);
  });

  test('A8: only SIGKILL ends who ignores SIGTERM', async () => {
    const watched = spawn(zoo.ignoresSigterm());
    await watched.says('up');
    watched.run.signalTree('SIGTERM');
    expect(watched.run.members()).toHaveLength(1);
    watched.run.signalTree('SIGKILL');
    expect((await watched.first('exited')).exit.signal).toBe('SIGKILL');
  });

  test('A9: a stopped process hears SIGTERM', async ({ skip }) => {
    skip(features.wakesStopped !== true, String(features.wakesStopped));
    const watched = spawn(zoo.stopsItself());
    await watched.says('up');
    watched.run.signalTree('SIGTERM');
    expect((await watched.first('exited')).exit.signal).toBe('SIGTERM');
  });

  test.runIf(features.findsSessions)('A3: a daemon that forked twice remains after its leader', async () => {
    const watched = spawn(zoo.doubleForkDaemon());
    const { exit, remaining } = await watched.first('exited');
    expect(exit.code).toBe(0);
    expect(remaining).toHaveLength(1);
    watched.run.signalTree('SIGTERM');
    await watched.first('tree-empty');
  });

  test.runIf(features.findsSessions)(
    'A6: a member in a session of its own is killed with its tree',
    async () => {
      const watched = spawn(zoo.sessionEscapee());
      await watched.says('up');
      expect(watched.run.members()).toHaveLength(2);
      watched.run.signalTree('SIGKILL');
      await watched.over();
    },
  );

  test.runIf(features.findsWiped)(
    'a daemon that blanked its environment is killed with its tree',
    async () => {
      const watched = spawn(zoo.wipedDaemon());
      await watched.says('up');
      expect(watched.run.members()).toHaveLength(2);
      watched.run.signalTree('SIGKILL');
      await watched.over();
    },
  );
}

function describeOutput(spawn: Spawn): void {
  const ended = (watched: WatchedRun) =>
    watched.until('the end of its output', () => watched.output.ended.length === 2);

  test('output arrives byte for byte, each stream on its own, and each ends once', async () => {
    const watched = spawn(zoo.writesBytes(300_000));
    await ended(watched);
    await watched.over();
    const bytes = watched.output.bytes('stdout');
    expect(bytes.length).toBe(300_000);
    expect(bytes.every((byte, index) => byte === zoo.patternByte(index))).toBe(true);
    expect([...watched.output.ended].sort()).toEqual(['stderr', 'stdout']);
    const both = spawn(zoo.talks('hello'));
    await ended(both);
    expect([both.output.text('stdout'), both.output.text('stderr')]).toEqual(['hello\n', 'hello\n']);
  });

  test('F3: last words without a newline arrive', async () => {
    const watched = spawn(zoo.lastWords('farewell'));
    await ended(watched);
    expect(watched.output.text('stdout')).toBe('farewell');
  });

  test('what is not captured is not delivered', async () => {
    const watched = spawn(zoo.talks('hello'), { captureStdout: false });
    await watched.over();
    await watched.until('the end of stderr', () => watched.output.ended.includes('stderr'));
    expect([watched.output.text('stdout'), watched.output.text('stderr')]).toEqual(['', 'hello\n']);
  });

  test('A11: an exit is reported while a descendant holds the output, and detaching ends both streams', async () => {
    const watched = spawn(zoo.holdsOutput(60_000));
    await watched.first('exited');
    expect(watched.output.ended).toEqual([]);
    watched.run.detachOutput();
    await ended(watched);
    expect([...watched.output.ended].sort()).toEqual(['stderr', 'stdout']);
  });
}

function describeRecord(spawn: Spawn, features: HostFeatures): void {
  test('the record is written once, of the very process, before spawned is reported', async () => {
    const watched = spawn(zoo.exitsAtOnce());
    const { process } = await watched.first('spawned');
    expect(watched.recorded).toEqual([process]);
  });

  test('a program whose record cannot be written fails to spawn', async () => {
    const watched = spawn(zoo.talks('it ran'), {
      record() {
        throw new HsuError('E_STATE', 'disk full');
      },
    });
    const { failure } = await watched.first('spawn-failed');
    expect(failure.message).toContain('disk full');
    expect(watched.kinds).toEqual(['spawn-failed']);
    expect(watched.run.members()).toEqual([]);
    if (features.gate) expect(watched.output.text('stdout')).toBe('');
  });
}

function describeFollow(spawn: Spawn): void {
  test('the end of a followed member is the next exit', async () => {
    const watched = spawn(zoo.leavesChild());
    const { remaining } = await watched.first('exited');
    const [child] = remaining;
    if (child === undefined) return expect.unreachable('the child is gone');
    expect(watched.run.follow(child)).toBe(true);
    watched.run.signalTree('SIGTERM');
    await watched.over();
    expect(watched.kinds).toEqual(['spawned', 'exited', 'exited']);
    expect(watched.reports[2]).toMatchObject({ exit: { code: null }, remaining: [] });
  });

  test('who is gone or a stranger cannot be followed', async () => {
    const watched = spawn(zoo.sleeps());
    const { process } = await watched.first('spawned');
    expect(watched.run.follow({ ...process, startedAt: `${process.startedAt}1` })).toBe(false);
  });
}

function describeAttach(harness: () => HostHarness, begun: WatchedRun[]): void {
  const attach = (program: ZooProgram) => {
    const mark = newMark();
    const process = harness().stranger(program, mark);
    return { process, mark };
  };

  test('a tree that this host did not start can be ended, and how it ended is unknown or true', async () => {
    const { process, mark } = attach(zoo.sleeps());
    const watched = WatchedRun.attach(harness(), process, mark);
    begun.push(watched);
    expect(watched.run.members()).toEqual([process]);
    watched.run.signalTree('SIGTERM');
    await watched.over();
    expect(watched.reports).toMatchObject([{ kind: 'exited', exit: { code: null }, remaining: [] }]);
    expect([null, 'SIGTERM']).toContain((await watched.first('exited')).exit.signal);
  });

  test('A1: whoever has the pid of a process that is gone is left alone', async () => {
    const { process, mark } = attach(zoo.sleeps());
    const past = { pid: process.pid, startedAt: String(Number(process.startedAt) - 1) };
    const watched = WatchedRun.attach(harness(), past, `${mark}.other`);
    begun.push(watched);
    expect(watched.run.members()).toEqual([]);
    watched.run.signalTree('SIGKILL');
    await watched.over();
    expect(watched.reports).toMatchObject([
      { kind: 'exited', exit: { code: null, signal: null }, remaining: [] },
    ]);
    expect(harness().host.isAlive(process)).toBe(true);
    const found = WatchedRun.attach(harness(), process, mark);
    found.run.signalTree('SIGKILL');
    await found.over();
  });

  test('A1: whoever has the pid now and another start time is left alone, and the run is over', async () => {
    const { process, mark } = attach(zoo.sleeps());
    const reused = { ...process, startedAt: `${process.startedAt}1` };
    const watched = WatchedRun.attach(harness(), reused, newMark());
    begun.push(watched);
    expect(watched.reports).toEqual([]);
    watched.run.signalTree('SIGKILL');
    await watched.over();
    expect(watched.reports).toMatchObject([
      { kind: 'exited', exit: { code: null, signal: null }, remaining: [] },
    ]);
    watched.run.signalTree('SIGKILL');
    expect(harness().host.isAlive(process)).toBe(true);
    const stranger = WatchedRun.attach(harness(), process, mark);
    stranger.run.signalTree('SIGKILL');
    await stranger.over();
  });

  test('H1: what a leader that is gone already has left is found by its mark', async () => {
    const { process, mark } = attach(zoo.leavesChild());
    await expect.poll(() => harness().host.isAlive(process), { timeout: 10_000 }).toBe(false);
    const watched = WatchedRun.attach(harness(), process, mark);
    begun.push(watched);
    expect((await watched.first('exited')).remaining).toHaveLength(1);
    watched.run.signalTree('SIGKILL');
    await watched.first('tree-empty');
  });
}
