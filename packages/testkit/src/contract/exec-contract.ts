import type { ExecOutcome } from '@hsu-master/core';
import { describe, expect, test } from 'vitest';
import * as zoo from '../zoo/zoo.ts';
import type { HostHarness } from './harness.ts';
import { commandOf, newMark } from './watch.ts';

/** The part of the contract about helpers that run to their end. */
export function describeExecContract(harness: () => HostHarness): void {
  const exec = (
    program: zoo.ZooProgram,
    differs: { readonly timeout?: number; readonly maxOutput?: number } = {},
  ) =>
    harness().host.exec({
      command: commandOf(harness().argv(program)),
      mark: newMark(),
      timeout: 10_000,
      maxOutput: 4096,
      ...differs,
    });
  const pidsIn = (outcome: ExecOutcome): readonly number[] =>
    outcome.kind === 'failed' ? [] : outcome.output.trim().split('\n').map(Number);

  describe('exec', () => {
    test('tells how the helper ended and what it said on both streams', async () => {
      const outcome = await exec(zoo.talks('all well', 3)).outcome;
      expect(outcome).toMatchObject({ kind: 'exited', exit: { code: 3, signal: null } });
      expect(outcome.kind === 'exited' && outcome.output).toBe('all well\nall well\n');
    });

    test('E4: keeps the tail of an output that is too long', async () => {
      const outcome = await exec(zoo.lastWords(`${'x'.repeat(5000)}the end`), { maxOutput: 100 }).outcome;
      if (outcome.kind !== 'exited') return expect.unreachable(outcome.kind);
      expect(outcome.output).toHaveLength(100);
      expect(outcome.output.endsWith('the end')).toBe(true);
    });

    test('a helper that does not exist is a failure', async () => {
      const outcome = await exec(zoo.doesNotExist()).outcome;
      expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'E_EXEC_NOT_FOUND' } });
    });

    test('E3: at its time-out the helper dies with its children', async () => {
      const outcome = await exec(zoo.tellsPids(), { timeout: 400 }).outcome;
      expect(outcome.kind).toBe('timed-out');
      const pids = pidsIn(outcome);
      expect(pids).toHaveLength(2);
      for (const pid of pids)
        await expect.poll(() => harness().host.identify(pid), { timeout: 10_000 }).toBeNull();
    });

    test('cancelling settles it as timed out', async () => {
      const helper = exec(zoo.sleeps(), { timeout: 60_000 });
      helper.cancel();
      expect((await helper.outcome).kind).toBe('timed-out');
      helper.cancel();
    });
  });
}
