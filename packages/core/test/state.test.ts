import { describe, expect, test } from 'vitest';
import { hasReadiness } from '../src/worker/spec.ts';
import { dependencyView, doing, isAtRest, isReady, type Phase, type Worker } from '../src/worker/state.ts';
import { exit, LEADER, PROBE, Rig, spec } from './rig.ts';

function inPhase(phase: Phase, differs: Partial<Worker> = {}): Worker {
  return { ...new Rig().worker, phase, ...differs };
}

const running = {
  name: 'running',
  process: LEADER,
  since: 0,
  ready: true,
  unreadyReason: '',
  mainKnown: true,
  throttled: [],
} as const;
const stopping = {
  name: 'stopping',
  process: LEADER,
  since: 0,
  askedAt: 0,
  cause: 'operator',
  detail: '',
  answer: null,
  step: 'asking',
  exit: exit(),
  earlierExit: null,
  restartAfter: false,
  survivors: [],
} as const;
const failure = { code: 'E_GAVE_UP', message: 'too often' } as const;
const waiting = [
  { id: 'db', condition: 'ready', reason: '' },
  { id: 'cache', condition: 'started', reason: '' },
] as const;
const leftOver = { id: 'web', condition: 'ended', reason: 'what was left of it to end (pid 7)' } as const;

describe('what a worker shows', () => {
  test.each<[string, Worker, { started: boolean; ready: boolean; completed: boolean; atRest: boolean }]>([
    [
      'stopped',
      inPhase({ name: 'stopped', completed: false }),
      { started: false, ready: false, completed: false, atRest: true },
    ],
    [
      'completed',
      inPhase({ name: 'stopped', completed: true }),
      { started: false, ready: false, completed: true, atRest: true },
    ],
    [
      'failed: too often',
      inPhase({ name: 'failed', failure }),
      { started: false, ready: false, completed: false, atRest: true },
    ],
    [
      'blocked by db, cache',
      inPhase({ name: 'blocked' }, { waiting }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
    [
      'waiting for what was left of it to end (pid 7)',
      inPhase({ name: 'blocked' }, { waiting: [leftOver] }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
    [
      'waiting for what was left of it to end (pid 7); blocked by db, cache',
      inPhase({ name: 'blocked' }, { waiting: [leftOver, ...waiting] }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
    [
      'starting',
      inPhase({ name: 'starting', end: null, outdated: false, replaced: false }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
    ['ready', inPhase(running), { started: true, ready: true, completed: false, atRest: false }],
    [
      'not ready',
      inPhase({ ...running, ready: false }),
      { started: true, ready: false, completed: false, atRest: false },
    ],
    [
      'not ready: HTTP 503',
      inPhase({ ...running, ready: false, unreadyReason: 'HTTP 503' }),
      { started: true, ready: false, completed: false, atRest: false },
    ],
    [
      'waiting for its main process',
      inPhase({ ...running, mainKnown: false }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
    [
      'ready; throttled for cpu.max_percent, memory.max_rss',
      inPhase({ ...running, throttled: ['cpu.max_percent', 'memory.max_rss'] }),
      { started: true, ready: true, completed: false, atRest: false },
    ],
    ['stopping', inPhase(stopping), { started: false, ready: false, completed: false, atRest: false }],
    [
      'backoff 12s: exit 1',
      inPhase({ name: 'backoff', until: 12_100, reason: 'exit 1' }),
      { started: false, ready: false, completed: false, atRest: false },
    ],
  ])('%s', (words, worker, { atRest, ...view }) => {
    expect(doing(worker, 100)).toBe(words);
    expect(dependencyView(worker, 100)).toEqual({ ...view, doing: words });
    expect(isAtRest(worker)).toBe(atRest);
    expect(isReady(worker)).toBe(view.ready);
  });

  test('a backoff that is over is not negative', () => {
    expect(doing(inPhase({ name: 'backoff', until: 0, reason: 'exit 1' }), 500)).toBe('backoff 0ms: exit 1');
  });
});

test('readiness takes a startup or a readiness probe', () => {
  const none = { startup: null, liveness: null, readiness: null };
  expect(hasReadiness(spec({ probes: none }))).toBe(false);
  expect(hasReadiness(spec({ probes: { ...none, liveness: PROBE } }))).toBe(false);
  expect(hasReadiness(spec({ probes: { ...none, startup: PROBE } }))).toBe(true);
  expect(hasReadiness(spec({ probes: { ...none, readiness: PROBE } }))).toBe(true);
});
