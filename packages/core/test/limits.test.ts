import { describe, expect, test } from 'vitest';
import type { LimitPolicy, LimitReport } from '../src/limits/spec.ts';
import { CHILD, GRANDCHILD, LEADER, limitsSpec, Rig, RULE, type SpecDiffers } from './rig.ts';

const REASON = '120B of 100B';

function limited(policies: readonly LimitPolicy[] = ['log'], differs: SpecDiffers = {}): Rig {
  return new Rig({ limits: limitsSpec({ 'memory.max_rss': 100 }, ...policies), ...differs });
}

function exceeds(
  rig: Rig,
  policy: LimitPolicy,
  limit: 'memory.max_rss' | 'cpu.max_percent' = 'memory.max_rss',
): Rig {
  return rig.tell({ kind: 'limit-exceeded', limit, policy, reason: REASON });
}

const OOM = { signal: 'SIGKILL', oomKilled: 'limit' } as const;
const AT_QUOTA = { ...OOM, oomKilled: 'quota' } as const;

describe('an excess that is only to be told', () => {
  test.each(['none', 'log', 'alert'] as const)('changes nothing: %s', (policy) => {
    exceeds(limited().run(), policy).expectNothing();
  });

  test('its end changes nothing', () => {
    limited().run().tell({ kind: 'limit-cleared', limit: 'memory.max_rss' }).expectNothing();
  });
});

describe('throttle', () => {
  test('holds the tree back until the excess has ended', () => {
    const rig = exceeds(limited().run(), 'throttle');
    expect(rig.done).toEqual(['throttle 20']);
    expect(rig.payload('worker.throttled')).toEqual({ limit: 'memory.max_rss', percent: 20 });
    expect(rig.phase).toMatchObject({ name: 'running', throttled: ['memory.max_rss'] });
    rig.tell({ kind: 'limit-cleared', limit: 'memory.max_rss' });
    expect(rig.done).toEqual(['throttle null']);
    expect(rig.payload('worker.unthrottled').reason).toBe('the excess of memory.max_rss has ended');
    expect(rig.phase).toMatchObject({ throttled: [] });
  });

  test('for two limits ends with the later of them', () => {
    const rig = exceeds(exceeds(limited().run(), 'throttle'), 'throttle', 'cpu.max_percent');
    rig.expectNothing();
    rig.tell({ kind: 'limit-cleared', limit: 'memory.max_rss' }).expectNothing();
    expect(rig.phase).toMatchObject({ throttled: ['cpu.max_percent'] });
    expect(rig.tell({ kind: 'limit-cleared', limit: 'cpu.max_percent' }).done).toEqual(['throttle null']);
  });

  test('that holds already is not said again', () => {
    exceeds(exceeds(limited().run(), 'throttle'), 'throttle').expectNothing();
  });

  test('gives way to the next step, whatever that is', () => {
    const rig = exceeds(exceeds(limited().run(), 'throttle'), 'alert');
    expect(rig.done).toEqual(['throttle null']);
    expect(rig.payload('worker.unthrottled').reason).toBe('the next step for memory.max_rss is alert');
  });

  test('ends before the tree is asked to end', () => {
    const rig = exceeds(limited().run(), 'throttle').tell({ kind: 'stop' });
    expect(rig.done).toEqual([
      'record down',
      'clear reset',
      'end-hooks 1',
      'throttle null',
      'SIGTERM',
      'set grace 5000',
    ]);
    expect(rig.said).toEqual(['worker.unthrottled', 'worker.stopping']);
  });

  test('ends with the run', () => {
    const rig = exceeds(limited().run(), 'throttle').exited({ code: 1 });
    expect(rig.done).toContain('throttle null');
    expect(rig.payload('worker.unthrottled').reason).toBe('the tree is gone');
  });

  test('goes over to the main process that takes its place', () => {
    const rig = exceeds(limited(['throttle'], { onDaemonize: 'adopt' }).run(), 'throttle');
    rig.exited({ code: 0 }, [CHILD, GRANDCHILD]);
    expect(rig.phase).toMatchObject({ name: 'running', process: CHILD, throttled: ['memory.max_rss'] });
  });

  test('takes its share from the budget where the worker has no limits of its own', () => {
    const budget = { kind: 'group', id: 'a', limits: limitsSpec({ 'memory.max_rss': 100 }) } as const;
    expect(exceeds(new Rig({ quotas: [budget] }).run(), 'throttle').done).toEqual(['throttle 20']);
  });

  test('without any limits there is nothing to hold it to', () => {
    exceeds(new Rig().run(), 'throttle').expectNothing();
  });
});

