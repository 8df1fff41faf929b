import { expect } from 'vitest';
import type { EventDraft, EventMap, EventType } from '../src/events/catalogue.ts';
import type { LimitPolicy, LimitResponse, LimitsSpec, LimitValues } from '../src/limits/spec.ts';
import { PLAIN_FILES } from '../src/logs/files.ts';
import { noFailures } from '../src/restart/breaker.ts';
import type { RestartRule } from '../src/restart/policy.ts';
import { decide } from '../src/worker/decide.ts';
import { digest } from '../src/worker/digest.ts';
import type { Effect } from '../src/worker/effects.ts';
import type { Exit, ProcessIdentity } from '../src/worker/exit.ts';
import type { WorkerMemo } from '../src/worker/memo.ts';
import type { EndCause, Message } from '../src/worker/messages.ts';
import type { WorkerSpec } from '../src/worker/spec.ts';
import { newWorker, type Phase, type Worker } from '../src/worker/state.ts';

export const RULE: RestartRule = {
  maxRetries: 3,
  window: 60_000,
  delay: 1000,
  factor: 2,
  maxDelay: 30_000,
  jitter: 0,
  resetAfter: 10_000,
  coolDown: 60_000,
  maxCoolDown: 600_000,
  giveUp: false,
};

const SPEC: WorkerSpec = {
  id: 'web',
  name: 'web',
  description: '',
  enabled: true,
  command: { argv: ['web'], cwd: '/', env: {}, umask: null, user: null, group: null, groups: null },
  restart: {
    mode: 'on-failure',
    successCodes: [0],
    retryFailedStart: false,
    exit: RULE,
    health: RULE,
    resource: RULE,
    startupGrace: 0,
  },
  stop: { signal: 'SIGTERM', grace: 5000 },
  dependsOn: [],
  probes: { startup: null, liveness: null, readiness: null },
  mainProcess: null,
  onDaemonize: 'kill',
  listen: null,
  processFile: null,
  log: {
    captureStdout: true,
    captureStderr: true,
    stdoutFile: '/log/web.log',
    stderrFile: '/log/web.log',
    maxSize: 1_048_576,
    maxFiles: 3,
    files: PLAIN_FILES,
    pipeline: null,
  },
  limits: null,
  namespace: null,
  group: null,
  quotas: [],
  unmanaged: null,
};

export const PROBE = {
  check: { type: 'process' },
  interval: 1000,
  timeout: 500,
  initialDelay: 0,
  failureThreshold: 1,
  successThreshold: 1,
} as const;

export function limitResponse(differs: Partial<LimitResponse> = {}): LimitResponse {
  return {
    warning: null,
    spikeTolerance: 0,
    sustained: 0,
    steps: [{ policy: 'log', after: 0 }],
    adjust: { factor: 1.5, cap: 4 },
    ...differs,
  };
}

/** Limits whose excess is answered by these policies, whatever it is. */
export function limitsSpec(values: LimitValues, ...policies: readonly LimitPolicy[]): LimitsSpec {
  const response = limitResponse({ steps: policies.map((policy) => ({ policy, after: 0 })) });
  return {
    values,
    affinity: null,
    scheduler: null,
    ioPaths: [],
    tempDirectory: null,
    required: false,
    responses: {
      memory: response,
      cpu: response,
      io: response,
      process: response,
      network: response,
      storage: response,
    },
    throttlePercent: 20,
    monitoring: { enabled: true, interval: 1000, retention: 60_000 },
    alerts: null,
  };
}

/** What a test may say differently about a spec, one level deep into its restart policy. */
export type SpecDiffers = Omit<Partial<WorkerSpec>, 'restart'> & {
  readonly restart?: Partial<WorkerSpec['restart']>;
};

export function spec({ restart, ...differs }: SpecDiffers = {}): WorkerSpec {
  return { ...SPEC, ...differs, restart: { ...SPEC.restart, ...restart } };
}

export const LEADER: ProcessIdentity = { pid: 100, startedAt: '1' };
export const CHILD: ProcessIdentity = { pid: 101, startedAt: '2' };
export const GRANDCHILD: ProcessIdentity = { pid: 102, startedAt: '10' };

export function exit(differs: Partial<Exit> = {}): Exit {
  return { code: null, signal: null, coreDumped: false, usage: null, ...differs };
}

/** What is remembered of a worker in its third run, but for what `differs`. */
export function memo(differs: Partial<WorkerMemo> = {}): WorkerMemo {
  return {
    desired: 'up',
    enabled: true,
    run: 3,
    restarts: 2,
    history: noFailures,
    lastEnd: null,
    limitFactors: {},
    phase: { name: 'running', process: LEADER, since: 400, ready: true, unreadyReason: '', mainKnown: true },
    trace: { mark: 'm1.web.3', at: 300, command: digest(SPEC.command), limits: digest(SPEC.limits) },
    ...differs,
  };
}

