import type { Check, GrpcCall, Probe, Probes } from '@hsu-master/core';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import {
  splitAddress,
  type WrittenHealthCheck,
  type WrittenProbe,
  type WrittenProbes,
} from '../schema/health.ts';

const NONE: Probes = Object.freeze({ startup: null, liveness: null, readiness: null });

/** What may be written about the health of one worker, in either form. */
export interface WrittenHealth {
  readonly health_check?: WrittenHealthCheck;
  readonly probes?: WrittenProbes;
  readonly ready?: WrittenProbe;
}

export function normaliseProbes(written: WrittenHealth, at: Path, findings: Findings): Probes {
  const { health_check: both, probes = {}, ready } = written;
  if (both === undefined && written.probes === undefined && ready === undefined) return NONE;
  const shared = both === undefined ? null : healthCheck(both, [...at, 'health_check'], findings);
  const liveness =
    probes.liveness && normaliseProbe(probes.liveness, [...at, 'probes', 'liveness'], findings);
  const readiness =
    probes.readiness && normaliseProbe(probes.readiness, [...at, 'probes', 'readiness'], findings);
  const startup = probes.startup && normaliseProbe(probes.startup, [...at, 'probes', 'startup'], findings);
  const eager = ready && normaliseProbe(ready, [...at, 'ready'], findings, { interval: 1000 });
  for (const [name, probe] of [
    ['liveness', liveness],
    ['readiness', readiness],
  ] as const) {
    if (shared === null || !probe) continue;
    findings.errorAt([...at, 'probes', name], {
      message: `health_check is liveness and readiness at once, and probes.${name} is given too`,
      hint: 'keep health_check, or write probes.liveness and probes.readiness',
    });
  }
  if (eager && readiness) {
    findings.errorAt([...at, 'ready'], {
      message: 'ready and probes.readiness are two names of one thing',
      hint: 'keep one',
    });
  }
  return {
    startup: startup ?? null,
    liveness: liveness ?? shared,
    readiness: eager ?? readiness ?? shared,
  };
}

/** The original’s check, or null where it is switched off or was reported as wrong. */
function healthCheck(written: WrittenHealthCheck, at: Path, findings: Findings): Probe | null {
  const { type, run_options: options = {} } = written;
  for (const key of ['http', 'grpc', 'tcp', 'exec'] as const) {
    if (written[key] === undefined || key === type) continue;
    const why = type === undefined || type === '' ? 'no type is set' : `the type is ${type}`;
    findings.noticeAt(`health_check.${key} unused: ${why}`, [...at, key], () => ({
      message: `not used, because ${why}`,
    }));
  }
  if (type === undefined || type === '') return null;
  const check = healthCheckOf(written, type, at, findings);
  for (const key of ['interval', 'timeout'] as const) {
    if (options[key] === undefined) {
      findings.errorAt([...at, 'run_options'], {
        message: `"${key}" is missing`,
        hint: `write run_options: {interval: 10s, timeout: 2s}`,
      });
    }
  }
  const { interval, timeout } = options;
  if (interval !== undefined && timeout !== undefined && timeout >= interval) {
    findings.errorAt([...at, 'run_options', 'timeout'], { message: 'timeout must be shorter than interval' });
  }
  if (check === null || interval === undefined || timeout === undefined || options.enabled === false)
    return null;
  return {
    check,
    interval,
    timeout,
    initialDelay: options.initial_delay ?? 0,
    failureThreshold: options.retries === undefined ? 2 : Math.max(1, options.retries),
    successThreshold: 1,
  };
}

function healthCheckOf(
  written: WrittenHealthCheck,
  type: 'http' | 'grpc' | 'tcp' | 'exec' | 'process',
  at: Path,
  findings: Findings,
): Check | null {
  if (type === 'process') return { type };
  if (written[type] === undefined) {
    findings.errorAt(at, { message: `the type is ${type}, but "${type}" is missing` });
    return null;
  }
  if (type === 'grpc') {
    const { grpc } = written;
    if (grpc === undefined) return null;
    const { address, service, method, headers = {} } = grpc;
    const isHealth = service === 'grpc.health.v1.Health' && method === 'Check';
    const call: GrpcCall = isHealth ? { kind: 'health', service: '' } : { kind: 'method', service, method };
    return { type, ...address, call, headers };
  }
  return checkOf({ [type]: written[type] }, at, findings);
}

