import { describe, expect, it } from 'vitest';
import { runProgram, timeFactor } from './harness.ts';

describe('orphans', () => {
  it(
    'A3: of a subreaper are adopted, listed while they live, reaped when they end',
    async () => {
      const result = await runProgram('subreaper').closed;
      expect(result).toMatchObject({ code: 0, stderr: '' });
      expect(result.stdout.split('\n')).toEqual([
        'adopted 3, all in sessions of their own',
        'reaped 3',
        'left 0',
        'zombies 0',
        'two subreapers EBUSY',
        'closed: no orphan adopted',
        '',
      ]);
    },
    20_000 * timeFactor,
  );

  it('are not adopted, and children of others are not reaped, by an engine that is no subreaper', async () => {
    const result = await runProgram('bystander').closed;
    expect(result).toMatchObject({ code: 0, stdout: 'child 7, orphan elsewhere\n', stderr: '' });
  });

  it('keep the SIGCHLD handler that was there before', async () => {
    const result = await runProgram('chained').closed;
    expect(result).toMatchObject({ code: 0, stdout: 'SIGCHLD heard\n', stderr: '' });
  });
});
