import { later, object } from './fields.ts';
import { IGNORED } from './ignored.ts';
import { choice, duration, flag, integer, number, size } from './scalars.ts';

const POLICIES = [
  'none',
  'log',
  'alert',
  'throttle',
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
  '',
] as const;

const policy = choice(POLICIES, 'What an exceeded limit leads to.');
const warning = number({ min: 0, max: 100 }, 'Share of the limit, in percent, at which to warn.');
const count = (meaning: string) => integer({ min: 0 }, meaning);

export const limits = later(
  object(
    {
      priority: integer({ min: -1000, max: 1000 }, 'Scheduling priority.'),
      cpu_shares: count('Weight among competing workers.'),
      memory: object(
        {
          max_rss: size('Resident memory.'),
          max_virtual: size('Address space.'),
          max_swap: size('Swap.'),
          warning_threshold: warning,
          policy,
        },
        'Memory.',
        { ignored: IGNORED.memory },
      ),
      cpu: object(
        {
          max_cores: number({ min: 0 }, 'Cores.'),
          max_percent: number({ min: 0 }, 'Percent of a core.'),
          max_time: duration('Total CPU time.'),
          warning_threshold: warning,
          policy,
        },
        'CPU.',
        { ignored: IGNORED.cpu },
      ),
      io: object(
        {
          weight: count('Weight among competing workers.'),
          max_read_bps: size('Bytes read per second.'),
          max_write_bps: size('Bytes written per second.'),
          max_read_ops: count('Reads per second.'),
          max_write_ops: count('Writes per second.'),
          warning_threshold: warning,
          policy,
        },
        'Input and output.',
      ),
      process: object(
        {
          max_processes: count('Processes.'),
          max_file_descriptors: count('Open files.'),
          max_child_processes: count('Children.'),
          warning_threshold: warning,
          policy,
        },
        'Processes and descriptors.',
      ),
      monitoring: object(
        {
          enabled: flag('Whether usage is sampled.'),
          interval: duration('Time between samples.', '30s'),
          history_retention: duration('How long samples are kept.', '24h'),
          alerting_enabled: flag('Whether alerts are sent.'),
        },
        'Sampling.',
      ),
    },
    'Limits of memory, CPU, input and output, processes.',
    { name: 'ResourceLimits' },
  ),
  'limits are not enforced in this version',
);
