import { type LoadResult, loadConfig } from '@hsu-master/config';
import { HsuError, type LimitsSpec, type QuotaSpec } from '@hsu-master/core';

/** What a configuration has below `limits`: as YAML text or as a value. */
export type WrittenLimits = string | object;

/** For whom they are written: relative paths are below its working directory. */
interface Owner {
  readonly id: string;
  readonly cwd: string;
}

/** Limits that a program gives as a configuration has them, and not as what that comes to. */
export function isWritten(given: unknown): given is WrittenLimits {
  return typeof given === 'string' || (typeof given === 'object' && given !== null && !('values' in given));
}

/**
 * What these limits of a worker come to.
 * @throws HsuError E_CONFIG naming all that is wrong
 */
export function limitsOfWorker(written: WrittenLimits, { id, cwd }: Owner): LimitsSpec {
  const text = `workers:\n  - id: ${JSON.stringify(id)}\n    command: ["true"]\n${below('    ', written)}`;
  return (
    accepted(text, cwd, 'workers[0].').workers[0]?.limits ?? noLimits(() => limitsOfWorker(SOME, { id, cwd }))
  );
}

/**
 * What these limits of a group or namespace come to.
 * @throws HsuError E_CONFIG naming all that is wrong
 */
export function limitsOfQuota(written: WrittenLimits, kind: QuotaSpec['kind'], cwd: string): LimitsSpec {
  const [place, key] = kind === 'group' ? ['groups', 'worker_group'] : ['namespaces', 'namespace'];
  const text = `${place}:\n  it:\n${below('    ', written)}workers: [{ id: one, command: ["true"], ${key}: it }]\n`;
  const quota = accepted(text, cwd, `${place}.it.`).workers[0]?.quotas[0];
  return quota?.limits ?? noLimits(() => limitsOfQuota(SOME, kind, cwd));
}

const SOME = { memory: '1GiB' };

/** Nothing is limited any more. */
function noLimits(some: () => LimitsSpec): LimitsSpec {
  return { ...some(), values: {} };
}

function below(indent: string, written: WrittenLimits): string {
  if (typeof written !== 'string') return `${indent}limits: ${JSON.stringify(written)}\n`;
  const lines = written.split('\n').map((line) => (line.trim() === '' ? '' : `${indent}  ${line}\n`));
  return `${indent}limits:\n${lines.join('')}`;
}

function accepted(text: string, cwd: string, prefix: string): Extract<LoadResult, { ok: true }>['config'] {
  const source = { file: `${cwd}/limits`, text };
  const result = loadConfig(source, { env: {}, cwd, logDirectory: cwd });
  if (result.ok) return result.config;
  const wrong = result.issues.filter(({ severity }) => severity === 'error');
  const told = wrong.map(({ path, message, hint }) => {
    const at = path.startsWith(prefix) ? path.slice(prefix.length) : path;
    return `${at}: ${message}${hint === null ? '' : `; ${hint}`}`;
  });
  throw new HsuError('E_CONFIG', `the limits are not valid: ${told.join('; ')}`, { issues: wrong });
}
