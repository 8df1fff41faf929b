import { HsuError } from '@hsu-master/core';
import { EXIT_CODES } from './exit-codes.ts';

/** Says why a command could not begin and returns its exit code; throws what is no expected failure. */
export function refused(error: unknown): number {
  if (!(error instanceof HsuError)) throw error;
  process.stderr.write(`hsu-master: ${error.message}\n`);
  if (error.code === 'E_OTHER_MASTER') {
    process.stderr.write(
      'See it: hsu-master status. Have it take a changed file: hsu-master reload. End it: hsu-master down\n',
    );
    return EXIT_CODES.conflict.code;
  }
  if (error.code === 'E_ADDRESS')
    return error.detail['inUse'] === true ? EXIT_CODES.conflict.code : EXIT_CODES.failed.code;
  return error.code === 'E_STATE' ? EXIT_CODES.failed.code : EXIT_CODES.usage.code;
}
