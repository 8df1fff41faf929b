import { CONDITIONS, LIMIT_NAMES, PLAIN_ORDERS } from '@hsu-master/core';
import { z } from 'zod';
import { moment, workerId } from './common.ts';
import { failure } from './problem.ts';

const limitName = z.enum(LIMIT_NAMES as unknown as [string, ...string[]]);

const identity = z.object({ pid: z.int(), startedAt: z.string() }).meta({
  id: 'Process',
  description: 'A process: its pid and the start time by which the kernel tells it from another.',
});

const waiting = z
  .object({
    id: z.string(),
    condition: z.enum(['started', 'ready', 'completed', 'ended', 'process']),
    reason: z.string(),
  })
  .meta({ id: 'Waiting', description: 'A dependency that is not there yet, and what it does instead.' });

const end = z
  .object({
    run: z.int(),
    code: z.int().nullable().meta({ description: 'null: ended by a signal, never started, or not known.' }),
    signal: z.string().nullable(),
    says: z.string().meta({ description: 'The exit in words.' }),
    success: z.boolean(),
    uptimeMs: z.number(),
    at: moment,
  })
  .meta({ id: 'RunEnd' });

const usage = z
  .object({
    cpuPercent: z.number().nullable().meta({ description: 'Of one core; null: not known yet.' }),
    memoryBytes: z.int(),
    processes: z.int(),
  })
  .meta({ id: 'Usage' });

const common = {
  id: workerId,
  name: z.string(),
  namespace: z.string().nullable(),
  group: z.string().nullable(),
  enabled: z.boolean(),
  phase: z.enum(['stopped', 'blocked', 'starting', 'running', 'stopping', 'backoff', 'failed']),
  desired: z.enum(['up', 'down']),
  doing: z.string().meta({ description: 'The phase and why, in a few words.' }),
  ready: z.boolean(),
  probed: z
    .boolean()
    .meta({ description: 'A probe says whether it is ready; else it is as soon as it runs.' }),
  completed: z.boolean().meta({ description: 'Ended by itself with success.' }),
  run: z.int().meta({ description: 'Number of the present or last run; 0 before the first.' }),
  process: identity.nullable(),
  port: z
    .int()
    .nullable()
    .meta({ description: 'The TCP port that its process was given; null: none, or there is no process.' }),
  startedAt: moment.nullable(),
  restarts: z.int(),
  failuresInARow: z.int(),
  breaker: z.enum(['closed', 'open', 'half-open']),
  nextTry: moment.nullable(),
  waiting: z.array(waiting),
  failure: failure.nullable(),
  lastEnd: end.nullable(),
  throttled: z.array(limitName),
  degraded: z.array(z.string()),
  usage: usage.nullable(),
};

/** One worker in a list. */
export const worker = z.object(common).meta({ id: 'Worker', description: 'A worker as it is now.' });

const check = z.looseObject({ type: z.enum(['process', 'http', 'tcp', 'grpc', 'exec']) });
const probe = z
  .object({
    check,
    interval: z.number(),
    timeout: z.number(),
    initialDelay: z.number(),
    failureThreshold: z.int(),
    successThreshold: z.int(),
  })
  .meta({ id: 'Probe', description: 'Spans in milliseconds. Values of headers are left out.' });

/** One worker with what was written about it. */
export const workerDetail = z
  .object({
    ...common,
    description: z.string(),
    argv: z.array(z.string()),
    cwd: z.string(),
    environment: z.array(z.string()).meta({ description: 'Names of the variables; values are not told.' }),
    user: z.string().nullable(),
    stop: z.object({ signal: z.string(), graceMs: z.number() }),
    dependsOn: z.array(
      z.object({ id: workerId, condition: z.enum(['started', 'ready', 'completed']), restart: z.boolean() }),
    ),
    dependents: z.array(workerId),
    probes: z.object({
      startup: probe.nullable(),
      liveness: probe.nullable(),
      readiness: probe.nullable(),
    }),
    log: z.object({ stdoutFile: z.string(), stderrFile: z.string() }),
    members: z.array(identity).meta({ description: 'The living processes of its tree.' }),
  })
  .meta({ id: 'WorkerDetail' });

/** `seq` is that of the newest event that is in it: events from there on bring it up to date. */
export const workerList = z
  .object({ master: z.string(), seq: z.int(), workers: z.array(worker) })
  .meta({ id: 'WorkerList' });

export const process = z
  .object({
    worker: workerId,
    pid: z.int(),
    startedAt: z.string(),
    ppid: z.int().nullable(),
    state: z.string().nullable().meta({ description: 'The letter of the system: R, S, D, T, Z.' }),
    argv: z.array(z.string()),
    user: z.int().nullable(),
    cpuMs: z.number().nullable(),
    memoryBytes: z.number().nullable().meta({ description: 'Its resident size.' }),
  })
  .meta({ id: 'WorkerProcess', description: 'A living process of the tree of a worker; null: not known.' });

/** A worker and what it waits for before it starts. */
export const graphNode = z
  .object({
    id: workerId,
    namespace: z.string().nullable(),
    enabled: z.boolean(),
    phase: common.phase,
    ready: z.boolean(),
    completed: z.boolean(),
    dependsOn: z.array(
      z.object({ id: workerId, condition: z.enum(['started', 'ready', 'completed']), restart: z.boolean() }),
    ),
  })
  .meta({ id: 'GraphNode' });

export const limitReport = z
  .object({
    limit: limitName,
    status: z.enum(['enforced', 'watched', 'impossible']),
    mechanism: z.string(),
    reason: z.string(),
  })
  .meta({ id: 'LimitReport' });

export const ticket = z
  .object({
    id: z.string(),
    worker: workerId,
    order: z.enum([...PLAIN_ORDERS, 'signal']),
    state: z.enum(['pending', 'done', 'superseded', 'failed']),
    already: z.boolean().meta({ description: 'Done, and there was nothing to do.' }),
    failure: failure.nullable(),
    askedAt: moment,
    settledAt: moment.nullable(),
  })
  .meta({ id: 'Ticket', description: 'An order on its way.' });

export const explanation = z
  .object({
    worker: workerId,
    headline: z.string(),
    history: z.array(z.object({ at: moment, run: z.int().nullable(), text: z.string(), count: z.int() })),
    cause: z.string().nullable(),
    lastWords: z.array(z.string()),
    next: z.array(z.object({ does: z.string(), command: z.string() })),
  })
  .meta({ id: 'Explanation', description: 'Why a worker is as it is, the newest first.' });

export const condition = z.enum(CONDITIONS);

export const waited = z.object({ met: z.boolean(), never: z.boolean(), worker }).meta({
  id: 'Waited',
  description: 'Whether it came about; `never`: it will not, unless somebody gives another order.',
});
