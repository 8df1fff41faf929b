import type { Capability } from '@hsu-master/core';

/** What the host for Windows does, beside what its addon says of itself. */
export const WINDOWS_CAPABILITIES: readonly Capability[] = [
  {
    feature: 'whole-tree',
    status: 'enforced',
    reason: 'members are those of the job, which nobody leaves',
  },
  { feature: 'kill-tree', status: 'enforced', reason: 'TerminateJobObject' },
  { feature: 'freeze-tree', status: 'watched', reason: 'NtSuspendProcess of each member' },
  {
    feature: 'output-outlives-master',
    status: 'enforced',
    reason:
      'named pipes whose reading end each worker holds as well; a killed master takes with it what it has read and not written',
  },
  {
    feature: 'find-processes',
    status: 'enforced',
    reason: 'unmanaged units are found by any strategy but open files, which Windows does not tell',
  },
  {
    feature: 'state-directory-lock',
    status: 'enforced',
    reason:
      'LockFileEx: a second master on one state directory is refused, and the lock ends with its holder',
  },
  {
    feature: 'switch-user',
    status: 'impossible',
    reason: 'another user takes a password or a service account on Windows',
  },
  {
    feature: 'umask-groups-nofile',
    status: 'impossible',
    reason: 'Windows has no such settings',
  },
  {
    feature: 'reserved-ports',
    status: 'impossible',
    reason: 'a port is chosen that nobody has; whoever held it on Windows would keep the worker from it',
  },
];
