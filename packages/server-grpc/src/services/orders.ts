import {
  findWorker,
  type Order,
  type Ordered,
  type SignalName,
  type WorkerId,
  type WorkerView,
  within,
} from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import type { Duration, OrderRequest, Ticket } from '../messages.ts';
import * as told from '../told.ts';

/** How long is waited for a signal to be sent. */
const SENT = { seconds: 1, nanos: 0 };

type Plain = Exclude<Order['kind'], 'signal'>;

const plain =
  (kind: Plain) =>
  ({ id, wait }: OrderRequest, call: Call): Promise<Ticket> => {
    const worker = call.control.worker(asked.id(id));
    const by = call.demand('workers:order', worker);
    return answer(call.control.order(worker.id, { kind }, by), wait, call);
  };

export const orderService: Handlers<'hsu.v1.OrderService'> = {
  Start: plain('start'),
  Stop: plain('stop'),
  Restart: plain('restart'),
  Reset: plain('reset'),
  Kill: plain('kill'),

  Signal({ id, signal, to }, call) {
    const worker = call.control.worker(asked.id(id));
    const by = call.demand('workers:signal', worker);
    const name = asked.signal(signal) as SignalName;
    const order = {
      kind: 'signal',
      signal: name,
      to: asked.word('to', to, ['main', 'tree'], 'main'),
    } as const;
    return answer(call.control.order(worker.id, order, by), SENT, call);
  },

  ListTickets(_question, call) {
    const mine = call.control
      .pending()
      .filter(({ workerId }) => call.may('workers:read', ownerOf(workerId, call)));
    return { tickets: mine.map(told.ticket) };
  },

  GetTicket({ id, wait }, call) {
    const ordered = call.control.ticket(asked.ticket(id));
    call.demand('workers:read', ownerOf(ordered.ticket.workerId, call));
    return answer(ordered, wait, call);
  },
};

/** The worker of a ticket, which may be gone by now. */
function ownerOf(id: WorkerId, { control }: Call): Pick<WorkerView, 'id' | 'namespace'> {
  return findWorker(control, id) ?? { id, namespace: null };
}

async function answer(ordered: Ordered, wait: Duration | null, call: Call): Promise<Ticket> {
  const span = asked.span('wait', wait, 0);
  const isOver = ordered.ticket.state !== 'pending' || span === 0;
  const settled = isOver ? null : await within(ordered.settled, call.atMost(span));
  return told.ticket(settled ?? ordered.ticket);
}
