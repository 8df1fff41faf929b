import { describe, expect, test } from 'vitest';
import { backoffDelay } from '../src/restart/backoff.ts';
import {
  coolDown,
  type FailureHistory,
  noFailures,
  restartsInWindow,
  tripped,
} from '../src/restart/breaker.ts';
import { decideRestart, type RestartDecision, type RestartQuestion } from '../src/restart/decide.ts';
import { type RestartPolicy, type RestartRule, ruleFor } from '../src/restart/policy.ts';
import { fc } from './properties.ts';
import { RULE, spec } from './rig.ts';

const CRASH: RestartQuestion = { cause: 'exit', success: false, lasting: false, uptime: 0 };

function policy(differs: Partial<RestartPolicy> = {}, rule: Partial<RestartRule> = {}): RestartPolicy {
  const all = { ...RULE, ...rule };
  return spec({ restart: { exit: all, health: all, resource: all, ...differs } }).restart;
}

function ask(
  differs: Partial<RestartQuestion> = {},
  given: RestartPolicy = policy(),
  history: FailureHistory = noFailures,
  now = 1_000_000,
): RestartDecision {
  return decideRestart(history, given, { ...CRASH, ...differs }, now, 0);
}

/** What remains after a decision. */
function after(decision: RestartDecision): FailureHistory {
  return 'history' in decision ? decision.history : noFailures;
}

describe('backoffDelay', () => {
  test.each([
    [0, 1000],
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [6, 30_000],
    [5000, 30_000],
  ])('after %d failures %d ms', (failures, delay) => expect(backoffDelay(failures, RULE, 0)).toBe(delay));

  test('without a delay there is none after any number of failures', () => {
    expect(backoffDelay(2000, { ...RULE, delay: 0 }, 0.5)).toBe(0);
    expect(coolDown({ ...RULE, coolDown: 0, maxCoolDown: 0 }, 2000)).toBe(0);
  });

  test('a bound below the first delay does not shorten it', () => {
    expect(backoffDelay(1, { ...RULE, delay: 5000, maxDelay: 100 }, 0)).toBe(5000);
    expect(backoffDelay(9, { ...RULE, delay: 5000, maxDelay: 100 }, 0)).toBe(5000);
  });

  test('jitter takes off up to its share', () => {
    expect(backoffDelay(1, { ...RULE, jitter: 0.5 }, 0)).toBe(1000);
    expect(backoffDelay(1, { ...RULE, jitter: 0.5 }, 0.5)).toBe(750);
  });

  test('is a whole number of milliseconds', () => {
    expect(backoffDelay(3, { ...RULE, delay: 100, factor: 1.1 }, 0)).toBe(121);
    expect(backoffDelay(1, { ...RULE, jitter: 0.3 }, 0.123456)).toBe(963);
    expect(coolDown({ ...RULE, coolDown: 1.2 }, 1)).toBe(1);
    const pause = ask({}, policy(), { ...noFailures, restarts: [0.1, 0.1, 0.1] }, 1234.567);
    expect(pause).toMatchObject({
      kind: 'pause',
      delay: 60_000,
      history: { breaker: { until: 61_234.567 } },
    });
  });

  test('never shrinks with more failures, and stays within its bounds', () => {
    const rules = fc.record({
      delay: fc.nat(10_000),
      factor: fc.double({ min: 1, max: 4, noNaN: true }),
      maxDelay: fc.nat(100_000),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        rules,
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (differs, failures, random) => {
          const rule = { ...RULE, ...differs };
          const delay = backoffDelay(failures, rule, random);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(rule.delay * (1 - rule.jitter) * 0.999));
          expect(delay).toBeLessThanOrEqual(Math.max(rule.maxDelay, rule.delay));
          expect(backoffDelay(failures + 1, rule, random)).toBeGreaterThanOrEqual(delay);
        },
      ),
    );
  });
});

