import {
  formatBeside,
  formatDuration,
  formatLimit,
  type LimitName,
  type Look,
  type Milliseconds,
} from '@hsu-master/core';

/** Whose number it is, for limits that can be exceeded. */
const WORDS: Partial<Readonly<Record<LimitName, string>>> = {
  'memory.max_rss': 'memory',
  'memory.high': 'memory',
  'memory.max_swap': 'swap',
  'memory.max_virtual': 'address space of each process',
  'cpu.max_percent': 'CPU',
  'cpu.max_cores': 'CPU',
  'cpu.max_time': 'CPU time',
  'io.max_read_bps': 'reading',
  'io.max_write_bps': 'writing',
  'io.max_read_ops': 'reads',
  'io.max_write_ops': 'writes',
  'process.max_processes': 'processes and threads',
  'process.max_file_descriptors': 'open files of each process',
  'process.max_child_processes': 'child processes',
  'network.max_connections': 'connections',
  'storage.max_temp_size': 'temporary directory',
  'storage.max_log_size': 'log files',
};

/** An excess in the words of an operator: `memory 612MiB of 512MiB for 30s`. */
export function describeExcess(
  limit: LimitName,
  { value, limit: allowed, hit, pressing = false }: Look,
  lasted: Milliseconds,
): string {
  const what = WORDS[limit] ?? limit;
  const most = formatLimit(limit, allowed);
  const used =
    value === null
      ? `${what} at its limit of ${most}`
      : `${what} ${formatBeside(limit, value, allowed)} of ${most}`;
  const isWithin = value === null || value <= allowed;
  const how = !isWithin ? '' : hit ? ', held back by the kernel' : pressing ? ', held back' : '';
  return lasted < 1 ? `${used}${how}` : `${used}${how} for ${formatDuration(Math.round(lasted))}`;
}
