import {
  decide,
  type Effect,
  type EventDraft,
  EventStream,
  type FactMessage,
  type Host,
  type HostRun,
  type HsuEvent,
  type Journal,
  type MemoPhase,
  type Message,
  noFailures,
  type WorkerId,
  type WorkerMemo,
} from '@hsu-master/core';
import { altered, type Property, type SimulatedParts, type Simulation } from '@hsu-master/testkit';
import { Supervisor } from '../src/supervisor.ts';

/** A supervisor that is broken in one place, and the property that must show it. */
export interface Fault {
  readonly name: string;
  readonly property: Property;
  readonly planted: Partial<Simulation>;
}

type Decide = typeof decide;

/** Messages arrive changed, or (null) not at all. */
function hears(change: (message: Message, phase: string) => Message | null): Partial<Simulation> {
  return {
    decide(worker, message, circumstances) {
      const heard = change(message, worker.phase.name);
      return heard === null ? { worker, effects: [], events: [] } : decide(worker, heard, circumstances);
    },
  };
}

/** Effects are performed as changed. */
function acts(change: (effect: Effect) => readonly Effect[]): Partial<Simulation> {
  return rules((...given) => {
    const decision = decide(...given);
    return { ...decision, effects: decision.effects.flatMap(change) };
  });
}

function rules(rule: Decide): Partial<Simulation> {
  return { decide: rule };
}

/** The supervisor’s surroundings are changed. */
function has(change: (parts: SimulatedParts) => Partial<SimulatedParts>): Partial<Simulation> {
  return { make: (parts) => new Supervisor({ ...parts, ...change(parts) }) };
}

/** A host of whose runs some part is changed. */
function hostWith(host: Host, change: (run: HostRun) => Partial<HostRun>): Host {
  return altered(host, {
    spawn: (request, report) => {
      const run = host.spawn(request, report);
      return altered(run, change(run));
    },
  });
}

/** What an earlier master remembered arrives changed. */
function recalls(change: (memo: WorkerMemo, now: number) => WorkerMemo): Partial<Simulation> {
  return {
    decide(worker, message, circumstances) {
      const heard =
        message.kind === 'recalled' ? { ...message, memo: change(message.memo, circumstances.now) } : message;
      return decide(worker, heard, circumstances);
    },
  };
}

function isAlive({ phase }: WorkerMemo): boolean {
  return phase.name === 'running' || phase.name === 'stopping' || phase.name === 'starting';
}

/** Loses one event in twenty on the way to its listeners. */
class ForgetfulStream extends EventStream {
  override subscribe(listener: (event: HsuEvent) => void): () => void {
    return super.subscribe((event) => {
      if (event.seq % 20 !== 0) listener(event);
    });
  }
}

function halved<E extends Effect & { kind: 'set-timer' }>(effect: E): E {
  return { ...effect, delay: effect.delay / 2 };
}

function startsTwice(event: EventDraft): EventDraft[] {
  return event.type === 'worker.started' ? [event, event] : [event];
}

function fault(property: Property, name: string, planted: Partial<Simulation>): Fault {
  return { property, name, planted };
}

function stoppingOf({ process, since }: MemoPhase & { readonly name: 'running' }): MemoPhase {
  const asked = {
    askedAt: since,
    cause: 'restart',
    detail: '',
    answer: null,
    step: 'asking',
    exit: null,
  } as const;
  return { name: 'stopping', process, since, ...asked };
}

