import type { NativeCapability } from '../native.ts';
import type { WindowsFacts } from './addon.ts';

/** What the addon does on this system. */
export function windowsCapabilities({
  isWine,
  isElevated,
}: Pick<WindowsFacts, 'isWine' | 'isElevated'>): readonly NativeCapability[] {
  return [
    {
      feature: 'race-free-signals',
      status: 'enforced',
      reason: 'a handle is held while a process is acted on, which keeps its pid from being reused',
    },
    {
      feature: 'spawn-gate',
      status: 'enforced',
      reason: 'CREATE_SUSPENDED, in a job that dies with the master until the process may begin',
    },
    { feature: 'birth-in-job', status: 'enforced', reason: 'PROC_THREAD_ATTRIBUTE_JOB_LIST' },
    {
      feature: 'no-leaked-descriptors',
      status: 'enforced',
      reason: 'PROC_THREAD_ATTRIBUTE_HANDLE_LIST: only the three standard handles are inherited',
    },
    {
      feature: 'adopt-orphans',
      status: 'impossible',
      reason: 'Windows gives nobody the children of another; their job holds them',
    },
    {
      feature: 'exit-status-of-adopted-workers',
      status: 'enforced',
      reason: 'a handle opened while a process lives tells how it ended',
    },
    {
      feature: 'job-limits',
      status: isWine ? 'impossible' : 'enforced',
      reason: isWine ? 'Wine takes limits of jobs and does not keep them' : 'Job Objects',
    },
    {
      feature: 'ctrl-break',
      status: isWine ? 'impossible' : 'enforced',
      reason: isWine
        ? 'Wine ends one thread of a program that is sent Ctrl-Break'
        : 'sent by a process of our own on the console of the worker',
    },
    {
      feature: 'elevated',
      status: isElevated ? 'enforced' : 'impossible',
      reason: isElevated
        ? 'the master runs with the rights of an administrator'
        : 'the master runs without the rights of an administrator',
    },
  ];
}
