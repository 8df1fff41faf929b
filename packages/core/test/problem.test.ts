import { expect, test } from 'vitest';
import { problemOf, statusOf } from '../src/control/problem.ts';
import { ERRORS, type ErrorCode } from '../src/errors.ts';

test('a problem says what its code means, what happened and what to do about it', () => {
  const detail = 'there is no worker "web"';
  expect(problemOf('E_UNKNOWN_WORKER', detail)).toEqual({
    type: 'urn:hsu:error:E_UNKNOWN_WORKER',
    title: ERRORS.E_UNKNOWN_WORKER.means,
    status: 404,
    code: 'E_UNKNOWN_WORKER',
    detail,
    next: ERRORS.E_UNKNOWN_WORKER.next,
  });
});

test('what is wrong with the request is a status of its own, what is wrong here is 500', () => {
  const asked: readonly ErrorCode[] = ['E_REQUEST', 'E_FORBIDDEN', 'E_NOT_RUNNING', 'E_SHUTTING_DOWN'];
  expect(asked.map(statusOf)).toEqual([400, 403, 409, 503]);
  expect(statusOf('E_SPAWN')).toBe(500);
});
