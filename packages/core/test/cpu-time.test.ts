import { describe, expect, test } from 'vitest';
import type { LimitPolicy } from '../src/limits/spec.ts';
import { limitsSpec, Rig } from './rig.ts';

describe('the kernel’s kill at the CPU time', () => {
  const timed = (policies: readonly LimitPolicy[]): Rig =>
    new Rig({ limits: limitsSpec({ 'cpu.max_time': 2000 }, ...policies) });
  const XCPU = { signal: 'SIGXCPU' } as const;

  test('is published before the exit', () => {
    const rig = timed(['log']).run().exited(XCPU);
    expect(rig.said.slice(0, 2)).toEqual(['limit.exceeded', 'worker.exited']);
    expect(rig.payload('limit.exceeded')).toEqual({
      limit: 'cpu.max_time',
      value: null,
      allowed: 2000,
      quota: null,
      reason: 'out-of-cpu-time',
    });
    expect(rig.name).toBe('backoff');
  });

  test.each(['graceful_shutdown', 'immediate_kill'] as const)('is final: %s', (policy) => {
    const rig = timed([policy]).run().exited(XCPU);
    expect(rig.phase).toMatchObject({
      name: 'failed',
      failure: {
        code: 'E_LIMIT',
        message:
          'worker "web": ended for its limit cpu.max_time: killed by SIGXCPU (out of CPU time) after 0ms',
      },
    });
  });

  test('is answered as the CPU’s policies say, not the memory’s', () => {
    const { responses, ...limits } = limitsSpec({ 'cpu.max_time': 2000, 'memory.max_rss': 100 }, 'log');
    const cpu = { ...responses.cpu, steps: [{ policy: 'restart_adjusted', after: 0 }] } as const;
    const memory = { ...responses.memory, steps: [{ policy: 'immediate_kill', after: 0 }] } as const;
    const rig = new Rig({ limits: { ...limits, responses: { ...responses, cpu, memory } } })
      .run()
      .exited(XCPU);
    expect(rig.payload('limit.adjusted')).toEqual({ limit: 'cpu.max_time', from: 2000, to: 3000 });
    rig.tell({ kind: 'timer', timer: 'backoff' }).started().exited(XCPU);
    expect(rig.payload('limit.exceeded').allowed).toBe(3000);
  });

  test('that no limit of the worker explains is an exit like any other', () => {
    const rig = new Rig({ limits: limitsSpec({ 'memory.max_rss': 100 }, 'immediate_kill') })
      .run()
      .exited(XCPU);
    expect(rig.said).toEqual(['worker.exited', 'worker.backing-off']);
  });

  test('of a program that caught SIGXCPU and went on is the same', () => {
    const killed = { signal: 'SIGKILL', outOfCpuTime: true } as const;
    const rig = timed(['immediate_kill']).run().exited(killed);
    expect(rig.payload('limit.exceeded')).toMatchObject({ limit: 'cpu.max_time', reason: 'out-of-cpu-time' });
    expect(rig.phase).toMatchObject({
      name: 'failed',
      failure: { code: 'E_LIMIT', message: expect.stringContaining('killed by SIGKILL (out of CPU time)') },
    });
  });
});
