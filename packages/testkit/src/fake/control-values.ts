import type { ConfigPlan, LogLine, TokenView, WorkerView } from '@hsu-master/core';

/** When everything of the fake master happens. */
export const NOW = Date.parse('2026-01-31T12:00:00.250Z');

/** A worker that has everything that a worker can have. */
export function view(id: string, differs: Partial<WorkerView> = {}): WorkerView {
  return {
    id,
    name: id,
    namespace: null,
    group: null,
    enabled: true,
    phase: 'running',
    desired: 'up',
    doing: 'ready',
    ready: true,
    probed: false,
    completed: false,
    run: 2,
    process: { pid: 42, startedAt: '7' },
    port: 8080,
    startedAt: NOW - 1000,
    restarts: 1,
    failuresInARow: 0,
    breaker: 'half-open',
    nextTry: null,
    waiting: [{ id: 'db', condition: 'ready', reason: 'starting' }],
    failure: { code: 'E_EXITED', message: 'it ended' },
    lastEnd: {
      run: 1,
      exit: { code: 1, signal: null, coreDumped: false, usage: null },
      says: 'exit 1',
      success: false,
      uptime: 400,
      at: NOW - 2000,
    },
    throttled: ['cpu.max_percent'],
    degraded: [],
    usage: { cpuPercent: 1.5, memory: 1000, processes: 1 },
    ...differs,
  };
}

/** What every worker writes. */
export const LINE: LogLine = {
  workerId: 'web',
  stream: 'stderr',
  at: NOW,
  stamped: true,
  run: 2,
  text: 'hello',
};

/** What every change comes to. */
export const PLAN: ConfigPlan = {
  workers: [
    {
      id: 'web',
      kind: 'changed',
      action: 'restart',
      parts: [{ path: 'command', before: '["a"]', after: null, effective: 'restart' }],
    },
  ],
  unchanged: ['db'],
  settings: [{ path: 'master.port', effective: 'next-start' }],
};

export const TOKEN: TokenView = {
  id: 'f0f0f0',
  name: 'ann',
  role: 'operator',
  plus: [],
  minus: [],
  workers: ['api-*'],
  namespaces: [],
  createdAt: NOW,
  expiresAt: NOW + 1000,
};
