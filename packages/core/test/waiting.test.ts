import { expect, test } from 'vitest';
import { describeWaiting, isForItself } from '../src/graph/waiting.ts';

test.each([
  ['ready', 'starting', false, 'db to be ready (starting)'],
  ['ended', 'its process of an earlier master (pid 7)', true, 'its process of an earlier master (pid 7)'],
  ['process', 'its process: there is no pid file', true, 'its process: there is no pid file'],
] as const)('what is awaited is named unless it is its own: %s', (condition, reason, own, says) => {
  const waiting = { id: 'db', condition, reason };
  expect(isForItself(waiting)).toBe(own);
  expect(describeWaiting(waiting)).toBe(says);
});