describe('an excess that ends the run', () => {
  test.each(['graceful_shutdown', 'restart', 'restart_adjusted'] as const)(
    '%s asks the tree to end',
    (policy) => {
      const rig = exceeds(limited().run(), policy);
      expect(rig.payload('worker.stopping')).toEqual({ cause: 'limit', detail: REASON });
      expect(rig.phase).toMatchObject({
        name: 'stopping',
        step: 'asking',
        answer: { limit: 'memory.max_rss', policy },
      });
      expect(rig.done).toContain('SIGTERM');
      expect(rig.done).not.toContain('SIGKILL');
    },
  );

  test('immediate_kill waits for no grace', () => {
    const rig = exceeds(limited().run(), 'immediate_kill');
    expect(rig.done).toContain('SIGKILL');
    expect(rig.phase).toMatchObject({ step: 'killing', answer: { policy: 'immediate_kill' } });
  });

  test.each(['graceful_shutdown', 'immediate_kill'] as const)('after %s it rests with E_LIMIT', (policy) => {
    const rig = exceeds(limited(['log'], { restart: { mode: 'always' } }).run(), policy).exited({
      signal: 'SIGTERM',
    });
    expect(rig.phase).toEqual({
      name: 'failed',
      failure: { code: 'E_LIMIT', message: `worker "web": ended for its limit memory.max_rss: ${REASON}` },
    });
    expect(rig.tell({ kind: 'start' }).name).toBe('starting');
  });

  test('restart starts it again by the rule for resources, also after success', () => {
    const resource = { ...RULE, delay: 70 };
    const rig = exceeds(limited(['log'], { restart: { resource } }).run(), 'restart').exited({ code: 0 });
    expect(rig.payload('worker.backing-off')).toMatchObject({ delay: 70, reason: REASON, failures: 1 });
    expect(rig.tell({ kind: 'timer', timer: 'backoff' }).done).toEqual(['spawn 2']);
  });

  test.each(['restart', 'restart_adjusted'] as const)(
    '%s of a worker that is never restarted ends in failure',
    (policy) => {
      const rig = exceeds(limited(['log'], { restart: { mode: 'never' } }).run(), policy).exited({ code: 0 });
      expect(rig.phase).toMatchObject({
        name: 'failed',
        failure: { code: 'E_LIMIT', message: expect.stringContaining('restart_policy is never') },
      });
      expect([rig.worker.limitFactors, rig.said]).toEqual([{}, ['worker.exited', 'worker.failed']]);
    },
  );

  test('too many restarts for resources open the breaker', () => {
    const resource = { ...RULE, maxRetries: 1, giveUp: true };
    const rig = exceeds(limited(['log'], { restart: { resource } }).run(), 'restart').exited();
    rig.tell({ kind: 'timer', timer: 'backoff' }).started();
    expect(exceeds(rig, 'restart').exited().phase).toMatchObject({ failure: { code: 'E_GAVE_UP' } });
  });

  test('a stop that comes meanwhile is obeyed, and so is a start', () => {
    const stopped = exceeds(limited().run(), 'restart').tell({ kind: 'stop' }).exited();
    expect(stopped.phase).toEqual({ name: 'stopped', completed: false });
    const started = exceeds(limited().run(), 'graceful_shutdown').tell({ kind: 'start' }).exited();
    expect(started.name).toBe('starting');
  });

  test('what is told of limits while it stops is late', () => {
    const rig = exceeds(limited().run(), 'restart');
    exceeds(rig, 'throttle').expectNothing();
    rig.tell({ kind: 'limit-cleared', limit: 'memory.max_rss' }).expectNothing();
  });
});

