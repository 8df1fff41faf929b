import {
  type AttachRequest,
  type LimitResponse,
  type LimitsSpec,
  PLAIN_FILES,
  type ProcessIdentity,
  type RestartRule,
  type WorkerSpec,
} from '@hsu-master/core';

const RULE: RestartRule = {
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

/** A rule of three restarts a minute, one second apart at first, but for what `differs`. */
export function restartRule(differs: Partial<RestartRule> = {}): RestartRule {
  return { ...RULE, ...differs };
}

/** How an excess is answered: by an event and nothing else, at once, but for what `differs`. */
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

/** Limits of nothing, all families answered by `response`, but for what `differs`. */
export function limitsSpec(differs: Partial<LimitsSpec> = {}, response = limitResponse()): LimitsSpec {
  return {
    values: {},
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
    ...differs,
  };
}

/** A complete spec of a worker that runs the program named like itself, but for what `differs`. */
export function workerSpec(id: string, differs: Partial<WorkerSpec> = {}): WorkerSpec {
  return {
    id,
    name: id,
    description: '',
    enabled: true,
    command: { argv: [id], cwd: '/', env: {}, umask: null, user: null, group: null, groups: null },
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
      stdoutFile: `/log/${id}.log`,
      stderrFile: `/log/${id}.log`,
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
    ...differs,
  };
}

/** What a host is asked to take charge of, without limits and output, but for what `differs`. */
export function attachRequest(
  process: ProcessIdentity,
  mark: string,
  differs: Partial<AttachRequest> = {},
): AttachRequest {
  return {
    workerId: 'attached',
    run: 1,
    process,
    mark,
    command: null,
    channels: null,
    limits: null,
    limitsHold: true,
    quotas: [],
    ...differs,
  };
}
