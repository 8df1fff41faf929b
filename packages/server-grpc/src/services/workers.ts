import { CONDITIONS, meets, statesFrom, until, type WorkerView } from '@hsu-master/core';
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

  GetGraph({ select, namespace }, call) {
    const { control } = call;
    const wanted = {
      patterns: asked.patterns(select),
      namespace: asked.optional('namespace', namespace, 64),
    };
    const found = call.allowed('workers:read', control.workers(wanted, false));
    return { workers: found.map((worker) => told.graphNode(worker, control.dependencies(worker.id))) };
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
    const wanted = {
      patterns: asked.patterns(select),
      namespace: asked.optional('namespace', namespace, 64),
    };
    call.readable('workers:read', wanted.patterns, wanted.namespace);
    const { id: master } = control.master();
    const may = (worker: WorkerView): boolean => call.may('workers:read', worker);
    for await (const news of statesFrom(control, wanted, may, signal)) {
      const { kind, seq } = news;
      if (kind === 'states') yield { states: { master, seq, workers: news.workers.map(told.worker) } };
      else if (kind === 'state') yield { changed: { seq, worker: told.worker(news.worker) } };
      else yield { removed: { seq, id: news.id } };
    }
  },
};
