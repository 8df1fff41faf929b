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
  type Message,
} from '@hsu-master/core';
import type { Property, SimulatedParts, Simulation } from '@hsu-master/testkit';
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

function hostWith(host: Host, change: (run: HostRun) => Partial<HostRun>): Host {
  return {
    name: host.name,
    capabilities: () => host.capabilities(),
    exec: (request) => host.exec(request),
    attach: (request, report) => host.attach(request, report),
    reservePort: (port) => host.reservePort(port),
    isAlive: (process) => host.isAlive(process),
    identify: (pid) => host.identify(pid),
    explainLimits: (...asked) => host.explainLimits(...asked),
    sample: (runs, detail) => host.sample(runs, detail),
    close: () => host.close(),
    spawn: (request, report) => whole(host.spawn(request, report), change),
  };
}

function whole(run: HostRun, change: (run: HostRun) => Partial<HostRun>): HostRun {
  return {
    signalTree: (signal) => run.signalTree(signal),
    members: () => run.members(),
    follow: (process) => run.follow(process),
    detachOutput: () => run.detachOutput(),
    limitReports: () => run.limitReports(),
    setLimits: (limits) => run.setLimits(limits),
    freeze: (frozen) => run.freeze(frozen),
    throttle: (percent) => run.throttle(percent),
    ...change(run),
  };
}

function journalWith(journal: Journal, differs: Partial<Journal>): Journal {
  return {
    leftOvers: () => journal.leftOvers(),
    recall: (id) => journal.recall(id),
    judgement: (id) => journal.judgement(id),
    refusals: () => journal.refusals(),
    recordRun: (record) => journal.recordRun(record),
    forgetRun: (...run) => journal.forgetRun(...run),
    remember: (...memo) => journal.remember(...memo),
    recordJudgement: (...judged) => journal.recordJudgement(...judged),
    recordDesired: (...wish) => journal.recordDesired(...wish),
    desired: (id) => journal.desired(id),
    ...differs,
  };
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

/** At least one for each property. */
export const FAULTS: readonly Fault[] = [
  fault('one-run-at-a-time', 'the next run does not wait for what its predecessor left', {
    ...hears((message) => (message.kind === 'exited' ? { ...message, remaining: [] } : message)),
  }),
  fault('one-run-at-a-time', 'what an earlier master left is not looked for', {
    ...has(({ journal }) => ({
      journal: journalWith(journal, { leftOvers: () => [], recall: () => null }),
    })),
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
      host: {
        ...hostWith(host, () => ({})),
        attach: (...asked) => whole(host.attach(...asked), () => ({ throttle: () => {} })),
      },
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
      host: {
        ...hostWith(host, () => ({})),
        spawn: (request, report) =>
          host.spawn(request, (said) => {
            report(said);
            if (said.kind === 'spawned') report(said);
          }),
      },
    })),
  }),
  fault('late-facts-change-nothing', 'facts of earlier runs are believed', {
    ...rules((worker, message, circumstances) => {
      const fact = 'run' in message ? ({ ...message, run: worker.run } satisfies FactMessage) : message;
      return decide(worker, fact, circumstances);
    }),
  }),
];
