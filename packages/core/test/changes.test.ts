import { describe, expect, test } from 'vitest';
import { isSame, masked, needsRestart, planOf } from '../src/graph/changes.ts';
import type { WorkerSpec } from '../src/worker/spec.ts';
import { fc } from './properties.ts';
import { limitsSpec, PROBE, type SpecDiffers, spec } from './rig.ts';

function worker(id: string, differs: SpecDiffers = {}): WorkerSpec {
  return spec({ id, ...differs });
}

const DB = worker('db');
const on = (...ids: readonly string[]) =>
  ({ dependsOn: ids.map((id) => ({ id, condition: 'started', restart: false }) as const) }) as const;

describe('a plan', () => {
  test('of the same specs has nothing to do', () => {
    const plan = planOf([DB, worker('web')], [worker('web'), structuredClone(DB)]);
    expect(plan).toEqual({ workers: [], unchanged: ['web', 'db'] });
  });

  test('ends dependents before what they depend on, and begins the other way round', () => {
    const old = [worker('b', on('a')), worker('a'), worker('c', on('b'))];
    const fresh = [worker('z', on('y')), worker('y')];
    const { workers } = planOf(old, fresh);
    expect(workers.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      'removed c',
      'removed b',
      'removed a',
      'added y',
      'added z',
    ]);
  });

  test('says of each part that changed when it comes into effect', () => {
    const { command } = DB;
    const after = worker('db', {
      description: 'the data',
      command: { ...command, argv: ['db', '--fast'], env: { PORT: '1' } },
      stop: { signal: 'SIGINT', grace: 5000 },
      log: { ...DB.log, maxSize: 1 },
      restart: { mode: 'always' },
      ...on('disk'),
    });
    const [change] = planOf([DB], [after, worker('disk')]).workers.filter(({ id }) => id === 'db');
    expect([change?.kind, change?.action]).toEqual(['changed', 'restart']);
    expect(Object.fromEntries(change?.parts.map(({ path, effective }) => [path, effective]) ?? [])).toEqual({
      description: 'live',
      command: 'restart',
      'env.PORT': 'restart',
      stop_signal: 'live',
      'log.maxSize': 'next-run',
      'restart.mode': 'live',
      depends_on: 'live',
    });
  });

  test('says who restarts with another', () => {
    const follower = (id: string, of: string) =>
      worker(id, { dependsOn: [{ id: of, condition: 'started', restart: true }] });
    const others = [follower('web', 'db'), follower('job', 'web'), worker('idle', on('db'))];
    const { workers, unchanged } = planOf(
      [DB, ...others],
      [worker('db', { mainProcess: { pidFile: '/x', timeout: 1 } }), ...others],
    );
    expect(workers.map(({ id, kind, action }) => [id, kind, action])).toEqual([
      ['db', 'changed', 'restart'],
      ['web', 'follows', 'restart'],
      ['job', 'follows', 'restart'],
    ]);
    expect(unchanged).toEqual(['idle']);
  });

  test('keeps the process where it can', () => {
    const probes = { startup: null, liveness: PROBE, readiness: null };
    const after = worker('db', { probes, limits: limitsSpec({ 'memory.max_rss': 1 }) });
    expect(planOf([DB], [after]).workers[0]?.action).toBe('keep');
    expect(needsRestart(DB, after)).toBe(false);
  });

  test('stops what is not enabled any more and starts what is', () => {
    const off = worker('db', { enabled: false });
    expect(planOf([DB], [off]).workers[0]?.action).toBe('stop');
    expect(planOf([off], [DB]).workers[0]?.action).toBe('start');
    expect(planOf([], [off]).workers[0]?.action).toBe('keep');
  });

  test('another budget around it takes another process, another size of it does not', () => {
    const quota = (id: string, bytes: number) =>
      ({ quotas: [{ kind: 'group', id, limits: limitsSpec({ 'memory.max_rss': bytes }) }] }) as const;
    const before = worker('db', quota('g', 1));
    expect(needsRestart(before, worker('db', quota('g', 2)))).toBe(false);
    expect(needsRestart(before, worker('db', quota('h', 1)))).toBe(true);
    expect(needsRestart(before, DB)).toBe(true);
  });

  test('J8: tells no secret', () => {
    const { command } = DB;
    const before = worker('db', { command: { ...command, env: { PASSWORD: 'b3fore', COLOUR: 'red' } } });
    const http = { type: 'http', url: 'http://u:pw1@h/', method: 'GET', headers: { Accept: 'k3y' } } as const;
    const after = worker('db', {
      command: {
        ...command,
        argv: ['db', '--token', 't0k'],
        env: { PASSWORD: 'aft3r', COLOUR: 'blue', MORE: 'x1' },
      },
      probes: { startup: null, liveness: { ...PROBE, check: http }, readiness: null },
    });
    const text = JSON.stringify(planOf([before], [after]));
    for (const secret of ['b3fore', 'aft3r', 't0k', 'pw1', 'k3y', 'x1', '"red'])
      expect(text).not.toContain(secret);
    expect(text).toContain('env.PASSWORD');
    expect(JSON.stringify(masked([], after))).not.toContain('t0k');
  });

  test('is empty exactly where nothing differs, and tells of each worker once', () => {
    const some = fc.uniqueArray(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), grace: fc.constantFrom(1, 2) }),
      { selector: ({ id }) => id },
    );
    const specsOf = (drawn: readonly { id: string; grace: number }[]) =>
      drawn.map(({ id, grace }) => worker(id, { stop: { signal: 'SIGTERM', grace } }));
    fc.assert(
      fc.property(some, some, (one, other) => {
        const [before, after] = [specsOf(one), specsOf(other)];
        const { workers, unchanged } = planOf(before, after);
        const told = [...workers.map(({ id }) => id), ...unchanged].sort();
        expect(told).toEqual([...new Set([...before, ...after].map(({ id }) => id))].sort());
        for (const id of unchanged)
          expect(
            isSame(
              before.find((b) => b.id === id),
              after.find((a) => a.id === id),
            ),
          ).toBe(true);
      }),
    );
  });
});
