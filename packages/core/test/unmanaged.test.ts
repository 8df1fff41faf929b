import { describe, expect, test } from 'vitest';
import { describeStrategy } from '../src/discovery/finder.ts';
import type { Strategy, UnmanagedControl, UnmanagedSpec } from '../src/discovery/spec.ts';
import { doing, isReady } from '../src/worker/state.ts';
import { TABLE } from '../src/worker/table.ts';
import { signalRefusal, UNMANAGED_TABLE } from '../src/worker/unmanaged.ts';
import { exit, LEADER, limitsSpec, memo, PROBE, Rig, type SpecDiffers, spec } from './rig.ts';

const NOTHING_ALLOWED: UnmanagedControl = {
  terminate: false,
  restart: false,
  move: false,
  signals: [],
  service: null,
  commands: { stop: null, restart: null },
};

const SIGNALS: Partial<UnmanagedControl> = { terminate: true, signals: ['SIGTERM', 'SIGKILL'] };
const SERVICE: Partial<UnmanagedControl> = {
  terminate: true,
  restart: true,
  service: { manager: 'systemd', name: 'web' },
};

function unmanaged(control: Partial<UnmanagedControl> = {}): UnmanagedSpec {
  return {
    discovery: {
      strategy: { kind: 'pid-file', path: '/run/web.pid', checkAge: true },
      exclude: [],
      choose: 'only',
      validation: [],
      timeout: 1000,
      interval: 1000,
    },
    control: { ...NOTHING_ALLOWED, ...control },
    logFiles: [],
  };
}

function rig(control: Partial<UnmanagedControl> = {}, differs: SpecDiffers = {}): Rig {
  return new Rig({ unmanaged: unmanaged(control), restart: { mode: 'never' }, ...differs });
}

/** Its process is there. */
function attached(control: Partial<UnmanagedControl> = {}, differs: SpecDiffers = {}): Rig {
  return rig(control, differs)
    .tell({ kind: 'start', ticket: 1 })
    .tell({ kind: 'appeared', process: LEADER, age: 300 });
}

const types = ({ events }: Rig) => events.map(({ type }) => type);
const outcomes = ({ effects }: Rig) =>
  effects.flatMap((effect) => (effect.kind === 'settle' ? [[effect.ticket, effect.outcome.kind]] : []));
const failures = ({ effects }: Rig) =>
  effects.flatMap((effect) =>
    effect.kind === 'settle' && effect.outcome.kind === 'failed' ? [effect.outcome.failure.message] : [],
  );
const acts = ({ effects }: Rig) => effects.map(({ kind }) => kind);

