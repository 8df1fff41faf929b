import { describe, expect, test } from 'vitest';
import type { EventType } from '../src/events/catalogue.ts';
import type { LimitPolicy } from '../src/limits/spec.ts';
import type { MemoPhase } from '../src/worker/memo.ts';
import type { Message, MessageKind } from '../src/worker/messages.ts';
import type { Phase, PhaseName } from '../src/worker/state.ts';
import { TABLE } from '../src/worker/table.ts';
import { fc } from './properties.ts';
import { CHILD, exit, LEADER, limitsSpec, memo, Rig, RULE, type SpecDiffers } from './rig.ts';

const LIMIT_POLICIES: readonly LimitPolicy[] = [
  'none',
  'log',
  'alert',
  'throttle',
  'graceful_shutdown',
  'immediate_kill',
  'restart',
  'restart_adjusted',
];

const PHASES: readonly MemoPhase[] = [
  { name: 'stopped', completed: false },
  { name: 'stopped', completed: true },
  { name: 'blocked' },
  { name: 'starting', end: null, process: null },
  { name: 'starting', end: 'kill', process: LEADER },
  { name: 'running', process: LEADER, since: 0, ready: true, unreadyReason: '', mainKnown: true },
  {
    name: 'stopping',
    process: LEADER,
    since: 0,
    askedAt: 500,
    cause: 'liveness',
    detail: 'x',
    answer: null,
    step: 'asking',
    exit: null,
  },
  { name: 'backoff', until: 5000, reason: 'x' },
  { name: 'failed', failure: { code: 'E_GAVE_UP', message: 'x' } },
];

type Told = Parameters<Rig['tell']>[0];

const TOLD: { readonly [K in MessageKind]: readonly (Told & { readonly kind: K })[] } = {
  start: [{ kind: 'start' }],
  stop: [{ kind: 'stop' }, { kind: 'stop', cause: 'shutdown' }, { kind: 'stop', cause: 'configuration' }],
  restart: [{ kind: 'restart' }],
  reset: [{ kind: 'reset' }],
  kill: [{ kind: 'kill' }, { kind: 'kill', cause: 'shutdown' }],
  dependencies: [
    { kind: 'dependencies', waiting: [], lost: null },
    { kind: 'dependencies', waiting: [], lost: 'db' },
    { kind: 'dependencies', waiting: [{ id: 'db', condition: 'ready', reason: 'starting' }], lost: null },
  ],
  spawned: [{ kind: 'spawned', process: LEADER, warning: null, limits: [] }],
  'spawn-failed': [
    { kind: 'spawn-failed', failure: { code: 'E_RESOURCES', message: 'x' }, transient: true },
    { kind: 'spawn-failed', failure: { code: 'E_EXEC_NOT_FOUND', message: 'x' }, transient: false },
  ],
  exited: [
    { kind: 'exited', exit: exit({ code: 0 }), remaining: [] },
    { kind: 'exited', exit: exit({ code: 1 }), remaining: [] },
    { kind: 'exited', exit: exit({ code: 0 }), remaining: [CHILD] },
    { kind: 'exited', exit: exit({ signal: 'SIGKILL' }), remaining: [CHILD] },
    { kind: 'exited', exit: exit({ signal: 'SIGKILL', oomKilled: 'limit' }), remaining: [] },
  ],
  'tree-empty': [{ kind: 'tree-empty' }],
  surveyed: [
    { kind: 'surveyed', members: [] },
    { kind: 'surveyed', members: [CHILD] },
  ],
  timer: [
    { kind: 'timer', timer: 'backoff' },
    { kind: 'timer', timer: 'grace' },
    { kind: 'timer', timer: 'verify' },
    { kind: 'timer', timer: 'reset' },
  ],
  'became-ready': [{ kind: 'became-ready' }],
  'became-unready': [{ kind: 'became-unready', reason: 'x' }],
  'became-unhealthy': [{ kind: 'became-unhealthy', probe: 'liveness', reason: 'x' }],
  'main-process-found': [{ kind: 'main-process-found', process: CHILD }],
  'main-process-missing': [{ kind: 'main-process-missing', reason: 'x' }],
  'limit-exceeded': LIMIT_POLICIES.map((policy) => ({
    kind: 'limit-exceeded',
    limit: 'memory.max_rss',
    policy,
    reason: 'x',
  })),
  'limit-cleared': [{ kind: 'limit-cleared', limit: 'memory.max_rss' }],
  'limits-changed': [{ kind: 'limits-changed' }],
  'spec-changed': [
    { kind: 'spec-changed', restart: true, probes: true },
    { kind: 'spec-changed', restart: false, probes: true },
    { kind: 'spec-changed', restart: false, probes: false },
  ],
  'limits-set': [{ kind: 'limits-set', limits: [] }],
  appeared: [{ kind: 'appeared', process: LEADER, age: 100 }],
  'control-failed': [
    { kind: 'control-failed', action: 'stop', reason: 'x' },
    { kind: 'control-failed', action: 'restart', reason: 'x' },
  ],
  recalled: PHASES.flatMap((phase) => [
    { kind: 'recalled', memo: memo({ phase }), desired: 'up' },
    { kind: 'recalled', memo: memo({ phase }), desired: 'down' },
  ]),
};

