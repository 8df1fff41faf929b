import { expect, test } from 'vitest';
import { ERRORS, HsuError } from '../src/errors.ts';
import { EVENT_MEANINGS } from '../src/events/catalogue.ts';
import * as core from '../src/index.ts';

test('every code says in sentences what it means and what to do', () => {
  for (const [code, { means, next }] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^E_[A-Z]+(_[A-Z]+)*$/);
    expect(means).toMatch(/^[A-Z].{10,}\.$/);
    expect(next).toMatch(/^[A-Z].{5,}\.$/);
  }
});

test('every event says in sentences what it means and is named noun.verb', () => {
  expect(Object.keys(EVENT_MEANINGS).length).toBeGreaterThan(20);
  for (const [type, { means, payload }] of Object.entries(EVENT_MEANINGS)) {
    if (type !== 'worker.ready') expect(payload, type).not.toEqual({});
    expect(type).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/);
    expect(means).toMatch(/^[A-Z].{10,}\.$/);
    for (const [field, says] of Object.entries(payload)) expect(says, `${type} ${field}`).toMatch(/.{4,}/);
  }
});

test('an error carries its code, details and cause', () => {
  const cause = new Error('disk full');
  const error = new HsuError('E_STATE', 'cannot write', { path: '/x' }, cause);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'HsuError',
    code: 'E_STATE',
    message: 'cannot write',
    detail: { path: '/x' },
  });
  expect(error.cause).toBe(cause);
});

test('an error without cause has none, and empty details', () => {
  const error = new HsuError('E_USAGE', 'no');
  expect('cause' in error).toBe(false);
  expect(error.detail).toEqual({});
});

test('the package’s surface holds what the other packages build on', () => {
  expect(Object.keys(core)).toEqual(
    expect.arrayContaining([
      'decide',
      'newWorker',
      'EventStream',
      'HsuError',
      'parseDuration',
      'startOrder',
      'KILL_WAIT',
    ]),
  );
});

/** Another module to whoever loads it. */
const COPY = new URL('../src/errors.ts?copy', import.meta.url).href;

test('an error of another copy of this module is one too', async () => {
  const copy: typeof import('../src/errors.ts') = await import(COPY);
  expect(copy.HsuError).not.toBe(HsuError);
  expect(new copy.HsuError('E_USAGE', 'no')).toBeInstanceOf(HsuError);
  expect(new Error('no')).not.toBeInstanceOf(HsuError);
  for (const value of [null, undefined, 'E_USAGE', {}]) expect(value instanceof HsuError).toBe(false);
});