/** A message without what the rig fills in: the run, and no ticket. */
type Short<M> = M extends { readonly run: number }
  ? Omit<M, 'run'> & { readonly run?: number }
  : M extends { readonly ticket: number | null; readonly cause: unknown }
    ? Omit<M, 'ticket' | 'cause'> & { readonly ticket?: number; readonly cause?: EndCause }
    : M extends { readonly ticket: number | null }
      ? Omit<M, 'ticket'> & { readonly ticket?: number }
      : M;

const HAS_RUN: ReadonlySet<string> = new Set<Message['kind']>([
  'spawned',
  'spawn-failed',
  'exited',
  'tree-empty',
  'surveyed',
  'timer',
  'became-ready',
  'became-unready',
  'became-unhealthy',
  'main-process-found',
  'main-process-missing',
  'limit-exceeded',
  'limit-cleared',
  'limits-set',
  'control-failed',
]);

/** Neither of a run nor with a ticket. */
const BARE: ReadonlySet<string> = new Set<Message['kind']>([
  'dependencies',
  'limits-changed',
  'spec-changed',
  'recalled',
  'appeared',
]);

/** One worker under `decide`, with time and all that it decided. */
export class Rig {
  readonly spec: WorkerSpec;
  worker: Worker = newWorker('web');
  now = 1000;
  random = 0;
  ending = false;
  runsBefore = 0;
  events: EventDraft[] = [];
  effects: Effect[] = [];

  constructor(differs: SpecDiffers = {}) {
    this.spec = spec(differs);
  }

  /** Delivers one message; `events` and `effects` are then those of this turn. */
  tell(short: Short<Message>): this {
    const { now, random, ending, runsBefore } = this;
    const message = {
      ...(HAS_RUN.has(short.kind) ? { run: this.worker.run } : BARE.has(short.kind) ? {} : { ticket: null }),
      ...(short.kind === 'stop' || short.kind === 'kill' ? { cause: 'operator' } : {}),
      ...short,
    } as Message;
    const before = JSON.stringify(this.worker);
    const given = this.worker;
    const decision = decide(given, message, {
      spec: this.spec,
      now,
      wallNow: now + 1_000_000,
      random,
      runsBefore,
      ending,
    });
    expect(JSON.stringify(given)).toBe(before);
    this.worker = decision.worker;
    this.events = [...decision.events];
    this.effects = [...decision.effects];
    return this;
  }

  pass(span: number): this {
    this.now += span;
    return this;
  }

  /** Brings a new worker into `running`. */
  run(): this {
    return this.tell({ kind: 'start' }).started();
  }

  started(): this {
    return this.tell({ kind: 'spawned', process: LEADER, warning: null, limits: [] });
  }

  exited(differs: Partial<Exit> = { code: 1 }, remaining: readonly ProcessIdentity[] = []): this {
    return this.tell({ kind: 'exited', exit: exit(differs), remaining });
  }

  get phase(): Phase {
    return this.worker.phase;
  }

  get name(): string {
    return this.worker.phase.name;
  }

  get said(): readonly string[] {
    return this.events.map((event) => event.type);
  }

  payload<T extends EventType>(type: T): EventMap[T] {
    const event = this.events.find((one) => one.type === type);
    if (event === undefined) throw new Error(`no ${type} among ${this.said.join(', ')}`);
    return event.payload as EventMap[T];
  }

  /** The effects in short: kind, and what tells it from others of its kind. */
  get done(): readonly string[] {
    return this.effects.map((effect) => {
      switch (effect.kind) {
        case 'signal-tree':
          return effect.signal;
        case 'set-timer':
          return `set ${effect.timer} ${effect.delay}`;
        case 'clear-timer':
          return `clear ${effect.timer}`;
        case 'settle':
          return `settle ${effect.ticket} ${effect.outcome.kind}${effect.outcome.kind === 'done' && effect.outcome.already ? ' already' : ''}`;
        case 'record-desired':
          return `record ${effect.desired}`;
        case 'throttle':
          return `throttle ${effect.percent}`;
        case 'follow':
          return `follow ${effect.process.pid}`;
        default:
          return `${effect.kind} ${effect.run}`;
      }
    });
  }

  get settled(): readonly string[] {
    return this.done.filter((effect) => effect.startsWith('settle'));
  }

  /** Nothing changed, nothing is to be done. */
  expectNothing(): void {
    expect([this.events, this.effects]).toEqual([[], []]);
  }

  get hasForgiven(): boolean {
    return this.worker.history === noFailures;
  }
}