const anyTold: readonly Told[] = Object.values(TOLD).flat();

const COMMANDS: ReadonlySet<string> = new Set(['start', 'stop', 'restart', 'reset', 'kill']);

/** Which facts can follow in a phase, if host and hooks keep their word. */
const CAN_ARRIVE: { readonly [N in PhaseName]: readonly MessageKind[] } = {
  stopped: [],
  failed: [],
  blocked: [],
  backoff: ['timer'],
  starting: ['spawned', 'spawn-failed'],
  running: [
    'exited',
    'timer',
    'became-ready',
    'became-unready',
    'became-unhealthy',
    'limit-exceeded',
    'limit-cleared',
    'limits-set',
  ],
  stopping: [
    'exited',
    'tree-empty',
    'surveyed',
    'timer',
    'became-ready',
    'became-unhealthy',
    'limit-exceeded',
  ],
};

const ANNOUNCED: { readonly [N in PhaseName]: EventType } = {
  stopped: 'worker.stopped',
  failed: 'worker.failed',
  blocked: 'worker.blocked',
  backoff: 'worker.backing-off',
  starting: 'worker.starting',
  running: 'worker.started',
  stopping: 'worker.stopping',
};

function isCompleted(phase: Phase): boolean {
  return phase.name === 'stopped' && phase.completed;
}

const specs: fc.Arbitrary<SpecDiffers> = fc.record({
  limits: fc.constantFrom(null, limitsSpec({ 'memory.max_rss': 100 }, 'throttle', 'restart_adjusted')),
  onDaemonize: fc.constantFrom('kill' as const, 'adopt' as const),
  restart: fc.record({
    mode: fc.constantFrom(
      'never' as const,
      'on-failure' as const,
      'always' as const,
      'unless-stopped' as const,
    ),
    exit: fc.constantFrom(RULE, { ...RULE, delay: 0 }, { ...RULE, maxRetries: 1, giveUp: true }),
  }),
});

/** Lets a worker hear messages, those that cannot arrive left out, and looks at it after each. */
function hear(differs: SpecDiffers, told: readonly Told[], look: (rig: Rig, message: Told) => void): void {
  const rig = new Rig(differs);
  let ticket = 0;
  for (const message of told) {
    const { name } = rig;
    const isCommand = COMMANDS.has(message.kind);
    if (
      !isCommand &&
      message.kind !== 'dependencies' &&
      message.kind !== 'limits-changed' &&
      message.kind !== 'spec-changed' &&
      !CAN_ARRIVE[name as PhaseName].includes(message.kind)
    )
      continue;
    ticket += 1;
    rig.pass(100).tell(isCommand ? ({ ...message, ticket } as Told) : message);
    look(rig, message);
  }
}

const histories = fc.array(fc.constantFrom(...anyTold), { maxLength: 80 });

