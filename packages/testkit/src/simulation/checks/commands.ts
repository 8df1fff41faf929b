import type { Message, Worker, WorkerId } from '@hsu-master/core';
import type { Check, World } from '../check.ts';

/** Commands and facts: orders are obeyed, rest is rest, late facts are dropped, each ticket settles once with the truth. */
export function checkCommands(world: World): Check {
  const { system } = world;
  let wanted = new Map<WorkerId, boolean>();
  let resting = new Map<WorkerId, boolean>();
  let tickets = new Map<number, { readonly kind: Message['kind']; settled: boolean }>();
  let stopping = false;
  const settle = (worker: Worker, ticket: number, done: boolean): void => {
    const known = tickets.get(ticket);
    if (known === undefined || known.settled) {
      world.violate(
        'tickets-settle',
        `${worker.id}: ticket ${ticket} settled ${known ? 'twice' : 'unasked'}`,
      );
      return;
    }
    known.settled = true;
    if (!done) return;
    const { phase } = worker;
    if (known.kind === 'stop' || known.kind === 'kill') {
      const own = `${world.masterId()}.`;
      const living = system.living(worker.id).find((process) => process.tree.mark.startsWith(own));
      if (living !== undefined) {
        world.violate(
          'tickets-settle',
          `${worker.id}: ${known.kind} is done, and pid ${living.pid} is alive`,
        );
      }
    } else if (known.kind === 'start' || known.kind === 'restart') {
      if (phase.name === 'running' || (phase.name === 'stopped' && phase.completed)) return;
      world.violate('tickets-settle', `${worker.id}: ${known.kind} is done, and it is ${phase.name}`);
    }
  };
  return {
    master() {
      wanted = new Map();
      resting = new Map();
      tickets = new Map();
      stopping = false;
    },
    order({ kind, id }) {
      if (kind === 'shutdown') stopping = true;
      if (kind === 'start-all') for (const each of world.specs.keys()) wanted.set(each, true);
      if (id === null || stopping) return;
      if (kind === 'start' || kind === 'restart') wanted.set(id, true);
      if (kind === 'stop' || kind === 'kill') wanted.set(id, false);
    },
    event({ type, workerId, run }) {
      if (workerId === null) return;
      if (type === 'worker.stopped' || type === 'worker.failed') resting.set(workerId, true);
      if (type !== 'worker.starting') return;
      if (stopping) world.violate('rest-is-rest', `${workerId}: run ${run} began during the final stop`);
      if (wanted.get(workerId) === false)
        world.violate('rest-is-rest', `${workerId}: run ${run} began after a stop`);
      if (resting.get(workerId) === true)
        world.violate('rest-is-rest', `${workerId}: run ${run} began at rest`);
    },
    news(news) {
      const id = news.kind === 'born' && news.process.parent === null ? news.process.tree.workerId : null;
      if (id === null || resting.get(id) !== true) return;
      world.violate('rest-is-rest', `${id}: a process of it began while it rested`);
    },
    decided(before, message, { worker, effects, events }) {
      if (
        'run' in message &&
        message.run !== before.run &&
        (worker !== before || effects.length + events.length > 0)
      ) {
        world.violate(
          'late-facts-change-nothing',
          `${worker.id}: ${message.kind} of run ${message.run} in run ${before.run}`,
        );
      }
      if ('ticket' in message) {
        if (message.ticket !== null) tickets.set(message.ticket, { kind: message.kind, settled: false });
      }
      if (message.kind === 'start' || message.kind === 'restart' || message.kind === 'reset') {
        if (worker.phase.name !== 'stopped') resting.set(worker.id, false);
      }
      for (const effect of effects) {
        if (effect.kind === 'settle') settle(worker, effect.ticket, effect.outcome.kind === 'done');
      }
    },
    ended(survivors) {
      for (const [ticket, { kind, settled }] of tickets) {
        if (settled || survivors.size > 0) continue;
        world.violate('tickets-settle', `the rule never settled ticket ${ticket} (${kind})`);
      }
      for (const order of world.unanswered()) {
        world.violate('tickets-settle', `${order.kind} ${order.id ?? ''} was never answered`);
      }
    },
  };
}
