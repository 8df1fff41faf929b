import { EVENT_MEANINGS, type EventDraft, type EventMap, type HsuEvent } from '@hsu-master/core';
import { expect, test } from 'vitest';
import { eventLine } from '../../src/index.ts';

const process = { pid: 123, startedAt: '1' };
const exit = { code: 1, signal: null, coreDumped: false, usage: null };
const failure = {
  code: 'E_EXEC_NOT_FOUND',
  message: 'worker "web": cannot start "./server": no such file',
} as const;

const front = { kind: 'group', id: 'front' } as const;

function event(draft: EventDraft, workerId: string | null = 'web'): HsuEvent {
  return { seq: 1, at: 0, workerId, run: 1, ...draft };
}

function excess(differs: Partial<EventMap['limit.exceeded']>): EventMap['limit.exceeded'] {
  return { limit: 'cpu.max_percent', value: null, allowed: 20, quota: null, reason: 'x', ...differs };
}

const lines: readonly (readonly [EventDraft, string | null])[] = [
  [{ type: 'worker.removed', payload: { runs: 2 } }, 'web: removed'],
  [{ type: 'worker.starting', payload: { restarts: 0 } }, null],
  [
    { type: 'worker.blocked', payload: { waiting: [{ id: 'db', condition: 'ready', reason: 'starting' }] } },
    'web: waiting for db to be ready (starting)',
  ],
  [{ type: 'worker.spawn-failed', payload: { failure } }, 'web: cannot start "./server": no such file'],
  [{ type: 'worker.started', payload: { process, warning: null } }, 'web: started (pid 123)'],
  [
    { type: 'worker.started', payload: { process, warning: 'no cgroup' } },
    'web: started (pid 123); warning: no cgroup',
  ],
  [
    {
      type: 'worker.attached',
      payload: { process, uptime: 61_000, restarts: 2, ready: true, origin: 'earlier-master' },
    },
    'web: runs on (pid 123, for 1m1s already); an earlier master started it',
  ],
  [
    {
      type: 'worker.attached',
      payload: { process, uptime: 61_000, restarts: 0, ready: false, origin: 'foreign' },
    },
    'web: found (pid 123, running for 1m1s); watching it',
  ],
  [{ type: 'worker.detached', payload: { process } }, 'web: watched no longer (pid 123); it runs on'],
  [{ type: 'worker.monitor-only', payload: { reason: 'not root' } }, 'web: can only be watched: not root'],
  [
    { type: 'worker.not-found', payload: { reason: 'two match', processes: [] } },
    'web: not attached: two match',
  ],
  [
    { type: 'worker.control-failed', payload: { action: 'restart', reason: 'not allowed' } },
    'web: could not be restarted: not allowed; watched as before',
  ],
  [
    { type: 'worker.file-failed', payload: { file: '/run/web.pid', reason: 'EACCES' } },
    'web: its pid file /run/web.pid cannot be written: EACCES',
  ],
  [
    { type: 'worker.daemonized', payload: { process, expected: true } },
    'web: went into the background; its main process is now pid 123',
  ],
  [{ type: 'worker.ready', payload: {} }, 'web: ready'],
  [{ type: 'worker.unready', payload: { reason: 'HTTP 503' } }, null],
  [{ type: 'worker.stopping', payload: { cause: 'operator', detail: '' } }, 'web: stopping'],
  [
    { type: 'worker.stopping', payload: { cause: 'dependency', detail: 'its dependency "db" ended' } },
    'web: stopping it: its dependency "db" ended',
  ],
  [{ type: 'worker.killed', payload: { after: 5000 } }, 'web: did not end within 5s; killed with SIGKILL'],
  [{ type: 'worker.killed', payload: { after: 0 } }, 'web: killed with SIGKILL'],
  [
    { type: 'worker.stopping', payload: { cause: 'limit', detail: 'memory.max_rss for 30s' } },
    'web: stopping it for its limit: memory.max_rss for 30s',
  ],
  [
    { type: 'worker.throttled', payload: { limit: 'cpu.max_percent', percent: 10 } },
    'web: held back to 10% of a core, since it exceeds cpu.max_percent',
  ],
  [
    { type: 'worker.unthrottled', payload: { reason: 'the tree is ended' } },
    'web: held back no longer: the tree is ended',
  ],
  [
    { type: 'limit.warned', payload: { limit: 'memory.max_rss', value: 900, allowed: 1000 } },
    'web: near its limit memory.max_rss: 900B of 1000B',
  ],
  [
    { type: 'limit.exceeded', payload: excess({ value: 35 }) },
    'web: exceeds its limit cpu.max_percent: 35% of 20%',
  ],
  ...[19.4, 20.004, null].map((value): readonly [EventDraft, string] => [
    { type: 'limit.exceeded', payload: excess({ value }) },
    'web: has reached its limit cpu.max_percent of 20%',
  ]),
  [
    {
      type: 'limit.exceeded',
      payload: excess({ limit: 'memory.max_rss', value: null, allowed: 65_536, reason: 'oom-killed' }),
    },
    'web: killed by the kernel at its limit memory.max_rss of 64KiB',
  ],
  [
    {
      type: 'limit.exceeded',
      payload: excess({ limit: 'cpu.max_time', value: null, allowed: 2000, reason: 'out-of-cpu-time' }),
    },
    'web: killed by the kernel at its limit cpu.max_time of 2s',
  ],
  [
    {
      type: 'limit.exceeded',
      payload: excess({ limit: 'memory.max_rss', value: null, allowed: null, reason: 'oom-killed' }),
    },
    'web: killed by the kernel at its limit memory.max_rss',
  ],
  [
    {
      type: 'limit.exceeded',
      payload: excess({
        limit: 'memory.max_rss',
        value: null,
        allowed: 65_536,
        quota: front,
        reason: 'oom-killed',
      }),
    },
    'web: killed by the kernel at the limit of its group "front", memory.max_rss of 64KiB',
  ],
  [
    { type: 'limit.cleared', payload: { limit: 'memory.max_rss', value: 1, allowed: 1000, quota: null } },
    'web: keeps its limit memory.max_rss again',
  ],
  [
    { type: 'limit.cleared', payload: { limit: 'memory.max_rss', value: 1, allowed: 1000, quota: front } },
    'web: its group "front" keeps its limit memory.max_rss again',
  ],
  [
    {
      type: 'limit.exceeded',
      payload: excess({ limit: 'process.max_processes', value: 20, quota: front, reason: 'full' }),
    },
    'web: its group "front" has reached its limit process.max_processes of 20',
  ],
  [
    {
      type: 'limit.exceeded',
      payload: excess({ limit: 'process.max_processes', quota: front, reason: 'fork-refused' }),
    },
    'web: was refused a process or thread at the limit of its group "front", process.max_processes of 20',
  ],
  [
    {
      type: 'limit.unenforceable',
      payload: { limit: 'memory.max_rss', status: 'impossible', quota: front, reason: 'no cgroup' },
    },
    'web: the limit of its group "front", memory.max_rss cannot be kept: no cgroup',
  ],
  [
    { type: 'limit.adjusted', payload: { limit: 'memory.max_rss', from: 1024, to: 2048 } },
    'web: its limit memory.max_rss is raised from 1KiB to 2KiB',
  ],
  [
    {
      type: 'limit.unenforceable',
      payload: {
        limit: 'memory.max_rss',
        status: 'watched',
        quota: null,
        reason: 'no cgroup; Linux does not',
      },
    },
    'web: its limit memory.max_rss is watched, not enforced: no cgroup',
  ],
  [
    {
      type: 'limit.unenforceable',
      payload: {
        limit: 'network.max_bandwidth',
        status: 'impossible',
        quota: null,
        reason: 'no controller for it',
      },
    },
    'web: its limit network.max_bandwidth cannot be kept: no controller for it',
  ],
  [
    {
      type: 'alert.failed',
      payload: { limit: 'memory.max_rss', to: 'webhook', reason: 'HTTP 500 from http://localhost' },
    },
    'web: the alert about memory.max_rss did not arrive by webhook: HTTP 500 from http://localhost',
  ],
  [
    { type: 'api.certificate-refused', payload: { file: '/etc/hsu/api.crt', reason: 'no start line' } },
    'web: cannot use the new certificate /etc/hsu/api.crt, and goes on with the one before: no start line',
  ],
  [
    { type: 'api.locked-out', payload: { from: 'tcp 10.0.0.3', until: Date.UTC(2026, 0, 2) } },
    'web: too many wrong tokens came by tcp 10.0.0.3; it is not answered before 2026-01-02T00:00:00.000Z',
  ],
  [
    { type: 'audit.failed', payload: { file: '/l/audit.jsonl', reason: 'ENOSPC' } },
    'web: cannot write the audit /l/audit.jsonl: ENOSPC',
  ],
  [
    { type: 'worker.exited', payload: { exit, asked: false, success: false, uptime: 2300, remaining: [] } },
    'web: exit 1 after 2.3s; last words: boom',
  ],
  [
    {
      type: 'worker.exited',
      payload: {
        exit: { ...exit, code: 0 },
        asked: false,
        success: true,
        uptime: 60_000,
        remaining: [process],
      },
    },
    'web: exit 0 after 1m; 1 process of its tree still there',
  ],
  [
    {
      type: 'worker.exited',
      payload: {
        exit: { ...exit, code: null, signal: 'SIGTERM' },
        asked: true,
        success: false,
        uptime: 2300,
        remaining: [],
      },
    },
    'web: ended (SIGTERM) after 2.3s',
  ],
  [
    { type: 'worker.survivors', payload: { survivors: [process, process] } },
    'web: could not be ended: 2 processes alive after SIGKILL (pid 123, 123); not started again before they are gone',
  ],
  [
    {
      type: 'worker.backing-off',
      payload: { delay: 1000, until: 0, failures: 2, breaker: 'closed', reason: 'exit 1' },
    },
    'web: next try in 1s (failure 2 in a row)',
  ],
  [
    {
      type: 'worker.backing-off',
      payload: { delay: 60_000, until: 0, failures: 5, breaker: 'open', reason: 'exit 1' },
    },
    'web: failed too often (5 times in a row); one more try in 1m',
  ],
  [
    { type: 'worker.failed', payload: { failure } },
    'web: failed for good: cannot start "./server": no such file',
  ],
  [{ type: 'worker.stopped', payload: { completed: false } }, 'web: stopped'],
  [{ type: 'worker.stopped', payload: { completed: true } }, 'web: completed'],
  [
    { type: 'health.changed', payload: { probe: 'readiness', healthy: false, reason: 'HTTP 503' } },
    'web: not ready: HTTP 503',
  ],
  [
    { type: 'health.changed', payload: { probe: 'liveness', healthy: false, reason: 'HTTP 503' } },
    'web: liveness probe failed: HTTP 503',
  ],
  [{ type: 'health.changed', payload: { probe: 'liveness', healthy: true, reason: 'HTTP 200' } }, null],
  [{ type: 'log.dropped', payload: { bytes: 0, reason: 'disk full' } }, 'web: log trouble: disk full'],
  [
    { type: 'log.dropped', payload: { bytes: 2048, reason: 'written again' } },
    'web: 2KiB of its output were lost (written again)',
  ],
  [{ type: 'log.rotated', payload: { file: '/log/web.log' } }, null],
  [
    {
      type: 'log.alerted',
      payload: { kind: 'raised', rule: 'errors', lines: 3, message: 'errors: 3 lines' },
    },
    'web: alert raised: errors: 3 lines',
  ],
  [
    { type: 'log.alert-failed', payload: { rule: 'errors', to: 'exec', reason: 'exit 1' } },
    'web: the alert errors did not arrive by exec: exit 1',
  ],
];