describe('the table', () => {
  test('has a cell for every message in every phase', () => {
    for (const row of Object.values(TABLE)) expect(Object.keys(row).sort()).toEqual(Object.keys(TOLD).sort());
  });

  test('no message in any order makes it throw, and what cannot arrive changes nothing', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        const rig = new Rig(differs);
        for (const message of told) {
          const { worker } = rig;
          rig.tell(message);
          if (rig.said.includes('supervisor.defect')) expect(rig.worker).toBe(worker);
        }
      }),
    );
  });

  test('while host and hooks keep their word there is no defect', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        hear(differs, told, (rig) => expect(rig.said).not.toContain('supervisor.defect'));
      }),
    );
  });

  test('every new phase is published', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        let before: Phase = new Rig().phase;
        hear(differs, told, ({ phase, said }) => {
          const same = phase.name === before.name && isCompleted(phase) === isCompleted(before);
          if (!same) expect(said).toContain(ANNOUNCED[phase.name]);
          before = phase;
        });
      }),
    );
  });

  test('every ticket is settled once, and none is held at rest', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        const settled = new Set<string>();
        hear(differs, told, (rig) => {
          for (const effect of rig.effects) {
            if (effect.kind !== 'settle') continue;
            expect(settled).not.toContain(String(effect.ticket));
            settled.add(String(effect.ticket));
          }
          if (rig.name === 'stopped' || rig.name === 'failed') expect(rig.worker.tickets).toEqual([]);
        });
      }),
    );
  });

  test('a run is spawned only on the way into starting, with the next number', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        let run = 0;
        hear(differs, told, (rig) => {
          const spawns = rig.effects.filter((effect) => effect.kind === 'spawn');
          expect(rig.said.filter((type) => type === 'worker.starting')).toHaveLength(spawns.length);
          expect(spawns.length).toBeLessThanOrEqual(1);
          run += spawns.length;
          expect(rig.worker.run).toBe(run);
          if (spawns.length > 0) expect([rig.name, rig.worker.desired]).toEqual(['starting', 'up']);
        });
      }),
    );
  });

  test('a worker that nobody wants up does not start by itself', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        hear(differs, told, ({ worker, said }) => {
          if (worker.desired === 'up') return;
          expect(['stopped', 'starting', 'running', 'stopping']).toContain(worker.phase.name);
          expect(said).not.toContain('worker.starting');
        });
      }),
    );
  });

  test('a tree is held back only while it runs, and never for nothing', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        let held = false;
        hear(differs, told, ({ phase, effects, said }) => {
          for (const effect of effects) {
            if (effect.kind !== 'throttle') continue;
            expect(effect.percent !== null).toBe(!held);
            held = effect.percent !== null;
            expect(said).toContain(held ? 'worker.throttled' : 'worker.unthrottled');
          }
          expect(held).toBe(phase.name === 'running' && phase.throttled.length > 0);
        });
      }),
    );
  });

  test('timers and hooks are let go with what they belong to', () => {
    fc.assert(
      fc.property(specs, histories, (differs, told) => {
        const timers = new Set<string>();
        let hooks = 0;
        hear(differs, told, (rig, message) => {
          if (message.kind === 'timer') timers.delete(message.timer);
          for (const effect of rig.effects) {
            if (effect.kind === 'set-timer') timers.add(effect.timer);
            if (effect.kind === 'clear-timer') timers.delete(effect.timer);
            if (effect.kind === 'begin-hooks') hooks += 1;
            if (effect.kind === 'end-hooks') hooks -= 1;
          }
          expect(hooks).toBe(rig.name === 'running' ? 1 : 0);
          if (rig.name !== 'backoff') expect(timers).not.toContain('backoff');
          if (rig.name !== 'stopping') expect(timers).not.toContain('grace');
          if (rig.name !== 'running') expect(timers).not.toContain('reset');
        });
      }),
    );
  });
});

/** Compiles only while the list above names every kind of message. */
export type AllTold = Message['kind'] extends keyof typeof TOLD ? true : never;
