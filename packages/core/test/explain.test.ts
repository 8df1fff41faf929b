import { describe, expect, it } from 'vitest';
import { type Explanation, explain, fold, isTelling } from '../src/control/explain.ts';
import type { WorkerView } from '../src/control/view.ts';
import { ERRORS } from '../src/errors.ts';
import type { EventDraft, HsuEvent } from '../src/events/catalogue.ts';

const NOW = 1_700_000_000_000;

function view(differs: Partial<WorkerView>): WorkerView {
  return {
    id: 'mailer',
    name: 'mailer',
    namespace: null,
    group: null,
    enabled: true,
    phase: 'stopped',
    desired: 'up',
    doing: '',
    ready: false,
    probed: false,
    completed: false,
    run: 1,
    process: null,
    port: null,
    startedAt: null,
    restarts: 0,
    failuresInARow: 0,
    breaker: 'closed',
    nextTry: null,
    waiting: [],
    failure: null,
    lastEnd: null,
    throttled: [],
    degraded: [],
    usage: null,
    ...differs,
  };
}

function history(...drafts: readonly EventDraft[]): readonly HsuEvent[] {
  return drafts.map((draft, index) => ({
    seq: index + 1,
    at: NOW - 60_000 + index * 1000,
    workerId: 'mailer',
    run: 1,
    ...draft,
  }));
}

const exited = (code: number, asked = false): EventDraft => ({
  type: 'worker.exited',
  payload: {
    exit: { code, signal: null, coreDumped: false, usage: null },
    asked,
    success: false,
    uptime: 400,
    remaining: [],
  },
});
const started: EventDraft = {
  type: 'worker.started',
  payload: { process: { pid: 7, startedAt: '1' }, warning: null },
};

function explained(differs: Partial<WorkerView>, ...drafts: readonly EventDraft[]): Explanation {
  return explain({ worker: view(differs), events: history(...drafts), lastWords: [], now: NOW });
}

const headline = (...given: Parameters<typeof explained>) => explained(...given).headline;

