import { LIMIT_NAMES } from '@hsu-master/core';
import type { WindowsSpawn } from '@hsu-master/native';
import { FakeClock, limitsSpec } from '@hsu-master/testkit';
import { describe, expect, test } from 'vitest';
import { Asker } from '../src/host/windows/ask.ts';
import { type Standing, stepsOf } from '../src/host/windows/asking.ts';
import { planJob, windowsSupport } from '../src/host/windows/limits.ts';

describe('limits of a job', () => {
  const means = { isWine: false, processors: 4, mayRaisePriority: () => true };

  test('what only Windows holds reaches the job', () => {
    const values = { 'memory.max_working_set': 64 * 2 ** 20, 'process.no_desktop': 1 };
    const plan = planJob(limitsSpec({ values }), means);
    expect(plan.job).toEqual({ workingSet: [200 * 1024, 64 * 2 ** 20] });
    expect(plan.desktop).toBe(0xff);
    expect(plan.reports).toMatchObject([
      { limit: 'memory.max_working_set', status: 'enforced', mechanism: 'job WorkingSet' },
      { limit: 'process.no_desktop', status: 'enforced', mechanism: 'job UIRestrictions' },
    ]);
  });

  test('under Wine, which keeps none, they are told as what they are', () => {
    const values = { 'memory.max_working_set': 2 ** 20, 'process.no_desktop': 1 };
    const { reports } = planJob(limitsSpec({ values }), { ...means, isWine: true });
    expect(reports.map(({ status }) => status)).toEqual(['watched', 'impossible']);
  });

  test.each(LIMIT_NAMES)('what becomes of %s can be told without a machine', (limit) => {
    const { status, mechanism, note } = windowsSupport(limit);
    expect(status === 'impossible').toBe(mechanism === '');
    if (status !== 'enforced') expect(note).not.toBe('');
  });
});

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15, SIGBREAK: 21 } as const;

describe('how a process is asked', () => {
  const told = (signal: keyof typeof SIGNALS, standing: Standing, grace: number | null = 2000) =>
    stepsOf(SIGNALS[signal], standing, grace).map(({ after, means }) => `${after} ${means}`);

  test('half of its own grace is for Ctrl-C, a quarter for Ctrl-Break, a quarter for its windows', () => {
    expect(told('SIGTERM', 'apart')).toEqual(['0 ctrl-c', '1000 ctrl-break', '1500 close-windows']);
    expect(told('SIGTERM', 'apart', null)).toEqual(['0 ctrl-c', '10000 ctrl-break', '15000 close-windows']);
  });

  test('the first of a group on the master’s console ignores Ctrl-C: it hears Ctrl-Break, once', () => {
    expect(told('SIGTERM', 'group')).toEqual(['0 break-group', '1500 close-windows']);
    expect(told('SIGINT', 'group')).toEqual(['0 break-group']);
  });

  test.each(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGBREAK'] as const)(
    '%s to anybody else on it is no event of the console, which the master would hear',
    (signal) => {
      expect(told(signal, 'beside')).toEqual(['0 close-windows']);
    },
  );

  test('other signals take one step', () => {
    expect(told('SIGINT', 'apart')).toEqual(['0 ctrl-c']);
    expect([told('SIGQUIT', 'apart'), told('SIGBREAK', 'apart')]).toEqual([
      ['0 ctrl-break'],
      ['0 ctrl-break'],
    ]);
    expect(told('SIGHUP', 'group')).toEqual(['0 close-windows']);
    expect(stepsOf(10, 'apart', null)).toEqual([]);
  });
});

describe('the one who asks', () => {
  /** What is asked of processes 1, 2, …, and when; no relay is heard of again. */
  function stage(differs: { readonly relay?: string | null; readonly isWine?: boolean } = {}) {
    const clock = new FakeClock();
    const { relay = 'relay', isWine = false } = differs;
    const heard: string[] = [];
    const repaired: number[] = [];
    const sharers = new Set<number>();
    const windows = {
      closeWindows: (pids: readonly number[]) => heard.push(`${clock.now()} windows ${pids.join(' ')}`),
      features: { isWine, isElevated: false, processors: 1 },
      mayEnd: () => true,
      terminate: () => null,
      consolePids: () => sharers,
      repairConsole: (pid: number) => repaired.push(pid) > 0,
      relay,
    };
    const spawn = ({ commandLine }: WindowsSpawn) => {
      heard.push(`${clock.now()} ${commandLine}`);
      return { ok: true, value: { handle: heard.length, pid: 99, startTime: '1' } } as const;
    };
    const asker = new Asker(windows, { spawn, release: () => null }, clock);
    const one = (pid: number) => ({ pid, startedAt: '1' });
    /** Of each its grace. */
    async function asked(...graces: readonly (number | null)[]) {
      graces.forEach((grace, at) => asker.askToStop(one(at + 1), SIGNALS.SIGTERM, grace));
      await Promise.resolve();
      clock.advance(60_000);
      return heard;
    }
    return { asker, asked, one, sharers, repaired };
  }

  test('who may take long is not asked more rudely when who may not is', async () => {
    expect(await stage().asked(2000, 40_000, 2000)).toEqual([
      '0 "relay" 0 1:1 2:1 3:1',
      '1000 "relay" 1 1:1 3:1',
      '1500 windows 1 3',
      '20000 "relay" 1 2:1',
      '30000 windows 2',
    ]);
  });

  test('without its relay programs are asked by their windows', async () => {
    expect(await stage({ relay: null }).asked(null)).toEqual([
      '0 windows 1',
      '10000 windows 1',
      '15000 windows 1',
    ]);
  });

  test('who shares the master’s console is asked by its group, and others on it by no event', async () => {
    const { asker, asked, one, sharers } = stage();
    asker.beganGroup(one(1));
    for (const pid of [1, 2]) sharers.add(pid);
    expect(await asked(2000, 2000, 2000)).toEqual([
      '0 "relay" 2 1:1',
      '0 windows 2',
      '0 "relay" 0 3:1',
      '1000 "relay" 1 3:1',
      '1500 windows 1 3',
    ]);
  });

  test('Wine is sent no Ctrl-Break', async () => {
    const { asker, asked, one, sharers } = stage({ isWine: true });
    asker.beganGroup(one(1));
    sharers.add(1);
    expect(await asked(2000, 2000)).toEqual(['0 "relay" 0 2:1', '1500 windows 1 2']);
  });

  test('the console is repaired once after each end on it, and after no other', () => {
    const { asker, one, repaired } = stage();
    asker.beganGroup(one(1));
    for (const process of [one(2), { pid: 1, startedAt: '2' }, one(1), one(1)]) asker.ended(process);
    expect(repaired).toEqual([1]);
  });
});
