import type { PlainOrder, Ticket } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { printData, say } from '../output/print.ts';
import { awaitEach, deadlineOf, leftOf } from './patience.ts';

export interface OrderOptions {
  readonly all?: boolean;
  /** A duration; empty: as long as usual. */
  readonly wait?: string;
  readonly noWait?: boolean;
}

/** Without `--wait` an order is followed so long, because most are carried out by then. */
const USUAL = '10s';
const WAITED = '30s';

const DONE: Readonly<Record<PlainOrder, readonly [string, string]>> = {
  start: ['started', 'already running'],
  stop: ['stopped', 'already stopped'],
  restart: ['restarted', 'restarted'],
  reset: ['reset', 'nothing to reset'],
  kill: ['killed', 'already stopped'],
};

const WAITING: Readonly<Record<PlainOrder, string>> = {
  start: 'starting',
  stop: 'stopping',
  restart: 'restarting',
  reset: 'resetting',
  kill: 'killing',
};

/** What became of an order, and of what was waited for. */
interface Result {
  readonly ticket: Ticket;
  readonly text: string;
  readonly code: number;
}

/** `start stop restart reset kill`: gives an order to workers and tells what became of it. */
export async function order(
  asking: Asking,
  kind: PlainOrder,
  patterns: readonly string[],
  { all, wait, noWait = false }: OrderOptions,
): Promise<number> {
  const { client, to, format, namespace } = asking;
  if (patterns.length === 0 && namespace === undefined && all !== true) {
    const message = `${kind} needs the workers that are meant`;
    throw new CliError(
      'E_USAGE',
      message,
      `Name them or a glob, as in: hsu-master ${kind} 'api-*'; or say --all.`,
    );
  }
  const { workers } = await client.workers({ select: patterns, namespace });
  const tickets = await Promise.all(workers.map(({ id }) => client.order(id, kind)));
  const span = wait === undefined ? USUAL : wait === '' ? WAITED : wait;
  const deadline = deadlineOf(span, to.now());
  const isStrict = wait !== undefined;
  const results = noWait
    ? tickets.map((ticket) => told(kind, ticket))
    : await awaitEach(asking, WAITING[kind], { patterns, workers }, (_id, index) =>
        follow(asking, kind, tickets[index] as Ticket, deadline, isStrict),
      );
  const settled = results.map(({ ticket }) => ticket);
  if (!(await printData(to.out, format, { tickets: settled }, settled))) {
    for (const { ticket, text, code } of results) {
      const line = format === 'name' ? ticket.worker : `${ticket.worker}: ${text}`;
      await say(code === 0 ? to.out : to.err, line);
    }
  }
  return Math.max(...results.map(({ code }) => code), 0);
}

async function follow(
  { client, to }: Asking,
  kind: PlainOrder,
  given: Ticket,
  deadline: number,
  strictly: boolean,
): Promise<Result> {
  const ticket =
    given.state === 'pending' ? await client.ticket(given.id, leftOf(deadline, to.now())) : given;
  const result = told(kind, ticket);
  if (!strictly || result.code !== 0) return result;
  const late = {
    ticket,
    text: `not ${kind === 'stop' || kind === 'kill' ? 'stopped' : 'ready'} in time; hsu-master why ${ticket.worker}`,
    code: exitCodeOf('E_TIMEOUT'),
  };
  if (ticket.state === 'pending') return late;
  if (kind === 'stop' || kind === 'kill') return result;
  const waited = await client.wait(ticket.worker, 'ready', leftOf(deadline, to.now()));
  if (waited.met) return { ...result, text: `${result.text}, ready` };
  return waited.never && !waited.worker.completed
    ? { ticket, text: `${waited.worker.doing}; hsu-master why ${ticket.worker}`, code: 1 }
    : waited.worker.completed
      ? { ...result, text: 'completed' }
      : late;
}

function told(kind: PlainOrder, ticket: Ticket): Result {
  const [done, already] = DONE[kind];
  switch (ticket.state) {
    case 'done':
      return { ticket, text: ticket.already ? already : done, code: 0 };
    case 'pending':
      return { ticket, text: `${kind} is under way`, code: 0 };
    case 'superseded':
      return { ticket, text: `${kind} was overruled by a later order`, code: exitCodeOf('E_SUPERSEDED') };
    case 'failed': {
      const message = ticket.failure?.message.replace(`worker "${ticket.worker}": `, '') ?? 'it failed';
      return { ticket, text: `${message}; hsu-master why ${ticket.worker}`, code: 1 };
    }
  }
}
