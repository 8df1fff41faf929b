import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { EventDraft, ProcessIdentity } from '@hsu-master/core';
import { workerSpec } from '@hsu-master/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileMemory } from '../src/pid-files/file-memory.ts';
import { PidFiles } from '../src/pid-files/pid-files.ts';

/** A folder for files, the processes that live, and what was said. */
function bench() {
  const directory = mkdtempSync(join(tmpdir(), 'hsu-pid-'));
  onTestFinished(() => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
  });
  const living = new Map<number, string>();
  const events: EventDraft[] = [];
  const host = {
    identify: (pid: number) => {
      const startedAt = living.get(pid);
      return startedAt === undefined ? null : { pid, startedAt };
    },
    isAlive: ({ pid, startedAt }: ProcessIdentity) => living.get(pid) === startedAt,
  };
  const memory = fileMemory(join(directory, '..', `${basename(directory)}.memory`));
  onTestFinished(() => rmSync(`${directory}.memory`, { recursive: true, force: true }));
  const files = (bootId = 'boot') =>
    new PidFiles({
      host,
      memory,
      bootId,
      startedAt: ({ startedAt }) => Number(startedAt),
      publish: (event) => events.push(event),
    });
  const spec = (id = 'svc') => workerSpec(id, { processFile: { directory } });
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const reason = () =>
    events.map((event) => (event.type === 'worker.file-failed' ? event.payload.reason : event.type));
  return {
    directory,
    living,
    events,
    files,
    spec,
    read,
    put,
    reason,
    list: () => readdirSync(directory).sort(),
  };
}

const process7 = { pid: 4711, startedAt: '1000' };