describe('restart_adjusted', () => {
  function raisedOnce(): Rig {
    return exceeds(limited().run(), 'restart_adjusted').exited();
  }

  test('raises the limit by its factor for the next run, up to its cap', () => {
    const rig = raisedOnce();
    expect(rig.said).toEqual(['worker.exited', 'limit.adjusted', 'worker.backing-off']);
    expect(rig.payload('limit.adjusted')).toEqual({ limit: 'memory.max_rss', from: 100, to: 150 });
    const limits: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      rig.pass(100_000).tell({ kind: 'timer', timer: 'backoff' });
      const spawn = rig.effects.find((effect) => effect.kind === 'spawn');
      limits.push(spawn?.limits?.values['memory.max_rss'] ?? 0);
      exceeds(rig.started(), 'restart_adjusted').pass(20_000).exited();
    }
    expect(limits).toEqual([150, 225, 338, 400, 400]);
    expect(rig.said).not.toContain('limit.adjusted');
  });

  test('stays raised when the operator starts it again, until a reset', () => {
    const rig = raisedOnce().tell({ kind: 'start' });
    expect(rig.effects).toContainEqual(
      expect.objectContaining({
        kind: 'spawn',
        limits: expect.objectContaining({ values: { 'memory.max_rss': 150 } }),
      }),
    );
    expect(rig.started().tell({ kind: 'reset' }).worker.limitFactors).toEqual({});
    expect(raisedOnce().tell({ kind: 'reset' }).worker.limitFactors).toEqual({});
  });

  test('cannot raise what is not the worker’s own', () => {
    const rig = exceeds(limited().run(), 'restart_adjusted', 'cpu.max_percent').exited();
    expect([rig.worker.limitFactors, rig.name]).toEqual([{}, 'backoff']);
    expect(exceeds(new Rig().run(), 'restart_adjusted').exited().worker.limitFactors).toEqual({});
  });
});

describe('A9: the kernel’s kill at the memory limit', () => {
  test('is published before the exit', () => {
    const rig = limited().run().exited(OOM);
    expect(rig.said.slice(0, 2)).toEqual(['limit.exceeded', 'worker.exited']);
    expect(rig.payload('limit.exceeded')).toEqual({
      limit: 'memory.max_rss',
      value: null,
      allowed: 100,
      quota: null,
      reason: 'oom-killed',
    });
  });

  test('is restarted by the ordinary policy where none of its steps ends a run', () => {
    const rig = limited(['log', 'throttle']).run().exited(OOM);
    expect(rig.payload('worker.backing-off').reason).toBe(
      'killed by SIGKILL (out of memory: at its limit) after 0ms',
    );
    const never = limited(['alert'], { restart: { mode: 'never' } })
      .run()
      .exited(OOM);
    expect(never.phase).toMatchObject({ failure: { code: 'E_EXITED' } });
  });

  test('is restarted with the raised limit, which the next kill tells', () => {
    const resource = { ...RULE, delay: 70 };
    const rig = limited(['throttle', 'restart_adjusted'], { restart: { resource } }).run().exited(OOM);
    expect(rig.said).toEqual(['limit.exceeded', 'worker.exited', 'limit.adjusted', 'worker.backing-off']);
    expect(rig.payload('worker.backing-off').delay).toBe(70);
    rig.tell({ kind: 'timer', timer: 'backoff' }).started().exited(OOM);
    expect(rig.payload('limit.exceeded').allowed).toBe(150);
  });

  test.each(['graceful_shutdown', 'immediate_kill'] as const)(
    'leaves it failed where the policy is %s',
    (policy) => {
      const rig = limited([policy]).run().exited(OOM);
      expect(rig.phase).toMatchObject({
        name: 'failed',
        failure: {
          code: 'E_LIMIT',
          message:
            'worker "web": ended for its limit memory.max_rss: killed by SIGKILL (out of memory: at its limit) after 0ms',
        },
      });
    },
  );

  test('is answered also when the rest of the tree had to be ended', () => {
    const rig = limited(['graceful_shutdown']).run().exited(OOM, [CHILD]).tell({ kind: 'tree-empty' });
    expect(rig.phase).toMatchObject({ failure: { code: 'E_LIMIT' } });
  });

  test('while it was being stopped changes nothing of that', () => {
    const rig = limited(['graceful_shutdown'])
      .run()
      .tell({ kind: 'became-unhealthy', probe: 'liveness', reason: 'x' });
    expect(rig.exited(OOM).said).toEqual(['limit.exceeded', 'worker.exited', 'worker.backing-off']);
    expect(limited(['restart']).run().tell({ kind: 'stop' }).exited(OOM).name).toBe('stopped');
  });

  test('of a budget follows the innermost one that has such a limit, and raises nothing', () => {
    const quotas = [
      { kind: 'namespace', id: 'n', limits: limitsSpec({ 'memory.max_rss': 900 }, 'graceful_shutdown') },
      { kind: 'group', id: 'g', limits: limitsSpec({ 'memory.max_rss': 500 }, 'restart_adjusted') },
      { kind: 'group', id: 'h', limits: limitsSpec({}, 'graceful_shutdown') },
    ] as const;
    const rig = new Rig({ quotas }).run().exited(AT_QUOTA);
    expect(rig.payload('limit.exceeded')).toMatchObject({ allowed: 500, quota: { kind: 'group', id: 'g' } });
    expect([rig.said, rig.worker.limitFactors]).toEqual([
      ['limit.exceeded', 'worker.exited', 'worker.backing-off'],
      {},
    ]);
  });

  test('of a budget is not taken for that of the worker’s own limit', () => {
    const quotas = [
      { kind: 'group', id: 'g', limits: limitsSpec({ 'memory.max_rss': 500 }, 'log') },
    ] as const;
    const rig = limited(['restart_adjusted'], { quotas }).run();
    expect(rig.exited(AT_QUOTA).payload('limit.exceeded')).toMatchObject({
      allowed: 500,
      quota: { kind: 'group', id: 'g' },
    });
    expect([rig.worker.limitFactors, rig.payload('worker.backing-off').reason]).toEqual([
      {},
      'killed by SIGKILL (out of memory: at a limit that it shares) after 0ms',
    ]);
  });

  test('of an unknown limit is told, and is an exit like any other', () => {
    const rig = new Rig().run().exited(OOM);
    expect(rig.payload('limit.exceeded').allowed).toBeNull();
    expect(rig.name).toBe('backoff');
  });

  test('that was the system’s is no excess', () => {
    expect(
      limited(['restart'])
        .run()
        .exited({ ...OOM, oomKilled: 'system' }).said,
    ).not.toContain('limit.exceeded');
  });
});