describe('a unit whose process somebody else starts', () => {
  test('has a cell for every message in every phase', () => {
    for (const [name, row] of Object.entries(UNMANAGED_TABLE))
      expect(Object.keys(row).sort()).toEqual(Object.keys(TABLE[name as keyof typeof TABLE]).sort());
  });

  test('is never started: it waits for its process, and says which', () => {
    const one = rig().tell({ kind: 'start', ticket: 1 });
    expect(one.worker.phase).toEqual({ name: 'blocked' });
    expect(acts(one)).not.toContain('spawn');
    expect(doing(one.worker, one.now)).toBe('waiting for its process: pid file /run/web.pid');
    one.tell({
      kind: 'dependencies',
      waiting: [{ id: 'web', condition: 'process', reason: 'its process: there is no pid file' }],
      lost: null,
    });
    expect(one.worker.phase.name).toBe('blocked');
    expect(doing(one.worker, one.now)).toBe('waiting for its process: there is no pid file');
  });

  test('is attached when it appears: a run of its own, begun when the process began', () => {
    const one = attached();
    expect(types(one)).toEqual(['worker.attached', 'worker.ready']);
    expect(one.events[0]?.payload).toMatchObject({ process: LEADER, uptime: 300, origin: 'foreign' });
    expect(acts(one)).toEqual(['accompany', 'begin-hooks', 'settle']);
    expect(outcomes(one)).toEqual([[1, 'done']]);
    expect(one.worker).toMatchObject({
      run: 1,
      waiting: [],
      phase: { name: 'running', since: one.now - 300 },
    });
    expect(isReady(one.worker)).toBe(true);
  });

  test('waits for its dependencies first', () => {
    const one = rig();
    const db = { id: 'db', condition: 'ready', reason: 'starting' } as const;
    one.tell({ kind: 'dependencies', waiting: [db], lost: null }).tell({ kind: 'start' });
    one.tell({ kind: 'appeared', process: LEADER, age: 0 });
    expect(one.worker.phase.name).toBe('blocked');
  });

  test('K3: is waited for again when it has ended, and attached under its new pid as the next run', () => {
    const one = attached().tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(types(one)).toEqual(['worker.exited', 'worker.blocked']);
    expect(one.worker).toMatchObject({ phase: { name: 'blocked' }, restarts: 0 });
    one.tell({ kind: 'appeared', process: { pid: 200, startedAt: '9' }, age: 0 });
    expect(one.worker).toMatchObject({ run: 2, phase: { process: { pid: 200 } } });
  });

  test('K5: an unknown exit is never success', () => {
    const one = attached().tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.events[0]?.payload).toMatchObject({ success: false });
    expect(one.worker.lastEnd).toMatchObject({ success: false });
    expect(one.worker.phase).toEqual({ name: 'blocked' });
  });

  test.each(['stop', 'kill', 'restart'] as const)('refuses %s where control does not allow it', (kind) => {
    const one = attached().tell({ kind, ticket: 7 });
    expect(failures(one)[0]).toMatch(
      /was not started by this master, and control\.can_(terminate|restart) is not true/,
    );
    expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'running' } });
    expect(acts(one)).toEqual(['settle']);
  });

  test('refuses a kill where only an orderly end is allowed', () => {
    const one = attached({ terminate: true, signals: ['SIGTERM'] }).tell({ kind: 'kill', ticket: 7 });
    expect(failures(one)[0]).toMatch('SIGKILL is not in control.allowed_signals');
    expect(acts(attached({ terminate: true }).tell({ kind: 'stop', ticket: 7 }))).toEqual(['settle']);
  });

  test('is ended by a signal, after its grace by SIGKILL, where both are allowed', () => {
    const one = attached(SIGNALS).tell({ kind: 'stop', ticket: 7 });
    expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGTERM', grace: 5000 });
    one.tell({ kind: 'timer', timer: 'grace' });
    expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
    one.tell({ kind: 'exited', exit: exit({ signal: 'SIGKILL' }), remaining: [] });
    expect(one.worker).toMatchObject({ desired: 'down', phase: { name: 'stopped' } });
    expect(outcomes(one)).toEqual([[7, 'done']]);
  });

  test('runs on and is watched on when it outlives its grace and SIGKILL is not allowed', () => {
    const one = attached({ terminate: true, signals: ['SIGTERM'] }).tell({ kind: 'stop', ticket: 7 });
    one.tell({ kind: 'timer', timer: 'grace' });
    expect(types(one)).toEqual(['worker.control-failed']);
    expect(failures(one)[0]).toMatch(/runs on after its time to end/);
    expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'running' } });
    expect(acts(one)).toContain('begin-hooks');
  });

  test('is ended and restarted by the manager of its service', () => {
    const one = attached(SERVICE).tell({ kind: 'restart', ticket: 7 });
    expect(one.effects).toContainEqual({ kind: 'control', run: 1, action: 'restart' });
    expect(acts(one)).not.toContain('signal-tree');
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.worker.phase.name).toBe('blocked');
    one.tell({ kind: 'appeared', process: { pid: 200, startedAt: '9' }, age: 0 });
    expect(outcomes(one)).toEqual([[7, 'done']]);
    one.tell({ kind: 'stop', ticket: 8 });
    expect(one.effects).toContainEqual({ kind: 'control', run: 2, action: 'stop' });
    one.tell({ kind: 'control-failed', action: 'stop', reason: 'systemctl says no' });
    expect(failures(one)).toEqual(['worker "web": systemctl says no']);
    expect(one.worker.phase.name).toBe('running');
  });

  test('is restarted while it is away, where that is allowed', () => {
    const one = rig(SERVICE).tell({ kind: 'start' }).tell({ kind: 'restart', ticket: 7 });
    expect(acts(one)).toContain('control');
    one.tell({ kind: 'control-failed', action: 'restart', reason: 'no such unit' });
    expect(failures(one)).toEqual(['worker "web": no such unit']);
    expect(one.worker.phase.name).toBe('blocked');
    expect(failures(rig().tell({ kind: 'start' }).tell({ kind: 'restart', ticket: 7 }))).toHaveLength(1);
  });

  test('a start while its service restarts it waits for that: it is no stop, which SIGKILL could follow', () => {
    const one = attached({ ...SERVICE, signals: ['SIGKILL'] }).tell({ kind: 'restart', ticket: 2 });
    one.tell({ kind: 'start', ticket: 3 });
    expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'stopping', cause: 'restart' } });
    one.tell({ kind: 'timer', timer: 'grace' });
    expect(one.effects).not.toContainEqual(expect.objectContaining({ signal: 'SIGKILL' }));
    expect(types(one)).not.toContain('worker.killed');
    expect(one.worker.phase.name).toBe('running');
    expect(outcomes(one)).toEqual([
      [2, 'failed'],
      [3, 'failed'],
    ]);
  });

  test('a restart while it is ended asks its service for a new one, after its end', () => {
    const one = attached(SERVICE).tell({ kind: 'stop', ticket: 2 });
    one.tell({ kind: 'restart', ticket: 3 });
    expect(outcomes(one)).toEqual([[2, 'superseded']]);
    expect(one.effects.filter(({ kind }) => kind === 'control')).toEqual([]);
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.effects).toContainEqual({ kind: 'control', run: 1, action: 'restart' });
    expect(one.worker.phase.name).toBe('blocked');
    one.tell({ kind: 'appeared', process: { pid: 200, startedAt: '9' }, age: 0 });
    expect(outcomes(one)).toEqual([[3, 'done']]);
  });

  test('a restart while it is ended at a limit does the same', () => {
    const one = attached(SERVICE, { limits: limitsSpec({ 'memory.max_rss': 1 }) });
    one.tell({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy: 'graceful_shutdown', reason: '9' });
    one.tell({ kind: 'restart', ticket: 3 }).tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.effects).toContainEqual({ kind: 'control', run: 1, action: 'restart' });
    expect(one.worker.phase.name).toBe('blocked');
  });

  test('a restart while it is ended is refused where control does not allow it', () => {
    const one = attached(SIGNALS).tell({ kind: 'stop', ticket: 2 });
    one.tell({ kind: 'restart', ticket: 3 });
    expect(failures(one)[0]).toContain('control.can_restart is not true');
    expect(one.worker.desired).toBe('down');
  });

  test('a restart while its service restarts it asks nobody again', () => {
    const one = attached(SERVICE).tell({ kind: 'restart', ticket: 2 }).tell({ kind: 'restart', ticket: 3 });
    expect(one.effects.filter(({ kind }) => kind === 'control')).toEqual([]);
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.effects.filter(({ kind }) => kind === 'control')).toEqual([]);
    expect(one.worker.phase.name).toBe('blocked');
  });

  test('a stop after that, and the end of the master, take it back', () => {
    const one = attached(SERVICE).tell({ kind: 'stop' }).tell({ kind: 'restart', ticket: 3 });
    one.tell({ kind: 'stop', ticket: 4 });
    expect(outcomes(one)).toEqual([[3, 'superseded']]);
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.worker.phase.name).toBe('stopped');
    expect(acts(one)).not.toContain('control');
  });

  test('a stop while its service restarts it asks for its end, and no failure of the restart undoes that', () => {
    const one = attached(SERVICE).tell({ kind: 'restart', ticket: 2 }).tell({ kind: 'stop', ticket: 3 });
    expect(one.effects).toContainEqual({ kind: 'control', run: 1, action: 'stop' });
    expect(outcomes(one)).toEqual([[2, 'superseded']]);
    one.tell({ kind: 'control-failed', action: 'restart', reason: 'Job canceled' });
    expect(one.worker).toMatchObject({ desired: 'down', phase: { name: 'stopping' } });
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(one.worker.phase.name).toBe('stopped');
  });

  test('a stop while its service restarts it is refused where only a restart is allowed', () => {
    const one = attached({ ...SERVICE, terminate: false }).tell({ kind: 'restart', ticket: 2 });
    one.tell({ kind: 'stop', ticket: 3 });
    expect(failures(one)[0]).toContain('control.can_terminate is not true');
    expect(one.worker.desired).toBe('up');
  });

  test('a stop while its command restarts it is a signal where that is all there is', () => {
    const control = { ...SIGNALS, restart: true, commands: { stop: null, restart: ['again'] as const } };
    const one = attached(control).tell({ kind: 'restart' }).tell({ kind: 'stop', ticket: 3 });
    expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGTERM', grace: 5000 });
    one.tell({ kind: 'timer', timer: 'grace' });
    expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
  });

  test('is left alone by probes, dependencies and limits unless control and policy allow a restart', () => {
    const differs = { probes: { startup: null, liveness: PROBE, readiness: null } };
    const bad = { kind: 'became-unhealthy', probe: 'liveness', reason: 'HTTP 500' } as const;
    const lost = { kind: 'dependencies', waiting: [], lost: 'db' } as const;
    for (const told of [bad, lost]) {
      expect(acts(attached({}, differs).tell(told))).toEqual([]);
      expect(acts(attached(SERVICE, differs).tell(told))).toEqual([]);
      const willing = attached(SERVICE, { ...differs, restart: { mode: 'on-failure' } }).tell(told);
      expect(willing.effects).toContainEqual({ kind: 'control', run: 1, action: 'restart' });
      willing.tell({ kind: 'exited', exit: exit({ code: 0 }), remaining: [] });
      expect(willing.worker.phase.name).toBe('blocked');
    }
  });

  test('is answered at a limit only as control allows', () => {
    const limits = limitsSpec({ 'memory.max_rss': 1000 });
    const over = (policy: 'restart' | 'graceful_shutdown' | 'immediate_kill' | 'throttle' | 'log') =>
      ({ kind: 'limit-exceeded', limit: 'memory.max_rss', policy, reason: 'too much' }) as const;
    for (const policy of ['restart', 'graceful_shutdown', 'immediate_kill', 'throttle', 'log'] as const)
      expect(acts(attached({}, { limits }).tell(over(policy)))).toEqual([]);
    expect(acts(attached(SERVICE, { limits }).tell(over('restart')))).toContain('control');
    const ended = attached(SIGNALS, { limits }).tell(over('immediate_kill'));
    expect(ended.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
    ended.tell({ kind: 'exited', exit: exit({ signal: 'SIGKILL' }), remaining: [] });
    expect(ended.worker.phase).toMatchObject({ name: 'failed', failure: { code: 'E_LIMIT' } });
  });

  test('is not ready before its readiness probe says so', () => {
    const one = attached({}, { probes: { startup: null, liveness: null, readiness: PROBE } });
    expect(types(one)).toEqual(['worker.attached']);
    expect(isReady(one.worker)).toBe(false);
    one.tell({ kind: 'became-ready' });
    expect(types(one)).toEqual(['worker.ready']);
  });

  test('is not restarted where that is allowed but nobody is named who could', () => {
    const one = attached({ restart: true }).tell({ kind: 'restart', ticket: 7 });
    expect(failures(one)[0]).toMatch('control names neither a service nor a restart command');
    expect(acts(one)).toEqual(['settle']);
  });

  test('is killed at once where that is allowed', () => {
    const one = attached(SIGNALS).tell({ kind: 'kill', ticket: 7 });
    expect(types(one)).toEqual(['worker.stopping', 'worker.killed']);
    expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
    expect(one.worker).toMatchObject({ desired: 'down', phase: { name: 'stopping', step: 'killing' } });
  });

  test('is killed while it ends only where that is allowed', () => {
    const gentle = attached({ terminate: true, signals: ['SIGTERM'] }).tell({ kind: 'stop', ticket: 7 });
    gentle.tell({ kind: 'kill', ticket: 8 });
    expect(outcomes(gentle)).toEqual([[8, 'failed']]);
    expect(gentle.worker.phase).toMatchObject({ name: 'stopping', step: 'asking' });
    const hard = attached(SIGNALS).tell({ kind: 'stop', ticket: 7 }).tell({ kind: 'kill', ticket: 8 });
    expect(hard.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
    expect(hard.worker.phase).toMatchObject({ name: 'stopping', step: 'killing' });
    hard.tell({ kind: 'timer', timer: 'verify' });
    expect(hard.effects).toEqual([{ kind: 'survey', run: 1 }]);
    hard.tell({ kind: 'exited', exit: exit({ signal: 'SIGKILL' }), remaining: [] });
    expect(outcomes(hard)).toEqual([
      [7, 'done'],
      [8, 'done'],
    ]);
  });

  test('is waited for by everybody who stops it', () => {
    const one = attached(SIGNALS).tell({ kind: 'stop', ticket: 7 }).tell({ kind: 'stop', ticket: 8 });
    expect(outcomes(one)).toEqual([]);
    one.tell({ kind: 'exited', exit: exit(), remaining: [] });
    expect(outcomes(one)).toEqual([
      [7, 'done'],
      [8, 'done'],
    ]);
  });

  test('goes on when its dependencies are there', () => {
    const one = attached(SERVICE, { restart: { mode: 'on-failure' } });
    one.tell({ kind: 'dependencies', waiting: [], lost: null });
    expect(acts(one)).toEqual([]);
    expect(one.worker.phase.name).toBe('running');
  });

  test('is not killed for a restart that takes too long', () => {
    const one = attached({ ...SERVICE, ...SIGNALS }).tell({ kind: 'restart', ticket: 7 });
    one.tell({ kind: 'timer', timer: 'grace' });
    expect(one.events).toMatchObject([{ type: 'worker.control-failed', payload: { action: 'restart' } }]);
    expect(outcomes(one)).toEqual([[7, 'failed']]);
    expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'running' } });
  });

  describe('that is to end gracefully at a limit', () => {
    const over = {
      kind: 'limit-exceeded',
      limit: 'memory.max_rss',
      policy: 'graceful_shutdown',
      reason: 'too much',
    } as const;
    const differs = { limits: limitsSpec({ 'memory.max_rss': 1000 }) };

    test('is asked, rests as failed when it has ended, and is killed after its grace', () => {
      const one = attached(SIGNALS, differs).tell(over);
      expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGTERM', grace: 5000 });
      one.tell({ kind: 'timer', timer: 'grace' });
      expect(one.effects).toContainEqual({ kind: 'signal-tree', run: 1, signal: 'SIGKILL', grace: null });
      one.tell({ kind: 'exited', exit: exit({ signal: 'SIGKILL' }), remaining: [] });
      expect(one.worker.phase).toMatchObject({ name: 'failed', failure: { code: 'E_LIMIT' } });
    });

    test('and outlives its grace was not stopped, which is told as that', () => {
      const one = attached({ terminate: true, signals: ['SIGTERM'] }, differs).tell(over);
      one.tell({ kind: 'timer', timer: 'grace' });
      expect(one.events).toMatchObject([{ type: 'worker.control-failed', payload: { action: 'stop' } }]);
      expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'running' } });
    });
  });

  test.each(['stop', 'kill'] as const)(
    'runs on when the master ends, whatever control allows (%s)',
    (kind) => {
      const one = attached({ ...SIGNALS, ...SERVICE }).tell({ kind, cause: 'shutdown', ticket: 9 });
      expect(types(one)).toEqual(['worker.detached']);
      expect(acts(one)).toEqual(['clear-timer', 'clear-timer', 'end-hooks', 'close-run', 'settle']);
      expect(one.worker).toMatchObject({ desired: 'up', phase: { name: 'stopped' } });
      const asked = attached(SIGNALS).tell({ kind: 'stop' }).tell({ kind, cause: 'shutdown' });
      expect(types(asked)).toEqual(['worker.detached']);
    },
  );

  test('is looked for anew by the next master, whatever the earlier one knew', () => {
    const one = rig().tell({ kind: 'recalled', memo: memo(), desired: 'up' });
    expect(acts(one)).toEqual([]);
    expect(one.worker).toMatchObject({ run: 3, phase: { name: 'blocked' } });
    const stopped = rig().tell({ kind: 'recalled', memo: memo(), desired: 'down' });
    expect(stopped.worker.phase.name).toBe('stopped');
  });

  test('takes the signals that are allowed and no other', () => {
    const allowed = spec({ unmanaged: unmanaged({ signals: ['SIGHUP'] }) });
    expect(signalRefusal(allowed, 'SIGHUP')).toBeNull();
    expect(signalRefusal(allowed, 'SIGTERM')).toMatchObject({ code: 'E_UNMANAGED' });
    expect(signalRefusal(spec(), 'SIGTERM')).toBeNull();
    const none = signalRefusal(spec({ unmanaged: unmanaged() }), 'SIGHUP');
    expect(none?.message).toBe('worker "web": SIGHUP is not in control.allowed_signals (none)');
  });
});

test('strategies are told in words', () => {
  const named: Strategy = { kind: 'name', name: 'nginx', pattern: null, args: [] };
  const all: Strategy = {
    kind: 'all',
    of: [
      named,
      { kind: 'port', protocol: 'tcp', port: 80, address: '0.0.0.0' },
      { kind: 'parent', parent: { kind: 'user', user: 'root' } },
      { kind: 'environment', name: 'A', value: 'b', pattern: null },
      { kind: 'service', manager: 'systemd', name: 'web' },
    ],
  };
  expect(describeStrategy(all)).toBe(
    'name nginx and listens on tcp 0.0.0.0 port 80 and child of (user root) and environment A=b and service web of systemd',
  );
  const some: Strategy = { kind: 'any', of: [named, { kind: 'service', manager: null, name: 'web' }] };
  expect(describeStrategy(some)).toBe('name nginx or service web');
});
