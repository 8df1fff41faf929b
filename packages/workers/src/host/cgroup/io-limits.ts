import type { LimitName } from '@hsu-master/core';
import type { Device } from './devices.ts';
import type { GroupWrite } from './facilities.ts';
import type { Setting } from './limit-plan.ts';
import { type Ask, hasFile, nothing, type Piece, type Refusal, refuse } from './piece.ts';

/** Key in io.max and file of v1. */
const RATES: Readonly<Partial<Record<LimitName, readonly [string, string]>>> = {
  'io.max_read_bps': ['rbps', 'blkio.throttle.read_bps_device'],
  'io.max_write_bps': ['wbps', 'blkio.throttle.write_bps_device'],
  'io.max_read_ops': ['riops', 'blkio.throttle.read_iops_device'],
  'io.max_write_ops': ['wiops', 'blkio.throttle.write_iops_device'],
};

/** io.max refuses 1. */
const LEAST_RATE = 2;
/** The kernel counts them in 32 bits, and v1 cuts off what is above. */
const MOST_OPERATIONS = 2 ** 32 - 1;

/** One write per device: io.max takes one line at a time, and what the line does not name stays. */
export function planRate(ask: Ask): Piece | Refusal {
  const { limit, setting, tier } = ask;
  const { devices, reasons } = disks(setting);
  if (devices.length === 0) return refuse(noDisk(reasons));
  const [key, file] = RATES[limit] as readonly [string, string];
  const most = limit.endsWith('_ops') ? MOST_OPERATIONS : Number.MAX_SAFE_INTEGER;
  const n = Math.min(most, Math.max(LEAST_RATE, Math.floor(ask.value)));
  const writes = devices.map(({ id }): GroupWrite => {
    return tier === 2
      ? {
          controller: 'io',
          file: 'io.max',
          value: `${id} ${key}=${n}`,
          neutral: `${id} ${key}=max`,
          limits: [limit],
        }
      : { controller: 'blkio', file, value: `${id} ${n}`, neutral: `${id} 0`, limits: [limit] };
  });
  return { ...nothing, writes, notes: [`on ${named(devices)}`, ...laterWrites(ask), ...without(reasons)] };
}

/** The weight of a tree on each disk that is shared by weight at all. */
export function planIoWeight(ask: Ask): Piece | Refusal {
  const { setting, tier } = ask;
  const { devices, reasons } = disks(setting);
  if (devices.length === 0) return refuse(noDisk(reasons));
  const weighed = devices.flatMap((device) => {
    const write = tier === 2 ? weight2(device, ask) : weight1(device, ask);
    return write !== null && hasFile(setting, write.file) ? [{ device, write }] : [];
  });
  const ways = tier === 2 ? 'bfq or iocost' : 'bfq or cfq';
  if (weighed.length === 0) return refuse(`no weights on ${named(devices)}: that takes ${ways}`);
  const left = devices.filter((device) => !weighed.some((one) => one.device === device));
  const writes = weighed.map(({ write }) => write);
  return {
    ...nothing,
    writes,
    notes: [
      `on ${named(weighed.map(({ device }) => device))}`,
      ...(left.length === 0 ? [] : [`not on ${named(left)}: that takes ${ways}`]),
      ...without(reasons),
    ],
    mechanism: `cgroup${tier} ${[...new Set(writes.map(({ file }) => file))].join(', ')}`,
  };
}

function weight2({ weighs }: Device, { value }: Ask): GroupWrite | null {
  const weight = clamp(value, 1, 10_000);
  if (weighs === null) return null;
  return weighs === 'bfq'
    ? weightWrite('io', 'io.bfq.weight', String(bfqWeight(weight)), '100')
    : weightWrite('io', 'io.weight', `default ${weight}`, 'default 100');
}

function weight1({ weighs }: Device, { value }: Ask): GroupWrite | null {
  const weight = clamp(value, 1, 10_000);
  if (weighs === 'bfq') return weightWrite('blkio', 'blkio.bfq.weight', String(bfqWeight(weight)), '100');
  // As systemd’s cgroup_weight_io_to_blkio: 100 is 500 there, and 10 to 1000 is allowed.
  return weighs === 'cfq'
    ? weightWrite('blkio', 'blkio.weight', String(clamp(weight * 5, 10, 1000)), '500')
    : null;
}

/** bfq knows 1 to 1000; as systemd’s BFQ_WEIGHT, exact up to 100 and compressed above. */
export function bfqWeight(weight: number): number {
  return weight <= 100 ? weight : Math.floor(100 + ((weight - 100) * 900) / 9900);
}

function weightWrite(controller: string, file: string, value: string, neutral: string): GroupWrite {
  return { controller, file, value, neutral, limits: ['io.weight'] };
}

/** The kernel charges what it writes back to the writer only where memory and disk are counted by one v2 group. */
function laterWrites({ limit, tier, setting }: Ask): readonly string[] {
  const isWrite = limit === 'io.max_write_bps' || limit === 'io.max_write_ops';
  const isCounted = setting.facilities.tree2?.controllers.has('memory') === true;
  return tier === 2 && isWrite && !isCounted
    ? ['what the kernel writes back later is not counted: that takes the v2 memory controller']
    : [];
}

function disks({ devices: lookups }: Setting): { devices: Device[]; reasons: string[] } {
  const byId = new Map<string, Device>();
  for (const { devices } of lookups) for (const device of devices) byId.set(device.id, device);
  const reasons = lookups.flatMap(({ path, devices, reason }) =>
    devices.length === 0 ? [`${path}: ${reason}`] : [],
  );
  return { devices: [...byId.values()], reasons };
}

function noDisk(reasons: readonly string[]): string {
  return reasons.length === 0 ? 'no path is given whose disk it is for' : reasons.join('; ');
}

function without(reasons: readonly string[]): readonly string[] {
  return reasons.map((reason) => `not for ${reason}`);
}

function named(devices: readonly Device[]): string {
  return devices.map(({ name }) => name).join(', ');
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}
