import { expect, test } from 'vitest';
import { isSilent, responseTo, responseToQuota } from '../src/limits/response.ts';
import type { EscalationStep } from '../src/limits/spec.ts';
import { limitsSpec } from './rig.ts';

const steps: readonly EscalationStep[] = [
  { policy: 'alert', after: 0 },
  { policy: 'throttle', after: 10 },
  { policy: 'restart', after: 20 },
  { policy: 'immediate_kill', after: 30 },
];
const spec = limitsSpec({ 'memory.max_rss': 100, 'memory.high': 80 });
const limits = {
  ...spec,
  responses: { ...spec.responses, memory: { ...spec.responses.memory, steps, warning: 0.5 } },
};

test('a limit is answered as its family is', () => {
  expect(responseTo(limits, 'memory.max_rss')).toBe(limits.responses.memory);
  expect(responseTo(limits, 'cpu.max_percent')).toBe(limits.responses.cpu);
});

test('to pass memory.high is told, in the same steps, and ends or holds back nothing', () => {
  expect(responseTo(limits, 'memory.high')).toEqual({
    ...limits.responses.memory,
    steps: [
      { policy: 'alert', after: 0 },
      { policy: 'log', after: 10 },
      { policy: 'log', after: 20 },
      { policy: 'log', after: 30 },
    ],
  });
});

test('memory.high stays silent where nothing is to be said', () => {
  const silent = { ...spec.responses.memory, steps: [{ policy: 'none', after: 0 }] } as const;
  const { steps: answer } = responseTo(
    { ...spec, responses: { ...spec.responses, memory: silent } },
    'memory.high',
  );
  expect(answer).toEqual(silent.steps);
});

test('the excess of a budget is told where nothing is written, else answered as written', () => {
  const unwritten = limitsSpec({ 'memory.max_rss': 100 });
  expect(responseTo(unwritten, 'memory.max_rss').steps).toEqual([]);
  expect(responseToQuota(unwritten, 'memory.max_rss').steps).toEqual([{ policy: 'log', after: 0 }]);
  expect(responseToQuota(limits, 'memory.max_rss')).toBe(limits.responses.memory);
});

test('nothing is said of an excess without steps or with none but `none`', () => {
  const response = limits.responses.memory;
  expect(isSilent(response)).toBe(false);
  expect(isSilent({ ...response, steps: [] })).toBe(true);
  expect(isSilent({ ...response, steps: [{ policy: 'none', after: 0 }] })).toBe(true);
});
