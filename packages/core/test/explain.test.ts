import { describe, expect, it } from 'vitest';
import { explain } from '../src/control/explain.ts';
import type { WorkerView } from '../src/control/view.ts';
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
});
