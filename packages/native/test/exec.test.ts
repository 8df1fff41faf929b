import { describe, expect, it } from 'vitest';
import { folder, runProgram, timeFactor } from './harness.ts';

describe('another program in the same process', () => {
  it(
    'has the pid, the children with their ends, and the lock of the one before',
    async () => {
      const result = await runProgram('exec-in-place', [folder()]).closed;
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout.split('\n')).toEqual([
        'missing ENOENT',
        'still here true true',
        'same pid true, lock free false',
        'kept true',
        'early 7 null number',
        'killed null SIGTERM number',
        'spared Z',
        'left 1 true',
        'children ""',
        '',
      ]);
    },
    20_000 * timeFactor,
  );
});
