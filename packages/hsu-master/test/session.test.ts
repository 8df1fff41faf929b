import { expect, test } from 'vitest';
import { sessionEnd, watchSession } from '../src/session.ts';

/** What Windows gives to a program before it ends it, whichever of them it is. */
const GIVEN = 5000;

test.each([
  ['close', 'the console was closed'],
  ['log-off', 'the user logs off'],
  ['shutdown', 'the machine goes down'],
] as const)(
  'H8: at %s workers have less than Windows grants, so that the end itself has its time',
  (end, reason) => {
    const { within, ...rest } = sessionEnd(end);
    expect(rest).toEqual({ reason });
    expect(within).toBeGreaterThan(0);
    expect(within).toBeLessThan(GIVEN);
  },
);

test.each([
  ['service-stop', 'the service was stopped'],
  ['preshutdown', 'the machine goes down'],
] as const)('a service that is ended by %s has as long as it says that the stop goes on', (end, reason) => {
  expect(sessionEnd(end)).toEqual({ reason });
});

test('where sessions do not end so nobody is told, and nobody waits', async () => {
  const session = watchSession();
  session.done();
  const silence = Symbol('silence');
  expect(await Promise.race([session.first, Promise.resolve(silence)])).toBe(silence);
});