describe('explain', () => {
  it('tells a crash loop once, with how often, its last words and what to do', () => {
    const loop = Array.from({ length: 5 }, () => [started, exited(1)]).flat();
    const worker = view({ phase: 'backoff', failuresInARow: 5, breaker: 'open', nextTry: NOW + 12_000 });
    const words = ['connect ECONNREFUSED 10.0.0.7:587'];
    const told = explain({ worker, events: history(...loop), lastWords: words, now: NOW });
    expect(told.headline).toBe(
      'mailer is not running: its breaker is open after 5 failures in a row; next try in 12s.',
    );
    expect(told.history.map(({ text, count }) => [text, count])).toEqual([['exit 1 after 400ms', 5]]);
    expect(told.cause).toBe(
      'it ends by itself (exit 1); the last that it said: connect ECONNREFUSED 10.0.0.7:587',
    );
    expect(told.next[0]?.command).toBe('hsu-master reset mailer');
  });

  it('tells what a blocked worker waits for', () => {
    const waiting = [{ id: 'db', condition: 'ready', reason: 'not ready: connection refused' }] as const;
    const told = explain({
      worker: view({ phase: 'blocked', waiting }),
      events: [],
      lastWords: [],
      now: NOW,
    });
    expect(told.headline).toBe(
      'mailer is not running: it waits for db to be ready (not ready: connection refused).',
    );
    expect(told.next.map(({ command }) => command)).toEqual(['hsu-master why db']);
  });

  it('finds nothing wrong with what is ready or was stopped', () => {
    const ready = view({ phase: 'running', ready: true, doing: 'ready', startedAt: NOW - 7_500_000 });
    const told = explain({ worker: ready, events: history(started), lastWords: ['noise'], now: NOW });
    expect(told).toMatchObject({
      headline: 'mailer is running (pid ?) for 2h 5m: ready.',
      cause: null,
      lastWords: [],
    });
    const stopped = view({ desired: 'down' });
    const stop: EventDraft = { type: 'worker.stopping', payload: { cause: 'operator', detail: '' } };
    const rest = explain({ worker: stopped, events: history(stop), lastWords: [], now: NOW });
    expect(rest.headline).toBe('mailer is not running: an operator stopped it.');
  });

  it('names the memory limit where the kernel killed for it', () => {
    const kill: EventDraft = {
      type: 'worker.exited',
      payload: {
        exit: { code: null, signal: 'SIGKILL', coreDumped: false, oomKilled: 'limit', usage: null },
        asked: false,
        success: false,
        uptime: 9000,
        remaining: [],
      },
    };
    const worker = view({ phase: 'backoff', failuresInARow: 1, nextTry: NOW + 1000 });
    expect(explain({ worker, events: history(kill), lastWords: [], now: NOW }).cause).toBe(
      'it needs more memory than it is given',
    );
  });

  it('has a headline for what is under way and why', () => {
    const stop: EventDraft = { type: 'worker.stopping', payload: { cause: 'liveness', detail: 'HTTP 500' } };
    expect(headline({ phase: 'starting' })).toBe('mailer is being started.');
    expect(headline({ phase: 'stopping' })).toBe('mailer is being stopped.');
    expect(headline({ phase: 'stopping' }, stop)).toBe(
      'mailer is being stopped: its liveness probe failed (HTTP 500).',
    );
    expect(headline({ phase: 'running', process: { pid: 7, startedAt: '1' }, doing: 'not ready' })).toBe(
      'mailer is running (pid 7): not ready.',
    );
    expect(headline({ phase: 'backoff', failuresInARow: 1 })).toBe(
      'mailer is not running: it failed (1 failure in a row); next try in 0ms.',
    );
  });

  it('says why a worker rests', () => {
    const stop = (cause: 'operator' | 'shutdown' | 'main-process'): EventDraft => ({
      type: 'worker.stopping',
      payload: { cause, detail: '' },
    });
    const rests = (differs: Partial<WorkerView>, ...events: readonly EventDraft[]) =>
      headline(differs, ...events).replace('mailer is not running: ', '');
    expect(rests({ completed: true })).toBe('it ended by itself with success.');
    expect(rests({ run: 0 })).toBe('it was stopped by an operator, or not started yet.');
    expect(rests({ run: 0, enabled: false })).toBe('it is not enabled.');
    expect(rests({}, stop('operator'))).toBe('an operator stopped it.');
    expect(rests({}, stop('shutdown'))).toBe('it was stopped: the master is ending.');
    expect(rests({}, stop('main-process'))).toBe('it was stopped: main-process.');
    expect(rests({})).toBe('it was stopped.');
  });

  it('names the failure of what is not tried again, and what its code advises', () => {
    const failure = { code: 'E_SPAWN', message: 'worker "mailer": no such file' } as const;
    const told = explained({ phase: 'failed', failure });
    expect(told.headline).toBe('mailer is not running and is not tried again: no such file');
    expect(told.cause).toBe(`${ERRORS.E_SPAWN.means} ${ERRORS.E_SPAWN.next}`);
    expect(told.next.map(({ command }) => command)).toEqual([
      'hsu-master reset mailer',
      'hsu-master logs mailer',
    ]);
    expect(headline({ phase: 'failed' })).toBe('mailer is not running and is not tried again: it failed');
  });

  it('looks for the cause in the last that happened where a worker was given up', () => {
    const failure = { code: 'E_GAVE_UP', message: 'worker "mailer": gave up' } as const;
    const cause = (...events: readonly EventDraft[]) =>
      explained({ phase: 'failed', failure }, ...events).cause;
    const spawnFailed: EventDraft = {
      type: 'worker.spawn-failed',
      payload: { failure: { code: 'E_SPAWN', message: 'no such file' } },
    };
    const probed = (healthy: boolean): EventDraft => ({
      type: 'health.changed',
      payload: { probe: 'liveness', healthy, reason: 'HTTP 500' },
    });
    expect(cause(spawnFailed)).toBe(`${ERRORS.E_SPAWN.means} ${ERRORS.E_SPAWN.next}`);
    expect(cause(probed(false))).toBe('its liveness probe fails: HTTP 500');
    expect(cause(probed(true))).toBeNull();
    expect(cause(exited(1, true))).toBeNull();
    expect(cause(exited(1))).toBe('it ends by itself (exit 1)');
    expect(cause()).toBeNull();
  });

  it('finds no cause in what waits for its own process or runs without being ready', () => {
    const own = { id: 'mailer', condition: 'process', reason: 'its process: there is no pid file' } as const;
    const told = explained({ phase: 'blocked', waiting: [own] });
    expect(told).toMatchObject({
      headline: 'mailer is not running: it waits for its process: there is no pid file.',
      cause: null,
      next: [],
    });
    expect(explained({ phase: 'blocked' }).cause).toBeNull();
    const db = { id: 'db', condition: 'ready', reason: 'starting' } as const;
    expect(explained({ phase: 'blocked', waiting: [db] }).cause).toBe('db is not ready: starting');
    expect(explained({ phase: 'running' })).toMatchObject({
      cause: null,
      next: [{ command: 'hsu-master logs mailer' }],
    });
  });
});