describe('the breaker', () => {
  test('stays open twice as long with each trip, up to its bound', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((trips) => coolDown(RULE, trips))).toEqual([
      60_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
    ]);
    expect(coolDown({ ...RULE, maxCoolDown: 1 }, 1)).toBe(60_000);
  });

  test('counts its trips since the last recovery', () => {
    const closed = tripped(noFailures, RULE, 100);
    expect(closed).toEqual({ state: 'open', until: 60_100, trips: 1 });
    expect(tripped({ ...noFailures, breaker: closed }, RULE, 100)).toMatchObject({
      trips: 2,
      until: 120_100,
    });
    expect(tripped({ ...noFailures, breaker: { state: 'half-open', trips: 3 } }, RULE, 0)).toMatchObject({
      trips: 4,
    });
  });

  test('a restart counts until the window is over', () => {
    const history = { ...noFailures, restarts: [0, 1, 60_000] };
    expect(restartsInWindow(history, RULE, 60_000)).toEqual([1, 60_000]);
    expect(restartsInWindow(history, RULE, 59_999)).toEqual([0, 1, 60_000]);
  });
});

describe('who is restarted', () => {
  test.each([
    ['never', true, 'complete'],
    ['never', false, 'rest'],
    ['on-failure', true, 'complete'],
    ['on-failure', false, 'retry'],
    ['always', true, 'retry'],
    ['always', false, 'retry'],
    ['unless-stopped', true, 'retry'],
    ['unless-stopped', false, 'retry'],
  ] as const)('%s after success %s: %s', (mode, success, kind) => {
    expect(ask({ success }, policy({ mode })).kind).toBe(kind);
  });

  test('what cannot help is not tried, unless asked for', () => {
    expect(ask({ lasting: true })).toEqual({ kind: 'rest', reason: 'trying again cannot help' });
    expect(ask({ lasting: true }, policy({ retryFailedStart: true })).kind).toBe('retry');
    expect(ask({}, policy({ mode: 'never' }))).toEqual({ kind: 'rest', reason: 'restart_policy is never' });
  });

  test('health has a rule of its own, exits and failed starts share one', () => {
    const given = policy({ health: { ...RULE, delay: 7000 } });
    expect(ask({ cause: 'health' }, given)).toMatchObject({ delay: 7000 });
    expect(ask({ cause: 'exit' }, given)).toMatchObject({ delay: 1000 });
    expect(ask({ cause: 'spawn' }, given)).toMatchObject({ delay: 1000 });
    expect(ruleFor(given, 'health')).toBe(given.health);
  });
});

describe('D1: failing for ever', () => {
  test('three restarts in the window, then the breaker opens', () => {
    let history = noFailures;
    let now = 0;
    const kinds: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      const decision = ask({}, policy(), history, now);
      kinds.push(decision.kind);
      history = after(decision);
      if ('delay' in decision) now += decision.delay;
    }
    expect(kinds).toEqual(['retry', 'retry', 'retry', 'pause']);
    expect(history).toMatchObject({
      streak: 4,
      restarts: [1000, 3000, 7000],
      breaker: { state: 'open', until: 67_000, trips: 1 },
    });
  });

  test('restarts that are older than the window do not count', () => {
    const history = { ...noFailures, streak: 3, restarts: [0, 1, 2] };
    expect(ask({}, policy(), history, 60_000).kind).toBe('retry');
    expect(ask({}, policy(), history, 59_999).kind).toBe('pause');
  });

  test('no bound means no breaker and no memory of restarts', () => {
    let history = noFailures;
    for (let i = 0; i < 50; i += 1) history = after(ask({}, policy({}, { maxRetries: 0 }), history));
    expect(history).toMatchObject({ streak: 50, restarts: [], breaker: { state: 'closed' } });
  });

  test('give_up makes an open breaker final', () => {
    const history = { ...noFailures, streak: 3, restarts: [999_999, 999_999, 999_999] };
    expect(ask({}, policy({}, { giveUp: true }), history)).toMatchObject({
      kind: 'give-up',
      history: { streak: 4 },
    });
  });

  test('within any window there are at most so many restarts, whatever happens', () => {
    const happening = fc.record({
      cause: fc.constantFrom('exit' as const, 'spawn' as const, 'health' as const, 'resource' as const),
      uptime: fc.constantFrom(0, 10, 500),
      wait: fc.nat(5000),
    });
    const rule = fc.record({
      maxRetries: fc.integer({ min: 1, max: 5 }),
      window: fc.constantFrom(1000, 10_000, 60_000),
      delay: fc.constantFrom(0, 100, 1000),
    });
    fc.assert(
      fc.property(fc.tuple(rule, rule, rule), fc.array(happening, { maxLength: 60 }), (rules, happenings) => {
        const [exit, health, resource] = rules;
        const given = policy({
          exit: { ...RULE, ...exit },
          health: { ...RULE, ...health },
          resource: { ...RULE, ...resource },
        });
        let history = noFailures;
        let now = 0;
        const restarts: number[] = [];
        for (const { cause, uptime, wait } of happenings) {
          now += wait + uptime;
          const used = ruleFor(given, cause);
          const decision = ask({ cause, uptime }, given, history, now);
          history = after(decision);
          if (decision.kind === 'pause') {
            expect(history.breaker.state).toBe('open');
            now += decision.delay;
            history = noFailures;
            restarts.length = 0;
          } else if (decision.kind === 'retry') {
            const recent = restarts.filter((at) => now - at < used.window);
            expect(recent.length).toBeLessThan(used.maxRetries);
            now += decision.delay;
            restarts.push(now);
          }
        }
      }),
    );
  });
});

