/** What the exit code of a command that asks a master says. A table in the documentation is made from this. */
export const ASK_EXIT_CODES = {
  ok: { code: 0, means: 'Done.' },
  failed: {
    code: 1,
    means:
      'The operation failed, or its output could not be written (a full disk); of `diff`: something would change.',
  },
  usage: { code: 2, means: 'The command line, or a configuration, is not valid.' },
  noMaster: { code: 3, means: 'No master runs, or it is not clear which is meant.' },
  unknownWorker: { code: 4, means: 'There is no such worker.' },
  timeout: { code: 5, means: 'It took longer than was to be waited for.' },
  forbidden: { code: 6, means: 'Who asks may not do this.' },
  conflict: { code: 7, means: 'Another master, or another order, is in the way.' },
} as const;

const BY_CODE: Readonly<Record<string, keyof typeof ASK_EXIT_CODES>> = {
  E_NO_MASTER: 'noMaster',
  E_WHICH_MASTER: 'noMaster',
  E_USAGE: 'usage',
  E_REQUEST: 'usage',
  E_CONFIG: 'usage',
  E_CONFIG_READ: 'usage',
  E_UNKNOWN_WORKER: 'unknownWorker',
  E_TIMEOUT: 'timeout',
  E_FORBIDDEN: 'forbidden',
  E_UNAUTHENTICATED: 'forbidden',
  E_OTHER_MASTER: 'conflict',
  E_SUPERSEDED: 'conflict',
  E_STALE: 'conflict',
  E_DUPLICATE_WORKER: 'conflict',
};

/** The exit code for an error of this code. */
export function exitCodeOf(code: string): number {
  return ASK_EXIT_CODES[BY_CODE[code] ?? 'failed'].code;
}