describe('fold', () => {
  it('a program that cannot be started and is given up for that is told once', () => {
    const failure = { code: 'E_EXEC_NOT_FOUND', message: 'worker "mailer": no such file' } as const;
    const failed: EventDraft = { type: 'worker.spawn-failed', payload: { failure } };
    const message = `${failure.message}; trying again cannot help`;
    const givenUp: EventDraft = { type: 'worker.failed', payload: { failure: { ...failure, message } } };
    expect(fold(history(failed, givenUp)).map(({ text, count }) => [text, count])).toEqual([
      ['no such file; trying again cannot help', 1],
    ]);
  });

  const process = { pid: 7, startedAt: '1' };

  it.each<[string, EventDraft]>([
    [
      'no such file',
      {
        type: 'worker.spawn-failed',
        payload: { failure: { code: 'E_SPAWN', message: 'worker "mailer": no such file' } },
      },
    ],
    ['ended as asked (exit 0)', exited(0, true)],
    [
      'stopping: it exceeded a limit (too much)',
      { type: 'worker.stopping', payload: { cause: 'limit', detail: 'too much' } },
    ],
    ['killed with SIGKILL 5s after it was asked to end', { type: 'worker.killed', payload: { after: 5000 } }],
    ['processes survived SIGKILL', { type: 'worker.survivors', payload: { survivors: [process] } }],
    [
      'went into the background unexpectedly',
      { type: 'worker.daemonized', payload: { process, expected: false } },
    ],
    [
      'startup probe passed',
      { type: 'health.changed', payload: { probe: 'startup', healthy: true, reason: '' } },
    ],
    [
      'startup probe failed: refused',
      { type: 'health.changed', payload: { probe: 'startup', healthy: false, reason: 'refused' } },
    ],
    [
      'exceeded its limit cpu.max_time (out-of-cpu-time)',
      {
        type: 'limit.exceeded',
        payload: {
          limit: 'cpu.max_time',
          value: null,
          allowed: null,
          quota: null,
          reason: 'out-of-cpu-time',
        },
      },
    ],
    [
      'held back for its limit cpu.max_percent',
      { type: 'worker.throttled', payload: { limit: 'cpu.max_percent', percent: 20 } },
    ],
    [
      'breaker opened',
      {
        type: 'worker.backing-off',
        payload: { delay: 1, until: NOW, failures: 3, breaker: 'open', reason: '' },
      },
    ],
    ['started; odd', { type: 'worker.started', payload: { process, warning: 'odd' } }],
    [
      'attached to its process',
      {
        type: 'worker.attached',
        payload: { process, uptime: 0, restarts: 0, ready: true, origin: 'foreign' },
      },
    ],
    [
      'attached to the process that an earlier master had started',
      {
        type: 'worker.attached',
        payload: { process, uptime: 0, restarts: 0, ready: true, origin: 'earlier-master' },
      },
    ],
    ['let go of its process', { type: 'worker.detached', payload: { process } }],
    [
      'its process is not attached: two match',
      { type: 'worker.not-found', payload: { reason: 'two match', processes: [process] } },
    ],
    [
      'could not stop it: systemctl says no',
      { type: 'worker.control-failed', payload: { action: 'stop', reason: 'systemctl says no' } },
    ],
    ['completed', { type: 'worker.stopped', payload: { completed: true } }],
    ['stopped', { type: 'worker.stopped', payload: { completed: false } }],
  ])('tells: %s', (text, draft) => {
    const [event] = history(draft) as [HsuEvent];
    expect(isTelling(event)).toBe(true);
    expect(fold([event])).toEqual([{ at: event.at, run: 1, text, count: 1 }]);
  });

  it.each<[string, EventDraft]>([
    ['a daemon that was expected', { type: 'worker.daemonized', payload: { process, expected: true } }],
    [
      'a wait between two tries',
      {
        type: 'worker.backing-off',
        payload: { delay: 1, until: NOW, failures: 1, breaker: 'closed', reason: '' },
      },
    ],
    ['that it is ready', { type: 'worker.ready', payload: {} }],
  ])('says nothing of %s', (_what, draft) => {
    const events = history(draft);
    expect(events.map(isTelling)).toEqual([false]);
    expect(fold(events)).toEqual([]);
  });

  it('keeps a start only while it lasts', () => {
    const texts = (...drafts: readonly EventDraft[]) => fold(history(...drafts)).map(({ text }) => text);
    expect(texts(started, exited(1), started)).toEqual(['exit 1 after 400ms', 'started']);
    expect(texts(started, exited(1))).toEqual(['exit 1 after 400ms']);
  });

  it.each([
    [0, '0ms'],
    [7, '7ms'],
    [9940, '9.9s'],
    [60_000, '1m'],
    [90_061_000, '1d 1h'],
    [86_400_000, '1d'],
    [3_605_000, '1h'],
  ])('an end after %d ms is told as people say it: %s', (uptime, span) => {
    const end = exited(1) as EventDraft & { type: 'worker.exited' };
    const [told] = fold(history({ ...end, payload: { ...end.payload, uptime } }));
    expect(told?.text).toBe(`exit 1 after ${span}`);
  });
});
