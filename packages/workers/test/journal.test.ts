import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ProcessIdentity, RunRecord, WorkerMemo } from '@hsu-master/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileJournal, openJournal } from '../src/journal/journal.ts';

const failures: unknown[] = [];
const opened: FileJournal[] = [];
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'hsu-journal-'));
  failures.length = 0;
});
afterEach(async () => {
  // What they still want to write must not fail in the next test.
  await Promise.all(opened.splice(0).map((one) => one.settled()));
  rmSync(place, { recursive: true, force: true });
});

function journal(bootId = 'boot-1'): FileJournal {
  const journal = openJournal({
    runDirectory: join(place, 'run'),
    stateDirectory: join(place, 'state'),
    bootId,
    now: 5000,
    failed: (error) => failures.push(error),
  });
  opened.push(journal);
  return journal;
}
const records = () => join(place, 'run', 'runs.log');
const process1 = { pid: 4711, startedAt: '123456' };
const memo = (run: number): WorkerMemo => ({
  desired: 'up',
  enabled: true,
  run,
  restarts: run,
  history: { streak: 0, restarts: [], breaker: { state: 'closed' } },
  lastEnd: null,
  limitFactors: {},
  phase: { name: 'blocked' },
  trace: null,
});
const record = (workerId: string, run: number, mark: string, process: ProcessIdentity): RunRecord => ({
  workerId,
  run,
  mark,
  process,
  at: 1,
  command: null,
  limits: null,
});

it('a file system that takes no directories is an error that names it', () => {
  const places = { runDirectory: join(place, 'run'), stateDirectory: '/proc/hsu/a/b', bootId: '' };
  const open = () => openJournal({ ...places, failed: () => {} });
  expect(open).toThrow(
    'cannot use the state directory /proc/hsu/a/b: ENOENT: the file system of /proc takes',
  );
});

