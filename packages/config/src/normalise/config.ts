import type { LimitsSpec } from '@hsu-master/core';
import type { Config, ManagedUnit } from '../config.ts';
import type { Findings } from '../findings.ts';
import type { WrittenLongWorker } from '../schema/worker.ts';
import type { WrittenConfig, WrittenWorker } from '../written.ts';
import { integratedUnit } from './integrated.ts';
import { normaliseQuota } from './limits.ts';
import { aggregated, commonLog, longLog, unlessOff } from './logs.ts';
import { enhanced } from './pipeline.ts';
import { checkSoundParts, longUnit, shortUnit } from './unit.ts';
import { unmanagedUnit } from './unmanaged.ts';

const FORCE_SHUTDOWN_TIMEOUT = 30_000;

/** Brings both forms and all spellings to one, and fills in what was left out. Workers that could not be read are left out. */
export function normalise(written: WrittenConfig, findings: Findings): Config {
  const { master = {}, logCollection } = written;
  const enhancement = enhanced(logCollection?.enhancement, ['log_collection', 'enhancement'], findings);
  const common = commonLog(logCollection, enhancement);
  const at = ['log_collection', 'default_worker'];
  const log = unlessOff(logCollection, longLog(logCollection?.default_worker, common, at, findings));
  const units: ManagedUnit[] = [];
  for (const worker of written.workers) {
    if (!worker.sound) {
      checkSoundParts(worker, findings);
      continue;
    }
    if (worker.form === 'short') {
      const unit = shortUnit(worker.worker, { at: worker.at, log }, findings);
      if (unit !== null) units.push(unit);
    } else if (!checkUnit(worker, findings)) continue;
    else if (worker.worker.unit.managed !== undefined) {
      units.push(
        longUnit(
          worker.worker,
          worker.worker.unit.managed,
          { at: worker.at, log, block: 'managed' },
          findings,
        ),
      );
    } else if (worker.worker.unit.integrated !== undefined) {
      const { integrated } = worker.worker.unit;
      units.push(integratedUnit(worker.worker, integrated, { at: worker.at, log }, findings));
    } else if (worker.worker.unit.unmanaged !== undefined) {
      const { unmanaged } = worker.worker.unit;
      units.push(unmanagedUnit(worker.worker, unmanaged, { at: worker.at, log }, findings));
    }
  }
  warnOfMany(units.length, logCollection?.system?.max_workers ?? 0, findings);
  return {
    master: {
      logLevel: master.log_level || 'info',
      forceShutdownTimeout: master.force_shutdown_timeout || FORCE_SHUTDOWN_TIMEOUT,
      onExit: master.on_master_exit || 'stop',
    },
    units,
    quotas: {
      namespaces: budgets(written.namespaces, 'namespaces', findings),
      groups: budgets(written.groups, 'groups', findings),
    },
    keeping: {
      workerDirectory: logCollection?.system?.worker_directory ?? null,
      maxTotal: logCollection?.max_total_size ?? null,
      maxAge: log.files.maxAge,
    },
    aggregation: aggregated(logCollection, common.buffering, findings),
  };
}

function warnOfMany(count: number, most: number, findings: Findings): void {
  if (most === 0 || count <= most) return;
  findings.noticeAt('max_workers', ['log_collection', 'system', 'max_workers'], () => ({
    message: `there are ${count} workers; output of all of them is collected`,
  }));
}

function budgets(
  written: WrittenConfig['groups'],
  key: 'namespaces' | 'groups',
  findings: Findings,
): ReadonlyMap<string, LimitsSpec | null> {
  const known = new Map<string, LimitsSpec | null>();
  for (const [name, { limits }] of Object.entries(written ?? {})) {
    const at = [key, name];
    known.set(name, findings.hasErrorBelow(at) ? null : normaliseQuota(limits, [...at, 'limits'], findings));
  }
  return known;
}

/** Exactly one block under `unit`, and the one that `type` names. */
function checkUnit(written: WrittenWorker & { form: 'long' }, findings: Findings): boolean {
  const { type, unit }: WrittenLongWorker = written.worker;
  const given = (['managed', 'unmanaged', 'integrated'] as const).filter((key) => unit[key] !== undefined);
  if (given.length === 1 && given[0] === type) return true;
  const at = [...written.at, 'unit'];
  const hint = `write unit.${type}`;
  if (given.length === 0)
    findings.errorAt(at, { message: `the type is ${type}, but "${type}" is missing`, hint });
  else if (given.length > 1)
    findings.errorAt(at, { message: `${given.join(' and ')} are given; a worker is one unit`, hint });
  else
    findings.errorAt([...at, given[0] as string], {
      message: `the type is ${type}, but ${given[0]} is given`,
      hint,
    });
  return false;
}
