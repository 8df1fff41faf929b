/** What the command’s exit code says. A table in the documentation is made from this. */
export const EXIT_CODES = {
  ok: {
    code: 0,
    means: 'Done; for `run`: an ordered end (Ctrl-C, SIGTERM, --run-duration) that left nothing alive.',
  },
  failed: {
    code: 1,
    means:
      'The operation failed; for `run`: processes survived the stop, a worker could never be started, every worker has ended and one of them failed, or standard output could not be written (a full disk).',
  },
  usage: { code: 2, means: 'The command line or the configuration is not valid, or this Node is too old.' },
  forbidden: { code: 6, means: '`service`, `upgrade`: who asks may not do this.' },
  conflict: {
    code: 7,
    means: 'Another master runs with the same state directory, or the address of the API is taken.',
  },
  timeout: { code: 5, means: '`up`: the workers were not ready in time; the master runs.' },
  forced: { code: 130, means: 'A second Ctrl-C cut the graces short.' },
} as const;