describe('run records', () => {
  it('the next master reads what was recorded and not forgotten', () => {
    const first = journal();
    first.recordRun(record('web', 3, 'm.web.3', process1));
    first.recordRun(record('db', 1, 'm.db.1', { pid: 4712, startedAt: '5' }));
    first.forgetRun('db', 1);
    expect(journal().leftOvers()).toMatchObject([
      { workerId: 'web', run: 3, mark: 'm.web.3', process: process1 },
    ]);
  });

  it('records of another boot name nobody', () => {
    journal().recordRun(record('web', 1, 'm.web.1', process1));
    expect(journal('boot-2').leftOvers()).toEqual([]);
    expect(journal('boot-1').leftOvers()).toEqual([]);
  });

  it.each([
    ['truncated', (text: string) => text.slice(0, -20)],
    ['empty', () => ''],
    ['with a flipped digit', (text: string) => text.replace('4711', '4712')],
    ['garbage', () => '\0\0\0 not a record'],
  ])('H3: a record that is %s is never guessed at', (_how, damage) => {
    journal().recordRun(record('web', 1, 'm.web.1', process1));
    writeFileSync(records(), damage(readFileSync(records(), 'utf8')));
    const next = journal();
    expect(next.leftOvers()).toEqual([]);
    expect(next.refusals()).toMatchObject([{ file: records() }]);
    expect(readFileSync(`${records()}.refused`)).toBeInstanceOf(Buffer);
    expect(journal().refusals()).toEqual([]);
  });

  it('records of form 1 are read: the run began at the earliest now, and what it was started with is not known', () => {
    const line = (value: object) => {
      const body = JSON.stringify(value);
      return `${crc32(body).toString(16).padStart(8, '0')} ${body}\n`;
    };
    mkdirSync(join(place, 'run'));
    const first = { workerId: 'web', run: 3, mark: 'm.web.3', process: process1 };
    const over = { ...first, workerId: 'db' };
    const lines = [
      { form: 1, bootId: 'boot-1' },
      first,
      over,
      { workerId: 'db', run: 3, mark: '', process: null },
    ];
    writeFileSync(records(), lines.map(line).join(''));
    const next = journal();
    expect(next.leftOvers()).toEqual([{ ...first, at: 5000, command: null, limits: null }]);
    expect(next.refusals()).toEqual([]);
    expect(journal().leftOvers()).toEqual(next.leftOvers());
  });

  it('a file that only a newer version can read is not touched, and no master begins beside its workers', () => {
    journal();
    const header = { form: 9, reader: 3, bootId: 'boot-1' };
    const body = JSON.stringify(header);
    const text = `${crc32(body).toString(16).padStart(8, '0')} ${body}\nwhatever\n`;
    writeFileSync(records(), text);
    expect(() => journal()).toThrow(
      expect.objectContaining({ code: 'E_STATE', message: expect.stringContaining('newer') }),
    );
    expect(readFileSync(records(), 'utf8')).toBe(text);
    expect(journal('boot-2').leftOvers()).toEqual([]);
  });

  it('what is remembered of a worker is there for the next master of this boot, and for no other boot', () => {
    const first = journal();
    first.remember('web', memo(1));
    first.remember('web', memo(2));
    first.remember('db', memo(1));
    first.remember('db', null);
    expect([...journal().memos()]).toEqual([['web', memo(2)]]);
    expect([...journal('boot-2').memos()]).toEqual([]);
  });

  it('what is said after the end reaches no file, also none that has the descriptor by then', async () => {
    const first = journal();
    first.recordRun(record('web', 1, 'm.web.1', process1));
    await first.close();
    const other = openSync(join(place, 'other'), 'w+');
    first.forgetRun('web', 1);
    first.remember('web', memo(1));
    expect(() => first.recordRun(record('db', 1, 'm.db.1', process1))).toThrow('closed');
    expect(readFileSync(join(place, 'other'), 'utf8')).toBe('');
    closeSync(other);
    expect(journal().leftOvers()).toHaveLength(1);
  });

  it('a torn last line hides no other, and is overwritten by what follows', () => {
    const first = journal();
    first.recordRun(record('web', 1, 'm.web.1', process1));
    appendFileSync(records(), 'deadbeef {"workerId":"half');
    const second = journal();
    expect(second.leftOvers()).toHaveLength(1);
    second.recordRun(record('db', 1, 'm.db.1', process1));
    expect(journal().leftOvers()).toHaveLength(2);
  });

  it('the file stays small however often a worker starts', () => {
    const first = journal();
    for (let run = 1; run <= 10_000; run += 1) {
      first.recordRun(record('web', run, `m.web.${run}`, process1));
      if (run < 10_000) first.forgetRun('web', run);
    }
    expect(statSync(records()).size).toBeLessThan(1.5 * 1024 * 1024);
    expect(journal().leftOvers()).toMatchObject([{ run: 10_000 }]);
  });
});

