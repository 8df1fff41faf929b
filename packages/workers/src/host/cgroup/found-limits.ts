import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { LimitName, LimitsSpec } from '@hsu-master/core';
import type { Controller1, GroupWrite } from './facilities.ts';
import type { Group } from './group.ts';
import type { LimitPlan, Setting } from './limit-plan.ts';
import { LIMIT_SUPPORT } from './limit-support.ts';
import { planLimits } from './plan.ts';

/** No file is set to this. */
const UNKNOWN = 'unknown';

/**
 * The plan of a group that was found under limits that nobody knows any more: every file that it has may be set to anything. What was
 * set on its processes is not among it, nor what is per device.
 */
export function planUnknown(group: Group, setting: Setting): LimitPlan {
  const named = Object.entries(LIMIT_SUPPORT).filter(
    ([name, { controller }]) => controller !== null && !name.startsWith('io.'),
  );
  const limits = limitsNamed(named.map(([name]) => name as LimitName));
  const { writes1, writes2, ...plan } = planLimits(limits, setting);
  const isThere = ({ file }: GroupWrite, directory: string | null | undefined): boolean =>
    typeof directory === 'string' && existsSync(posix.join(directory, file));
  const unknown = (write: GroupWrite): GroupWrite => ({ ...write, value: UNKNOWN });
  return {
    ...plan,
    avoids: [],
    watched: [],
    reports: [],
    process: planLimits(null, setting).process,
    writes2: writes2.filter((write) => isThere(write, group.unified)).map(unknown),
    writes1: writes1
      .filter((write) => isThere(write, group.controllers.get(write.controller as Controller1)))
      .map(unknown),
  };
}

/** All of these limits, each of one unit; without names: none. */
function limitsNamed(names: readonly LimitName[]): LimitsSpec {
  const response = {
    warning: null,
    spikeTolerance: 0,
    sustained: 0,
    steps: [],
    adjust: { factor: 1, cap: 1 },
  };
  return {
    values: Object.fromEntries(names.map((name) => [name, 1])),
    affinity: names.length > 0 ? [0] : null,
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
    throttlePercent: null,
    monitoring: { enabled: false, interval: 0, retention: 0 },
    alerts: null,
  };
}

export const NO_LIMITS: LimitsSpec = limitsNamed([]);