describe('pid files', () => {
  it('are decimal and a line break, for all to read, with the identity beside them; and gone when the run is over', () => {
    const { living, files, spec, read, list, directory } = bench();
    living.set(4711, '1000');
    const written = files();
    written.write(spec(), 7, process7, 50_100);
    expect(read('svc.pid')).toBe('4711\n');
    expect(read('svc.port')).toBe('50100\n');
    expect(JSON.parse(read('svc.identity'))).toEqual({
      pid: 4711,
      startedAt: '1000',
      bootId: 'boot',
      worker: 'svc',
      run: 7,
      port: 50_100,
    });
    expect(statSync(join(directory, 'svc.pid')).mode & 0o777).toBe(0o644);
    written.remove(spec(), 6);
    expect(list()).toEqual(['svc.identity', 'svc.pid', 'svc.port']);
    written.remove(spec(), 7);
    expect(list()).toEqual([]);
  });

  it('follow the main process, and the next run', () => {
    const { living, files, spec, read } = bench();
    living.set(4711, '1000').set(4712, '1001');
    const written = files();
    written.write(spec(), 7, process7, null);
    living.delete(4711);
    written.write(spec(), 7, { pid: 4712, startedAt: '1001' }, null);
    expect(read('svc.pid')).toBe('4712\n');
  });

  it('of a worker without a port there is no port file, also where one was left', () => {
    const { files, spec, put, list } = bench();
    put('svc.port', '1\n');
    files().write(spec(), 1, process7, null);
    expect(list()).toEqual(['svc.identity', 'svc.pid']);
  });

  it.each([
    ['garbage', 'hello'],
    ['nothing', ''],
    ['a negative number', '-4711\n'],
    ['a huge one', '99999999999999\n'],
    ['zero', '0\n'],
  ])('H4: that hold %s are replaced, and swept', (_what, text) => {
    const { living, files, spec, put, read, list, events } = bench();
    living.set(4711, '1000');
    put('svc.pid', text);
    files().sweep([spec()]);
    expect(list()).toEqual([]);
    put('svc.pid', text);
    files().write(spec(), 1, process7, null);
    expect(read('svc.pid')).toBe('4711\n');
    expect(events).toEqual([]);
  });

  it('H4: of a process that is gone, whose pid another has, or of an earlier boot are replaced', () => {
    const { living, files, spec, read, events } = bench();
    files().write(spec(), 1, { pid: 90, startedAt: '5' }, null);
    files().write(spec(), 2, process7, null);
    living.set(4711, '2000');
    files().write(spec(), 3, { pid: 91, startedAt: '6' }, null);
    living.set(91, '6');
    files('next boot').write(spec(), 4, { pid: 92, startedAt: '7' }, null);
    expect(read('svc.pid')).toBe('92\n');
    expect(events).toEqual([]);
  });

  it('H4: of a living process of somebody else stay, and it is named', () => {
    const { living, files, spec, read, reason, list } = bench();
    living.set(90, '5').set(4711, '1000');
    files().write(spec(), 3, { pid: 90, startedAt: '5' }, null);
    const other = files();
    other.sweep([spec()]);
    other.write(spec(), 1, process7, null);
    expect(read('svc.pid')).toBe('90\n');
    expect(reason()).toEqual([
      'it names pid 90 (run 3 of a worker "svc"), which lives and is not of this master',
    ]);
    other.remove(spec(), 1);
    expect(list()).toEqual(['svc.identity', 'svc.pid']);
  });

  it('that the original wrote hold until somebody else has the pid: who began after they were written', () => {
    const { directory, living, files, spec, put, read, reason } = bench();
    const now = Date.now();
    put('svc.pid', '90\n');
    const written = (seconds: number) => utimesSync(join(directory, 'svc.pid'), seconds, seconds);
    living.set(90, String(now - 60_000));
    written(now / 1000 - 30);
    files().write(spec(), 1, process7, null);
    expect(reason()).toEqual(['it names pid 90, which lives and is not of this master']);
    written(now / 1000 - 90);
    files().write(spec(), 1, process7, null);
    expect(read('svc.pid')).toBe('4711\n');
  });

  it('of a run that an earlier master began stay its own', () => {
    const { living, files, spec, list, events } = bench();
    living.set(4711, '1000');
    files().write(spec(), 7, process7, 50_100);
    const next = files();
    next.sweep([spec()]);
    expect(list()).toHaveLength(3);
    next.write(spec(), 7, process7, 50_100);
    next.remove(spec(), 7);
    expect(list()).toEqual([]);
    expect(events).toEqual([]);
  });

  it('are never written through a link, and not where everybody may replace them', () => {
    const { directory, files, spec, put, read, reason } = bench();
    const target = join(directory, 'target');
    put('target', 'mine');
    for (const name of ['svc.pid', 'svc.pid.new', 'svc.identity']) symlinkSync(target, join(directory, name));
    files().write(spec(), 1, process7, null);
    expect(read('target')).toBe('mine');
    expect(read('svc.pid')).toBe('4711\n');
    expect(reason()).toEqual([]);
    const open = join(directory, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    files().write(workerSpec('svc', { processFile: { directory: open } }), 1, process7, null);
    expect(reason()).toEqual([`everybody may replace files in ${open}`]);
    chmodSync(open, 0o1777);
    files().write(workerSpec('svc', { processFile: { directory: open } }), 1, process7, null);
    expect(readdirSync(open)).toHaveLength(2);
  });

  it('where there is no place for them an event says so, and nothing throws', () => {
    const { files, reason } = bench();
    files().write(workerSpec('svc', { processFile: { directory: '/proc/none' } }), 1, process7, null);
    expect(reason()).toEqual([expect.stringContaining('/proc')]);
    files().write(workerSpec('svc'), 1, process7, null);
    expect(reason()).toHaveLength(1);
  });
});

describe('files of workers that are not configured any more', () => {
  it('are swept by a later master that finds nobody alive whom they name', () => {
    const { living, files, spec, list, directory } = bench();
    living.set(4711, '1000').set(4712, '1001');
    const first = files();
    first.write(spec('gone'), 7, process7, 50_100);
    first.write(spec('lives'), 1, { pid: 4712, startedAt: '1001' }, null);
    living.delete(4711);
    const second = files();
    second.sweep([workerSpec('other')]);
    expect(list()).toEqual(['lives.identity', 'lives.pid']);
    living.delete(4712);
    second.sweepForgotten('lives');
    expect(list()).toEqual([]);
    expect(readdirSync(`${directory}.memory`)).toEqual([]);
  });

  it('A1: are swept where another process has the pid now, and are kept where they are not of the master', () => {
    const { living, files, spec, list, put } = bench();
    living.set(4711, '1000');
    files().write(spec('gone'), 7, process7, null);
    files().write(spec('taken'), 7, process7, null);
    living.set(4711, '2000').set(9, '1');
    put('taken.pid', '9\n');
    files().sweep([]);
    expect(list()).toEqual(['taken.identity', 'taken.pid']);
  });

  it('are swept in the directory of before when the worker writes them to another', () => {
    const { living, files, spec, list, directory } = bench();
    living.set(4711, '1000');
    const written = files();
    written.write(spec(), 7, process7, null);
    const elsewhere = join(directory, 'elsewhere');
    const moved = workerSpec('svc', { processFile: { directory: elsewhere } });
    written.write(moved, 7, process7, null);
    expect(list()).toEqual(['elsewhere']);
    expect(readdirSync(elsewhere).sort()).toEqual(['svc.identity', 'svc.pid']);
    living.delete(4711);
    files().sweep([workerSpec('svc', { processFile: null })]);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('that cannot be remembered are written all the same', () => {
    const { living, files, spec, list, directory, events } = bench();
    living.set(4711, '1000');
    writeFileSync(`${directory}.memory`, '');
    files().write(spec(), 7, process7, null);
    expect(list()).toEqual(['svc.identity', 'svc.pid']);
    expect(events).toEqual([]);
    rmSync(`${directory}.memory`);
    mkdirSync(`${directory}.memory`);
    writeFileSync(join(`${directory}.memory`, 'svc'), '{"torn');
    expect(() => files().sweep([])).not.toThrow();
  });
});