describe('G9: limits that cannot be enforced', () => {
  const reports: readonly LimitReport[] = [
    { limit: 'memory.max_rss', status: 'watched', mechanism: 'sampling', reason: 'no cgroup' },
    { limit: 'network.max_connections', status: 'watched', mechanism: 'sampling', reason: '' },
    { limit: 'network.max_bandwidth', status: 'impossible', mechanism: '', reason: 'no controller' },
    { limit: 'cpu.nice', status: 'enforced', mechanism: 'setpriority', reason: '' },
  ];

  test('are said once per worker and limit, and kept for who asks', () => {
    const rig = limited().tell({ kind: 'start' });
    rig.tell({ kind: 'spawned', process: LEADER, warning: null, limits: reports });
    expect(
      rig.events.filter(({ type }) => type === 'limit.unenforceable').map(({ payload }) => payload),
    ).toEqual([
      { limit: 'memory.max_rss', status: 'watched', quota: null, reason: 'no cgroup' },
      { limit: 'network.max_bandwidth', status: 'impossible', quota: null, reason: 'no controller' },
    ]);
    expect(rig.worker.limitReports).toBe(reports);
    rig.exited().tell({ kind: 'timer', timer: 'backoff' });
    rig.tell({ kind: 'spawned', process: LEADER, warning: null, limits: reports });
    expect(rig.said).not.toContain('limit.unenforceable');
  });
});

describe('a limit of a budget that cannot be enforced', () => {
  const quota = { kind: 'group', id: 'front' } as const;
  const own = { limit: 'memory.max_rss', status: 'watched', mechanism: 'sampling', reason: 'none' } as const;
  const shared = { ...own, quota, status: 'impossible', mechanism: '' } as const;

  test('is said besides the worker’s own of that name, once', () => {
    const rig = limited().tell({ kind: 'start' });
    rig.tell({ kind: 'spawned', process: LEADER, warning: null, limits: [own, shared] });
    const said = () => rig.events.filter(({ type }) => type === 'limit.unenforceable').map((e) => e.payload);
    expect(said()).toMatchObject([{ quota: null }, { quota, limit: 'memory.max_rss', status: 'impossible' }]);
    rig.exited().tell({ kind: 'timer', timer: 'backoff' });
    rig.tell({ kind: 'spawned', process: LEADER, warning: null, limits: [own, shared] });
    expect(rig.said).not.toContain('limit.unenforceable');
  });
});