describe('D2: the trial', () => {
  const trial: FailureHistory = { streak: 4, restarts: [], breaker: { state: 'half-open', trips: 1 } };

  test('that fails opens the breaker again, for longer', () => {
    expect(ask({}, policy(), trial)).toMatchObject({
      kind: 'pause',
      delay: 120_000,
      history: { streak: 5, breaker: { state: 'open', trips: 2 } },
    });
  });

  test('that fails is final where giving up was asked for', () => {
    expect(ask({}, policy({}, { giveUp: true }), trial).kind).toBe('give-up');
  });

  test('that lived long enough closes it and forgives all', () => {
    expect(ask({ uptime: 10_000 }, policy(), trial)).toMatchObject({
      kind: 'retry',
      delay: 1000,
      history: { streak: 1, breaker: { state: 'closed' } },
    });
    expect(ask({ uptime: 9999 }, policy(), trial).kind).toBe('pause');
  });
});

test('D3: one crash a month waits the first delay, not the cap', () => {
  let history: FailureHistory = noFailures;
  for (let month = 0; month < 24; month += 1) {
    const decision = ask({ uptime: 2_592_000_000 }, policy(), history, month * 2_592_000_000);
    expect(decision).toMatchObject({ kind: 'retry', delay: 1000 });
    history = after(decision);
  }
});

describe('restarts by an exit and by a probe count together', () => {
  test('a probe’s restart does not make earlier exits forgotten', () => {
    const given = policy({ health: { ...RULE, maxRetries: 1 }, exit: { ...RULE, maxRetries: 2 } });
    const first = after(ask({}, given));
    expect(ask({ cause: 'health' }, given, first).kind).toBe('pause');
    const unbounded = policy({ health: { ...RULE, maxRetries: 0 }, exit: { ...RULE, maxRetries: 2 } });
    let history = after(ask({}, unbounded));
    history = after(ask({ cause: 'health' }, unbounded, history));
    expect(ask({}, unbounded, history).kind).toBe('pause');
  });

  test('a short window of one rule keeps what the other still counts', () => {
    const given = policy({ health: { ...RULE, window: 10 }, exit: { ...RULE, maxRetries: 2 } });
    let history = after(ask({}, given, noFailures, 0));
    history = after(ask({ cause: 'health' }, given, history, 5000));
    expect(history.restarts).toEqual([1000, 7000]);
    expect(ask({}, given, history, 8000).kind).toBe('pause');
  });

  test('no more is remembered than the more generous rule counts', () => {
    const given = policy({ health: { ...RULE, maxRetries: 5 }, exit: { ...RULE, maxRetries: 2 } });
    let history = noFailures;
    for (let i = 0; i < 20; i += 1) history = after(ask({ cause: 'health' }, given, history, i * 100_000));
    expect(history.restarts).toHaveLength(5);
  });
});