/** A probe in the shape that separates the three questions; null where it was reported as wrong. */
function normaliseProbe(
  written: WrittenProbe,
  at: Path,
  findings: Findings,
  usual = { interval: 10_000 },
): Probe | null {
  const check = checkOf(written, at, findings);
  if (check === null) return null;
  return {
    check,
    interval: written.interval ?? usual.interval,
    timeout: written.timeout ?? 1000,
    initialDelay: written.initial_delay ?? 0,
    failureThreshold: written.failure_threshold ?? 3,
    successThreshold: written.success_threshold ?? 1,
  };
}

type Checks = Pick<WrittenProbe, 'type' | 'http' | 'tcp' | 'grpc' | 'exec' | 'process'>;

function checkOf(written: Checks, at: Path, findings: Findings): Check | null {
  const given = (['http', 'tcp', 'grpc', 'exec', 'process'] as const).filter(
    (key) => written[key] !== undefined,
  );
  const [kind, second] = written.type === 'process' && given.length === 0 ? (['process'] as const) : given;
  if (second !== undefined) {
    findings.errorAt([...at, second], {
      message: `${kind} and ${second} are given; a probe makes one check`,
      hint: 'keep one',
    });
    return null;
  }
  if (kind === undefined) {
    const missing =
      written.type === undefined
        ? 'says nothing to check'
        : `the type is ${written.type}, but "${written.type}" is missing`;
    findings.errorAt(at, { message: missing, hint: 'give one of http, tcp, grpc, exec, or type: process' });
    return null;
  }
  if (written.type !== undefined && written.type !== kind) {
    findings.errorAt([...at, 'type'], { message: `the type is ${written.type}, but ${kind} is given` });
    return null;
  }
  if (kind === 'process') return { type: 'process' };
  if (kind === 'http' && written.http !== undefined) return httpCheck(written.http);
  if (kind === 'tcp' && written.tcp !== undefined) return tcpCheck(written.tcp, [...at, 'tcp'], findings);
  if (kind === 'grpc' && written.grpc !== undefined) return grpcCheck(written.grpc);
  return written.exec === undefined ? null : execCheck(written.exec, [...at, 'exec'], findings);
}

function httpCheck(written: NonNullable<Checks['http']>): Check {
  if (typeof written === 'string') return { type: 'http', url: written, method: 'GET', headers: {} };
  return { type: 'http', url: written.url, method: written.method ?? 'GET', headers: written.headers ?? {} };
}

function tcpCheck(written: NonNullable<Checks['tcp']>, at: Path, findings: Findings): Check | null {
  if ('host' in written) return { type: 'tcp', host: written.host, port: written.port };
  const split = splitAddress(written.address);
  if (written.port === undefined) {
    if (split !== null) return { type: 'tcp', ...split };
    findings.errorAt(at, { message: '"port" is missing' });
    return null;
  }
  if (split !== null && split.port !== written.port) {
    findings.errorAt([...at, 'port'], {
      message: `address names port ${split.port}, port says ${written.port}`,
    });
    return null;
  }
  const host = split === null ? written.address.replace(/^\[(.*)\]$/, '$1') : split.host;
  return { type: 'tcp', host, port: written.port };
}

function grpcCheck(written: NonNullable<Checks['grpc']>): Check {
  if ('host' in written)
    return { type: 'grpc', ...written, call: { kind: 'health', service: '' }, headers: {} };
  const { address, service = '', method, headers = {} } = written;
  const call: GrpcCall = method ? { kind: 'method', service, method } : { kind: 'health', service };
  return { type: 'grpc', ...address, call, headers };
}

function execCheck(written: NonNullable<Checks['exec']>, at: Path, findings: Findings): Check | null {
  if ('command' in written) return { type: 'exec', argv: [written.command, ...(written.args ?? [])] };
  const words = 'line' in written ? written.split : written;
  if ('wrong' in words) {
    findings.errorAt(at, {
      message: words.wrong,
      hint: 'give a list, ["/bin/sh", "-c", "…"], to have a shell run it',
    });
    return null;
  }
  const [program, ...args] = words;
  if (program === undefined || program === '') {
    findings.errorAt(at, { message: 'names no program' });
    return null;
  }
  return { type: 'exec', argv: [program, ...args] };
}