describe('a process that was refused just before the end', () => {
  const crowded = (differs: object = {}): Rig =>
    new Rig({ limits: limitsSpec({ 'process.max_processes': 5 }, 'log'), ...differs });

  test('is published before the exit that it may explain, which is one like any other', () => {
    const rig = crowded().run().exited({ code: 1, forksRefused: 'limit' });
    expect(rig.said).toEqual(['limit.exceeded', 'worker.exited', 'worker.backing-off']);
    expect(rig.payload('limit.exceeded')).toEqual({
      limit: 'process.max_processes',
      value: null,
      allowed: 5,
      quota: null,
      reason: 'fork-refused',
    });
  });

  test('is the innermost budget’s that limits processes, where it was not its own limit', () => {
    const quotas = [
      { kind: 'namespace', id: 'n', limits: limitsSpec({ 'process.max_processes': 20 }, 'log') },
      // As configurations have it: budgets have no policies.
      { kind: 'group', id: 'g', limits: limitsSpec({ 'process.max_processes': 9 }) },
    ];
    const rig = crowded({ quotas }).run().exited({ code: 1, forksRefused: 'quota' });
    expect(rig.payload('limit.exceeded')).toMatchObject({ allowed: 9, quota: { kind: 'group', id: 'g' } });
  });

  test('is not told of an end that was asked for or went well, nor where the policy is none', () => {
    const refused = { forksRefused: 'limit' } as const;
    expect(
      crowded()
        .run()
        .exited({ code: 0, ...refused }).said,
    ).not.toContain('limit.exceeded');
    const asked = crowded().run().tell({ kind: 'stop' });
    expect(asked.exited({ code: 1, ...refused }).said).not.toContain('limit.exceeded');
    const silent = crowded({ limits: limitsSpec({ 'process.max_processes': 5 }, 'none') }).run();
    expect(silent.exited({ code: 1, ...refused }).said).not.toContain('limit.exceeded');
  });

  test('is not told where the limit that refused it is not known, as one of a budget elsewhere', () => {
    const rig = crowded({ limits: null }).run().exited({ code: 1, forksRefused: 'quota' });
    expect(rig.said).toEqual(['worker.exited', 'worker.backing-off']);
  });
});

describe('limits that are changed', () => {
  const reports: readonly LimitReport[] = [
    { limit: 'memory.max_rss', status: 'watched', mechanism: 'sampling', reason: 'cannot be lowered now' },
  ];

  test('are given to the tree that lives, and what became of them is told', () => {
    const rig = limited().run().tell({ kind: 'limits-changed' });
    expect(rig.effects).toEqual([{ kind: 'set-limits', run: 1, limits: rig.spec.limits }]);
    rig.tell({ kind: 'limits-set', limits: reports });
    expect(rig.worker.limitReports).toBe(reports);
    expect(rig.said).toEqual(['limit.unenforceable']);
  });

  test('while it starts are given to it when it runs', () => {
    const rig = limited().tell({ kind: 'start' }).tell({ kind: 'limits-changed' });
    expect(rig.effects).toEqual([]);
    expect(rig.started().done).toEqual(['begin-hooks 1', 'set-limits 1']);
    expect(rig.exited().tell({ kind: 'timer', timer: 'backoff' }).started().done).not.toContain(
      'set-limits 2',
    );
  });

  test('are not what was raised before', () => {
    const rig = exceeds(limited().run(), 'restart_adjusted').exited();
    expect(rig.worker.limitFactors).toEqual({ 'memory.max_rss': 1.5 });
    expect(rig.tell({ kind: 'limits-changed' }).worker.limitFactors).toEqual({});
    rig.expectNothing();
  });

  test('to none at all leave the tree as it is', () => {
    new Rig().run().tell({ kind: 'limits-changed' }).expectNothing();
  });
});