const masterLines: readonly (readonly [EventDraft, string | null])[] = [
  [
    {
      type: 'config.loaded',
      payload: { revision: 3, file: '/etc/shop.yaml', source: 'file', workers: 2 },
    },
    'hsu-master: configuration 3: as /etc/shop.yaml says',
  ],
  [
    {
      type: 'config.loaded',
      payload: { revision: 4, file: '/etc/shop.yaml', source: 'applied', workers: 2 },
    },
    'hsu-master: configuration 4: as it was applied last',
  ],
  [
    { type: 'config.rejected', payload: { file: 'new.yaml', by: 'ann', reason: '2 errors' } },
    'hsu-master: new.yaml is not accepted, the former holds on: 2 errors',
  ],
  [
    { type: 'config.rejected', payload: { file: 'kept.json', by: 'start', reason: 'it is damaged' } },
    'hsu-master: kept.json is not accepted: it is damaged',
  ],
  [
    {
      type: 'config.applied',
      payload: {
        revision: 4,
        by: 'ann',
        state: 'done',
        added: ['a'],
        removed: [],
        changed: ['b', 'c'],
        restarted: [],
      },
    },
    'hsu-master: configuration 4 is carried out: 1 added, 0 removed, 2 changed',
  ],
  [
    { type: 'api.listening', payload: { address: 'https://127.0.0.1:7400' } },
    'hsu-master: answers at https://127.0.0.1:7400',
  ],
  [
    { type: 'api.tokens-refused', payload: { file: '/s/tokens.json', reason: 'it is damaged' } },
    'hsu-master: lets nobody in by a token: it is damaged (/s/tokens.json)',
  ],
  [
    { type: 'api.certificate-loaded', payload: { file: '/etc/hsu/api.crt' } },
    'hsu-master: uses the new certificate /etc/hsu/api.crt',
  ],
  [
    { type: 'supervisor.started', payload: { host: 'native', workers: 1 } },
    'hsu-master: holds 1 worker (native host)',
  ],
  [
    { type: 'supervisor.stopping', payload: { reason: 'SIGINT' } },
    'hsu-master: stopping all workers: SIGINT',
  ],
  [{ type: 'supervisor.stopped', payload: { survivors: [] } }, 'hsu-master: all workers are stopped'],
  [
    { type: 'supervisor.stopped', payload: { survivors: [process] } },
    'hsu-master: stopped, but 1 process could not be ended (pid 123)',
  ],
  [
    { type: 'supervisor.left-over-ended', payload: { process } },
    'hsu-master: ended pid 123, which an earlier master had left running',
  ],
  [
    { type: 'supervisor.stray-found', payload: { process } },
    'hsu-master: pid 123 belongs to no worker any more: it left its tree without a trace and is ended with the master',
  ],
  [
    { type: 'supervisor.unrecorded', payload: { reason: 'disk full' } },
    'hsu-master: could not be written down, trying again: disk full',
  ],
  [
    { type: 'log.sink-failing', payload: { sink: 'loki:l:3100#1', reason: '503' } },
    'hsu-master: log target loki:l:3100#1 fails, trying again: 503',
  ],
  [
    { type: 'log.sink-recovered', payload: { sink: 'loki:l:3100#1', failures: 2, after: 3000 } },
    'hsu-master: log target loki:l:3100#1 works again, after 2 failures in 3s',
  ],
  [
    { type: 'log.sink-found', payload: { sink: 'loki:l:3100#1', lines: 1 } },
    'hsu-master: log target loki:l:3100#1 gets 1 line that an earlier master had left first',
  ],
  [{ type: 'log.removed', payload: { file: '/a.log', files: 2, bytes: 10, because: 'age' } }, null],
  [
    { type: 'log.over-budget', payload: { bytes: 2 ** 21, max: 2 ** 20 } },
    'hsu-master: log files have 2MiB, more than the 1MiB of max_total_size, and nothing older is left to remove',
  ],
  [
    { type: 'log.sink-left', payload: { sink: 'syslog:old', folder: '/s/x', bytes: 1024 } },
    'hsu-master: 1KiB of lines wait in /s/x for the log target syslog:old, which is not configured any more',
  ],
  [
    { type: 'supervisor.left', payload: { reason: 'SIGTERM', workers: 2 } },
    'hsu-master: leaves 2 workers running',
  ],
  [
    { type: 'supervisor.journal-refused', payload: { file: '/r', records: null, reason: 'damaged' } },
    'hsu-master: records of the master before are not believed: damaged (/r)',
  ],
  [
    { type: 'supervisor.defect', payload: { message: 'x' } },
    'hsu-master: internal error, please report it: x',
  ],
];

test.each(lines)('%j', (draft, line) => {
  expect(eventLine(event(draft), 'boom')).toBe(line);
});

test.each(masterLines)('%j of the master', (draft, line) => {
  expect(eventLine(event(draft, null))).toBe(line);
});

test('every type of event has its wording', () => {
  const shown = new Set([...lines, ...masterLines].map(([draft]) => draft.type));
  expect([...shown].sort()).toEqual(Object.keys(EVENT_MEANINGS).sort());
});
