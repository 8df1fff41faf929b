import { CONDITIONS, meets, until, type WorkerId } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Handlers } from '../handlers.ts';
import * as told from '../told.ts';

const WAIT = 30_000;

export const workerService: Handlers<'hsu.v1.WorkerService'> = {
  ListWorkers({ select, namespace, usage }, call) {
    const { control } = call;
    const wanted = {
      patterns: asked.patterns(select),
      namespace: asked.optional('namespace', namespace, 64),
    };
    const workers = call.allowed('workers:read', control.workers(wanted, usage)).map(told.worker);
    return { master: control.master().id, seq: control.events.seq, workers };
  },

  GetWorker({ id }, call) {
    const worker = call.control.worker(asked.id(id));
    call.demand('workers:read', worker);
    return told.workerDetail(worker, call.control.detail(worker.id));
  },

  ListLimits({ id }, call) {
    const worker = call.control.worker(asked.id(id));
    call.demand('workers:read', worker);
    return { limits: call.control.limits(worker.id).map(told.limitReport) };
  },

  ListProcesses({ select, namespace }, call) {
    const { control } = call;
    const wanted = {
      patterns: asked.patterns(select),
      namespace: asked.optional('namespace', namespace, 64),
    };
    const found = call.allowed('workers:read', control.workers(wanted, false));
    return {
      processes: found.flatMap(({ id }) => control.processes(id).map((one) => told.treeProcess(id, one))),
    };
  },

  GetEnvironment({ id, reveal }, call) {
    const worker = call.control.worker(asked.id(id));
    const by = call.demand(reveal ? 'workers:reveal' : 'workers:read', worker);
    if (reveal) call.audit.record({ by, action: 'worker.reveal', on: worker.id, result: 'done', why: null });
    return told.environment(call.control.environment(worker.id, reveal), reveal);
  },

  async Explain({ id }, call) {
    const worker = call.control.worker(asked.id(id));
    call.demand('workers:read', worker);
    const why = told.explanation(await call.control.why(worker.id));
    return call.may('logs:read', worker) ? why : { ...why, lastWords: [], cause: null };
  },

  async WaitFor({ id, condition, timeout }, call) {
    const { control } = call;
    const worker = control.worker(asked.id(id));
    call.demand('workers:read', worker);
    const wanted = asked.word('condition', condition, CONDITIONS, 'ready');
    const signal = call.atMost(asked.span('timeout', timeout, WAIT));
    const came = await until(control, worker.id, wanted, signal);
    const now = control.worker(worker.id);
    return { met: came === 'yes', never: meets(now, wanted) === 'never', worker: told.worker(now) };
  },

  async *WatchWorkers({ select, namespace }, call) {
    const { control, signal } = call;
    const patterns = asked.patterns(select);
    const mine = call.readable('workers:read', patterns, asked.optional('namespace', namespace, 64));
    const ids = new Set(mine.map(({ id }) => id));
    const changed = new Set<WorkerId>();
    let wake: () => void = () => {};
    const unsubscribe = control.events.subscribe(({ workerId }) => {
      if (workerId === null || !ids.has(workerId)) return;
      changed.add(workerId);
      wake();
    });
    const abort = (): void => wake();
    signal.addEventListener('abort', abort);
    try {
      const { id: master } = control.master();
      yield { states: { master, seq: control.events.seq, workers: mine.map(told.worker) } };
      while (!signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        for (const id of changed) {
          changed.delete(id);
          yield { changed: { seq: control.events.seq, worker: told.worker(control.worker(id)) } };
        }
        if (changed.size === 0 && !signal.aborted) await promise;
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', abort);
    }
  },
};
