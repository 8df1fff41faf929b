import type { Exit } from '@hsu-master/core';
import { expect, test } from 'vitest';
import { explained } from '../src/host/explained.ts';

const usage = { userTime: 900, systemTime: 120, maxRss: 1 };
const exit = (signal: Exit['signal']): Exit => ({ code: null, signal, coreDumped: false, usage });

function held(oomKilled: 'limit' | 'quota' | 'system' | null, isOutOfTime: boolean) {
  return { oomKilled: () => oomKilled, ranOutOfCpuTime: () => isOutOfTime, forksRefused: () => null };
}

test('who used up its CPU time was killed for that, though the system was short of memory at that time', () => {
  const told = explained(exit('SIGKILL'), held('system', true));
  expect(told).toMatchObject({ oomKilled: null, outOfCpuTime: true });
});

test('a kill at a limit of memory of its own is certain, whatever CPU time it used', () => {
  expect(explained(exit('SIGKILL'), held('limit', true))).toMatchObject({ oomKilled: 'limit' });
  expect(explained(exit('SIGKILL'), held('quota', true))).not.toHaveProperty('outOfCpuTime');
});

test('who used little was killed by the system or by somebody', () => {
  expect(explained(exit('SIGKILL'), held('system', false))).toMatchObject({ oomKilled: 'system' });
  expect(explained(exit('SIGKILL'), held(null, false))).toMatchObject({ oomKilled: null });
  expect(explained(exit('SIGTERM'), held('system', true))).toEqual(exit('SIGTERM'));
});
