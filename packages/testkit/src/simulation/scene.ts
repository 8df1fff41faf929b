import type {
  Dependency,
  DependencyCondition,
  LimitPolicy,
  LimitsSpec,
  RestartMode,
  RestartRule,
  WorkerId,
  WorkerSpec,
} from '@hsu-master/core';
import type { Chance } from '../chance.ts';
import { limitResponse, limitsSpec, restartRule, workerSpec } from '../specs.ts';
import { MEMORY } from './programs.ts';

const PROBE = {
  check: { type: 'process' },
  interval: 1000,
  timeout: 500,
  initialDelay: 0,
  failureThreshold: 1,
  successThreshold: 1,
} as const;

/** Specs of `count` workers, each depending on earlier ones only. */
export function drawSpecs(chance: Chance, count: number): readonly WorkerSpec[] {
  const ids = Array.from({ length: count }, (_unused, index) => `w${index}`);
  return ids.map((id, index) => drawSpec(chance, id, ids.slice(0, index)));
}

function drawSpec(chance: Chance, id: WorkerId, earlier: readonly WorkerId[]): WorkerSpec {
  const mode = chance.pick<RestartMode>([
    'always',
    'always',
    'on-failure',
    'on-failure',
    'unless-stopped',
    'never',
  ]);
  const exit = drawRule(chance);
  const daemon = chance.happens(0.2);
  return workerSpec(id, {
    enabled: chance.happens(0.9),
    restart: {
      mode,
      successCodes: chance.happens(0.2) ? [0, 2] : [0],
      retryFailedStart: chance.happens(0.3),
      exit,
      health: chance.happens(0.5) ? exit : drawRule(chance),
      resource: chance.happens(0.5) ? exit : drawRule(chance),
      startupGrace: 0,
    },
    stop: { signal: chance.happens(0.8) ? 'SIGTERM' : 'SIGINT', grace: chance.pick([0, 500, 3000, 10_000]) },
    dependsOn: earlier
      .filter(() => chance.happens(0.5))
      .map((dependency) => drawDependency(chance, dependency)),
    probes: {
      startup: null,
      liveness: chance.happens(0.5) ? PROBE : null,
      readiness: chance.happens(0.5) ? PROBE : null,
    },
    mainProcess: daemon ? { pidFile: `/run/${id}.pid`, timeout: 2000 } : null,
    onDaemonize: chance.happens(0.3) ? 'adopt' : 'kill',
    limits: chance.happens(0.6) ? drawLimits(chance) : null,
  });
}

/** Some of the programs need more memory than this. */
function drawLimits(chance: Chance): LimitsSpec {
  const policies: readonly [LimitPolicy, ...LimitPolicy[]] = [
    'none',
    'log',
    'throttle',
    'graceful_shutdown',
    'immediate_kill',
    'restart',
    'restart_adjusted',
    'restart_adjusted',
  ];
  const steps = [chance.pick(policies), chance.pick(policies)].map((policy) => ({ policy, after: 0 }));
  const adjust = { factor: chance.pick([1, 1.5, 3]), cap: chance.pick([1, 2, 10]) };
  const values = { 'memory.max_rss': MEMORY, 'cpu.max_percent': 50 };
  return limitsSpec({ values }, limitResponse({ steps, adjust }));
}

function drawDependency(chance: Chance, id: WorkerId): Dependency {
  const condition = chance.pick<DependencyCondition>(['started', 'started', 'ready', 'ready', 'completed']);
  return { id, condition, restart: chance.happens(0.4) };
}

function drawRule(chance: Chance): RestartRule {
  const maxRetries = chance.pick([0, 1, 2, 3, 5]);
  return restartRule({
    maxRetries,
    window: chance.pick([5000, 60_000]),
    // Without any bound a program that exits at once would be all that happens.
    delay: chance.pick(maxRetries === 0 ? [500, 1000] : [0, 100, 1000]),
    factor: chance.pick([1, 2]),
    maxDelay: 5000,
    jitter: chance.pick([0, 0.5]),
    resetAfter: chance.pick([2000, 10_000, 30_000]),
    coolDown: chance.pick([1000, 20_000]),
    maxCoolDown: 60_000,
    giveUp: chance.happens(0.2),
  });
}