describe('the operator’s wishes', () => {
  it('outlive the master, the last one counting', async () => {
    const first = journal();
    first.recordDesired('web', 'down');
    first.recordDesired('db', 'down');
    first.recordDesired('db', 'up');
    await first.settled();
    const second = journal();
    expect([second.desired('web'), second.desired('db')]).toEqual(['down', null]);
  });

  it('outlive a master that is killed before they are synced', async () => {
    const first = journal();
    first.recordDesired('web', 'down');
    await first.close();
    rmSync(join(place, 'state', 'desired.json'));
    const second = journal();
    expect(second.desired('web')).toBe('down');
    await second.close();
  });

  it('what is held against a worker outlives a reboot', async () => {
    const first = journal();
    first.recordJudgement('web', { kind: 'half-open', trips: 2, streak: 7 });
    first.recordJudgement('db', { kind: 'failed', failure: { code: 'E_GAVE_UP', message: 'x' } });
    first.recordJudgement('db', null);
    await first.settled();
    const second = journal('boot-2');
    expect(second.judgement('web')).toEqual({ kind: 'half-open', trips: 2, streak: 7 });
    expect(second.judgement('db')).toBeNull();
  });

  it('the list of the version before is read', () => {
    mkdirSync(join(place, 'state'));
    writeFileSync(join(place, 'state', 'desired.json'), '{"stopped":["web"]}\n');
    expect(journal().desired('web')).toBe('down');
  });

  it('starting what was never stopped writes nothing', async () => {
    const first = journal();
    first.recordDesired('web', 'up');
    await first.settled();
    expect(readdirSync(join(place, 'state'))).toEqual([]);
  });

  it.each(['{"stopped": 7}', 'null', 'garbage', '', '[]', '7', '"\\u0000"'])(
    'a file that is no list of ids is set aside, told once, and those that are not known to be stopped are not: %j',
    async (text) => {
      mkdirSync(join(place, 'state'));
      const file = join(place, 'state', 'desired.json');
      writeFileSync(file, text);
      const first = journal();
      expect(first.refusals()).toMatchObject([
        { file, records: null, reason: expect.stringContaining('damaged') },
      ]);
      expect(first.desired('web')).toBeNull();
      expect(readFileSync(`${file}.refused`, 'utf8')).toBe(text);
      await first.close();
      expect(journal().refusals()).toEqual([]);
    },
  );

  it('one that only a newer version can read is refused by name, not overwritten', () => {
    mkdirSync(join(place, 'state'));
    const file = join(place, 'state', 'desired.json');
    const text = '{"form":9,"reader":9,"stopped":["web"]}\n';
    writeFileSync(file, text);
    expect(journal).toThrow(/desired\.json was written by a newer version/);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('of an earlier boot outlive a damaged file, since the log of this boot has them, too', async () => {
    const first = journal('boot-1');
    first.recordDesired('web', 'down');
    first.recordDesired('db', 'down');
    await first.close();
    const second = journal('boot-2');
    second.recordDesired('db', 'up');
    await second.close();
    writeFileSync(join(place, 'state', 'desired.json'), 'garbage');
    const third = journal('boot-2');
    expect([third.desired('web'), third.desired('db')]).toEqual(['down', null]);
    await third.close();
    rmSync(join(place, 'run'), { recursive: true });
    expect(journal('boot-3').desired('web')).toBe('down');
  });

  it.runIf(existsSync('/dev/full'))(
    'leave nothing half written: neither a disk without room nor a master that was killed',
    async () => {
      const first = journal();
      const fresh = join(place, 'state', 'desired.json.new');
      // Nothing can be written to it, as on a full disk.
      symlinkSync('/dev/full', fresh);
      first.recordDesired('web', 'down');
      await first.settled();
      expect(failures).toHaveLength(1);
      expect(readdirSync(join(place, 'state'))).toEqual([]);
      await first.close();
      expect(journal().desired('web')).toBe('down');
      writeFileSync(fresh, '');
      writeFileSync(join(place, 'state', 'run-numbers.json.new'), '{');
      writeFileSync(`${records()}.new`, '');
      journal();
      expect(readdirSync(join(place, 'state'))).toEqual(['desired.json']);
      expect(readdirSync(join(place, 'run'))).toEqual(['runs.log']);
    },
  );

  it('a write that fails is reported, and the wish holds for this master', async () => {
    const first = journal();
    mkdirSync(join(place, 'state', 'desired.json.new'));
    first.recordDesired('web', 'down');
    await first.settled();
    expect(failures).toHaveLength(1);
    expect(first.desired('web')).toBe('down');
  });
});

it('a state directory that cannot be made is E_STATE and named', () => {
  writeFileSync(join(place, 'state'), 'a file');
  expect(journal).toThrow(
    expect.objectContaining({ code: 'E_STATE', message: expect.stringContaining('state') }),
  );
});

it.skipIf(process.getuid?.() !== 0)(
  'a full disk keeps no worker from ending, and what was owed is written when there is room (as root: it mounts a tmpfs)',
  async () => {
    const run = join(place, 'run');
    mkdirSync(run);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', run]);
    try {
      const first = journal();
      first.recordRun(record('web', 1, 'm.web.1', process1));
      const filler = join(run, 'filler');
      expect(() => {
        for (;;) appendFileSync(filler, 'x'.repeat(512));
      }).toThrow(/ENOSPC/);
      expect(() => {
        for (let turn = 1; turn < 200; turn += 1)
          first.recordRun(record('db', turn, `m.db.${turn}`, process1));
      }).toThrow();
      const before = failures.length;
      first.forgetRun('web', 1);
      first.forgetRun('db', 1);
      expect(failures.length).toBe(before + 1);
      rmSync(filler);
      first.recordRun(record('api', 1, 'm.api.1', process1));
      const second = journal();
      expect(second.leftOvers()).toMatchObject([{ workerId: 'api' }]);
      await second.close();
      await first.close();
    } finally {
      execFileSync('umount', [run]);
    }
  },
);

describe('the numbers of runs', () => {
  const numbers = () => join(place, 'state', 'run-numbers.json');

  it('outlive an ordered stop, a reboot and the loss of all records', async () => {
    const first = journal();
    first.recordRun(record('web', 3, 'i/m.web.3', process1));
    first.remember('job', memo(7));
    first.remember('job', memo(2));
    expect([first.lastRun('web'), first.lastRun('job'), first.lastRun('other')]).toEqual([3, 7, 0]);
    first.forgetRun('web', 3);
    first.remember('web', null);
    await first.close();
    rmSync(join(place, 'run'), { recursive: true });
    const second = journal('boot-2');
    expect([second.lastRun('web'), second.lastRun('job')]).toEqual([3, 7]);
    second.recordRun(record('web', 4, 'i/n.web.4', process1));
    await second.settled();
    expect(journal('boot-3').lastRun('web')).toBe(4);
    expect(failures).toEqual([]);
  });

  it('are known to the next master of the boot when the one before was killed in its ordered stop', () => {
    const first = journal();
    first.recordRun(record('web', 3, 'i/m.web.3', process1));
    first.remember('web', memo(3));
    first.forgetRun('web', 3);
    first.remember('web', null);
    expect(existsSync(numbers())).toBe(false);
    expect(journal().lastRun('web')).toBe(3);
  });

  it('are on disk soon, also while nothing else is said', async () => {
    journal().remember('web', memo(5));
    await expect.poll(() => readFileSync(numbers(), 'utf8'), { timeout: 20_000 }).toContain('"web":5');
  });

  it('that are damaged are refused and told, and those that this boot names are known', async () => {
    const first = journal();
    first.recordRun(record('web', 3, 'i/m.web.3', process1));
    await first.close();
    const whole = readFileSync(numbers(), 'utf8');
    for (const damaged of ['', '[]', whole.replace('3', '4'), whole.slice(0, 20)]) {
      writeFileSync(numbers(), damaged);
      const next = journal();
      expect(next.lastRun('web')).toBe(3);
      expect(next.refusals()).toMatchObject([{ file: numbers(), records: null }]);
      expect(readFileSync(`${numbers()}.refused`, 'utf8')).toBe(damaged);
      expect(next.leftOvers()).toHaveLength(1);
    }
    writeFileSync(numbers(), 'damaged');
    expect(journal('boot-2').lastRun('web')).toBe(0);
    writeFileSync(numbers(), '{"form":9,"reader":9}');
    expect(journal).toThrow(/run-numbers\.json was written by a newer version/);
  });

  it('are written as soon as there is room again', async () => {
    const first = journal();
    mkdirSync(`${numbers()}.new`);
    first.remember('web', memo(5));
    await first.settled();
    expect(failures).toHaveLength(1);
    rmSync(`${numbers()}.new`, { recursive: true });
    await first.close();
    rmSync(join(place, 'run'), { recursive: true });
    expect(journal().lastRun('web')).toBe(5);
  });
});

it('what the operator wished while the disk was full is on it as soon as the master ends with room, also for another boot', async () => {
  const file = join(place, 'state', 'desired.json');
  const first = journal();
  mkdirSync(`${file}.new`);
  first.recordDesired('web', 'down');
  await first.settled();
  expect(failures).toHaveLength(1);
  rmSync(`${file}.new`, { recursive: true });
  await first.close();
  expect(journal('boot-2').desired('web')).toBe('down');
});