/** At least one for each property. */
export const FAULTS: readonly Fault[] = [
  fault('changes-are-carried-out', 'a process does not hear that it is to give way', {
    ...hears((message) => (message.kind === 'spec-changed' && message.restart ? null : message)),
  }),
  fault('one-run-at-a-time', 'the next run does not wait for what its predecessor left', {
    ...hears((message) => (message.kind === 'exited' ? { ...message, remaining: [] } : message)),
  }),
  fault('counters-go-on', 'what an earlier master wrote down is not read', {
    ...has(({ journal }) => ({
      journal: altered(journal, { leftOvers: () => [], memos: () => new Map() }),
    })),
  }),
  fault('one-run-at-a-time', 'the next run is spawned before the earlier master’s is attached to', {
    ...acts((effect) =>
      effect.kind === 'attach' ? [{ kind: 'spawn', run: effect.run, limits: null }, effect] : [effect],
    ),
  }),
  fault('one-run-at-a-time', 'a run that an earlier master began is begun again', {
    ...recalls((memo) => (isAlive(memo) ? { ...memo, phase: { name: 'blocked' } } : memo)),
  }),
  fault('one-run-at-a-time', 'what is done is remembered one turn later', {
    ...has(({ journal }) => {
      const late = new Map<WorkerId, WorkerMemo | null>();
      const remember: Journal['remember'] = (id, memo) => {
        const before = late.get(id);
        late.set(id, memo);
        if (before !== undefined) journal.remember(id, before);
      };
      return { journal: altered(journal, { remember, leftOvers: () => [] }) };
    }),
  }),
  fault('counters-go-on', 'counters begin anew with a new master', {
    ...recalls((memo) => ({ ...memo, restarts: 0 })),
  }),
  fault('counters-go-on', 'a backoff begins anew with a new master', {
    ...recalls((memo, now) =>
      memo.phase.name === 'backoff' ? { ...memo, phase: { ...memo.phase, until: now + 2000 } } : memo,
    ),
  }),
  fault('restarts-are-bounded', 'a new master forgives all failures', {
    ...recalls((memo) => ({ ...memo, history: noFailures })),
  }),
  fault('restarts-are-bounded', 'an open breaker is forgotten with a reboot', {
    ...has(({ journal }) => ({ journal: altered(journal, { judgement: () => null }) })),
  }),
  fault('strangers-are-left-alone', 'whoever has the pid now is attached to', {
    ...has(({ host }) => ({
      host: altered(host, {
        attach: (request, report) =>
          host.attach({ ...request, process: host.identify(request.process.pid) ?? request.process }, report),
      }),
    })),
  }),
  fault('runs-outlive-their-master', 'every command looks like another one', {
    ...recalls((memo) => (memo.trace === null ? memo : { ...memo, trace: { ...memo.trace, command: '' } })),
  }),
  fault('runs-outlive-their-master', 'what runs is ended first, as by masters that could not attach', {
    ...recalls((memo) => (memo.phase.name === 'running' ? { ...memo, phase: stoppingOf(memo.phase) } : memo)),
  }),
  fault('rest-is-rest', 'what the operator stopped is wanted again by the next master', {
    ...has(({ journal }) => ({ journal: altered(journal, { desired: () => null }) })),
  }),
  fault('each-run-tells-its-story', 'that a run goes on is not told', {
    ...rules((...given) => {
      const decision = decide(...given);
      return { ...decision, events: decision.events.filter((event) => event.type !== 'worker.attached') };
    }),
  }),
  fault('nothing-outlives-the-stop', 'nobody is found after SIGKILL', {
    ...has(({ host }) => ({ host: hostWith(host, () => ({ members: () => [] })) })),
  }),
  fault('nothing-outlives-the-stop', 'the deadline kills nothing', {
    ...hears((message) => (message.kind === 'kill' && message.cause === 'shutdown' ? null : message)),
  }),
  fault('each-run-tells-its-story', 'exits are not published', {
    ...rules((...given) => {
      const decision = decide(...given);
      return { ...decision, events: decision.events.filter((event) => event.type !== 'worker.exited') };
    }),
  }),
  fault('each-run-tells-its-story', 'the start of a process is told twice', {
    ...rules((...given) => {
      const decision = decide(...given);
      return {
        ...decision,
        events: decision.events.flatMap(startsTwice),
      };
    }),
  }),
  fault('grace-is-kept', 'half the grace must do', {
    ...acts((effect) => [effect.kind === 'set-timer' && effect.timer === 'grace' ? halved(effect) : effect]),
  }),
  fault('grace-is-kept', 'a stop is a kill', {
    ...hears((message) => (message.kind === 'stop' ? { ...message, kind: 'kill' } : message)),
  }),
  fault('restarts-are-bounded', 'earlier restarts are forgotten', {
    ...rules((...given) => {
      const { worker, ...decision } = decide(...given);
      return { ...decision, worker: { ...worker, history: { ...worker.history, restarts: [] } } };
    }),
  }),
  fault('restarts-are-bounded', 'half the delay must do', {
    ...acts((effect) => [
      effect.kind === 'set-timer' && effect.timer === 'backoff' ? halved(effect) : effect,
    ]),
  }),
  fault('restarts-are-bounded', 'a trial is no trial', {
    ...rules((...given) => {
      const { worker, ...decision } = decide(...given);
      const { history } = worker;
      if (history.breaker.state !== 'half-open') return { ...decision, worker };
      return {
        ...decision,
        worker: { ...worker, history: { ...history, restarts: [], breaker: { state: 'closed' } } },
      };
    }),
  }),
  fault('rest-is-rest', 'a stop does not end a backoff', {
    ...hears((message, phase) => (message.kind === 'stop' && phase === 'backoff' ? null : message)),
  }),
  fault('rest-is-rest', 'the final stop lets what ends begin again', {
    ...rules((worker, message, circumstances) =>
      decide(worker, message, { ...circumstances, ending: false }),
    ),
  }),
  fault('tickets-settle', 'who was overruled is not told', {
    ...acts((effect) => (effect.kind === 'settle' && effect.outcome.kind === 'superseded' ? [] : [effect])),
  }),
  fault('tickets-settle', 'every answer is given twice', {
    ...acts((effect) => (effect.kind === 'settle' ? [effect, effect] : [effect])),
  }),
  fault('tickets-settle', 'a stop is done when it begins', {
    ...rules((worker, message, circumstances) => {
      const decision = decide(worker, message, circumstances);
      const tickets = decision.worker.tickets.filter((ticket) => ticket.until !== 'rest');
      const early: Effect[] = decision.worker.tickets
        .filter((ticket) => ticket.until === 'rest')
        .map(({ id }) => ({ kind: 'settle', ticket: id, outcome: { kind: 'done', already: false } }));
      return {
        ...decision,
        worker: { ...decision.worker, tickets },
        effects: [...decision.effects, ...early],
      };
    }),
  }),
  fault('events-are-numbered', 'an event is lost now and then', { events: () => new ForgetfulStream(100) }),
  fault('dependencies-are-kept', 'nobody waits', {
    ...hears((message) => (message.kind === 'dependencies' ? { ...message, waiting: [] } : message)),
  }),
  fault('dependencies-are-kept', 'the end of a dependency is not told', {
    ...hears((message) => (message.kind === 'dependencies' ? { ...message, lost: null } : message)),
  }),
  fault('the-picture-is-true', 'an exit goes unheard', {
    ...hears((message) => (message.kind === 'exited' || message.kind === 'tree-empty' ? null : message)),
  }),
  fault('the-picture-is-true', 'an empty tree is forgotten before it is empty', {
    ...rules((worker, message, circumstances) => {
      const decision = decide(worker, message, circumstances);
      if (message.kind !== 'stop' || decision.worker.phase.name !== 'stopping') return decision;
      return { ...decision, worker: { ...decision.worker, phase: { name: 'stopped', completed: false } } };
    }),
  }),
  fault('each-run-tells-its-story', 'a tree that is held back is told to be so twice', {
    ...rules((...given) => {
      const decision = decide(...given);
      const twice = (event: EventDraft): EventDraft[] =>
        event.type === 'worker.throttled' ? [event, event] : [event];
      return { ...decision, events: decision.events.flatMap(twice) };
    }),
  }),
  fault('rest-is-rest', 'the answer to an excess goes before an order to stop', {
    ...rules((worker, message, circumstances) => {
      const { phase } = worker;
      const isDeaf = message.kind === 'stop' && phase.name === 'stopping' && phase.cause === 'limit';
      return isDeaf ? { worker, effects: [], events: [] } : decide(worker, message, circumstances);
    }),
  }),
  fault('restarts-are-bounded', 'restarts for limits do not count', {
    ...rules((before, message, circumstances) => {
      const { worker, ...decision } = decide(before, message, circumstances);
      const isFree = before.phase.name === 'stopping' && before.phase.cause === 'limit';
      const { restarts } = before.history;
      return {
        ...decision,
        worker: isFree ? { ...worker, history: { ...worker.history, restarts } } : worker,
      };
    }),
  }),
  fault('held-back-only-while-running', 'what is held back stays so', {
    ...acts((effect) => (effect.kind === 'throttle' && effect.percent === null ? [] : [effect])),
  }),
  fault('held-back-only-while-running', 'a tree that is being ended can be held back', {
    ...rules((worker, message, circumstances) => {
      const decision = decide(worker, message, circumstances);
      if (message.kind !== 'limit-exceeded' || worker.phase.name !== 'stopping') return decision;
      const late: Effect = { kind: 'throttle', run: worker.run, percent: 10 };
      return { ...decision, effects: [...decision.effects, late] };
    }),
  }),
  fault('held-back-only-while-running', 'what an earlier master held back is not let go', {
    ...has(({ host }) => ({
      host: altered(host, {
        attach: (...asked) => altered(host.attach(...asked), { throttle: () => {} }),
      }),
    })),
  }),
  fault('limit-answers-are-kept', 'a shutdown for a limit is a restart', {
    ...hears((message) => {
      const isFinal = message.kind === 'limit-exceeded' && message.policy === 'graceful_shutdown';
      return isFinal ? { ...message, policy: 'restart' } : message;
    }),
  }),
  fault('limit-answers-are-kept', 'a kill by the kernel is an exit like any other', {
    ...rules((worker, message, circumstances) => {
      if (message.kind !== 'exited') return decide(worker, message, circumstances);
      const { exit } = message;
      const heard = { ...message, exit: { ...exit, oomKilled: null } };
      const decision = decide(worker, heard, circumstances);
      const told = (event: EventDraft): EventDraft =>
        event.type === 'worker.exited' ? { ...event, payload: { ...event.payload, exit } } : event;
      return { ...decision, events: decision.events.map(told) };
    }),
  }),
  fault('limit-answers-are-kept', 'limits are raised past their cap', {
    ...rules((...given) => {
      const { worker, ...decision } = decide(...given);
      const raised = worker.limitFactors['memory.max_rss'];
      const limitFactors = raised === undefined ? {} : { 'memory.max_rss': raised * 4 };
      return { ...decision, worker: { ...worker, limitFactors } };
    }),
  }),
  fault('limit-answers-are-kept', 'a run begins without its limits', {
    ...acts((effect) => [effect.kind === 'spawn' ? { ...effect, limits: null } : effect]),
  }),
  fault('no-defect', 'a host reports each start twice', {
    ...has(({ host }) => ({
      host: altered(host, {
        spawn: (request, report) =>
          host.spawn(request, (said) => {
            report(said);
            if (said.kind === 'spawned') report(said);
          }),
      }),
    })),
  }),
  fault('late-facts-change-nothing', 'facts of earlier runs are believed', {
    ...rules((worker, message, circumstances) => {
      const fact = 'run' in message ? ({ ...message, run: worker.run } satisfies FactMessage) : message;
      return decide(worker, fact, circumstances);
    }),
  }),
];
