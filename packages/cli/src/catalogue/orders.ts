import type { PlainOrder } from '@hsu-master/api/client';
import { ask } from '../asking.ts';
import { ANY_WORKERS, asks, type Command, type Option, WORKERS } from '../command.ts';
import type { OrderOptions } from '../commands/order.ts';

const HOW: readonly Option[] = [
  { name: 'all', means: 'all workers' },
  {
    name: 'wait',
    value: 'duration',
    optional: true,
    means: 'until they are ready, or stopped (30s); else exit 5',
  },
  { name: 'no-wait', means: 'only give the order' },
];

function order(name: PlainOrder, does: string, examples: readonly string[]): Command {
  return asks<OrderOptions>(
    { name, does, examples, arguments: [ANY_WORKERS], options: HOW },
    async (to, options, patterns) => {
      const { order: give } = await import('../commands/order.ts');
      return ask(to, options, (asking) => give(asking, name, patterns, options));
    },
  );
}

const NO_TERMINAL =
  "The command gets pipes, no terminal. A shell works line by line: hsu-master exec web -- sh. Where the program script is, it makes a terminal: hsu-master exec web -- script -qec 'top -n 1' /dev/null";
const HAS_INPUT = 'Leave it out: what is typed or piped goes to the command.';

/** Commands that change what runs. */
export const ORDERS: readonly Command[] = [
  order('start', 'start workers', ['start web', "start 'api-*' --wait=1m"]),
  order('stop', 'stop workers; they stay stopped until they are started again', [
    'stop web',
    'stop -n billing',
  ]),
  order('restart', 'stop workers and start them again', ['restart web --wait']),
  order('reset', 'forget failures, and try at once what waits for a backoff or an open breaker', [
    'reset mailer',
  ]),
  order('kill', 'stop workers without grace', ['kill web']),
  asks<{ tree?: boolean }>(
    {
      name: 'signal',
      does: 'send a signal to the main processes of workers',
      examples: ['signal HUP web'],
      arguments: [
        {
          name: 'signal',
          completes: ['HUP', 'INT', 'QUIT', 'TERM', 'KILL', 'USR1', 'USR2', 'STOP', 'CONT', 'WINCH'],
        },
        WORKERS,
      ],
      options: [{ name: 'tree', means: 'to every process of their trees' }],
    },
    async (to, options, [name = '', ...patterns]) => {
      const { signal } = await import('../commands/signal.ts');
      return ask(to, options, (asking) => signal(asking, name, patterns, options));
    },
  ),
  asks(
    {
      name: 'exec',
      does: 'run a command in the place of a worker: with its environment, directory and user, within its budgets. Its input and output are pipes, no terminal; its exit code is ours, 128+n after a signal. Not on Windows',
      examples: ['exec web -- env', "exec db -- sh -c 'date; id -u'"],
      arguments: [{ name: 'worker', completes: 'workers' }],
      rest: 'command',
      refuses: { t: NO_TERMINAL, tty: NO_TERMINAL, i: HAS_INPUT, interactive: HAS_INPUT },
    },
    async (to, options, [worker = ''], argv) => {
      const { exec } = await import('../commands/exec.ts');
      return ask(to, options, (asking) => exec(asking, worker, argv));
    },
  ),
  asks<{ yes?: boolean }>(
    {
      name: 'down',
      does: 'end all workers and the master; at a terminal it asks first where workers run',
      examples: ['down', 'down -f config.yaml --yes'],
      options: [{ name: 'yes', short: 'y', means: 'ask nothing' }],
    },
    async (to, options) => {
      const { down } = await import('../commands/down.ts');
      return ask(to, options, (asking) => down(asking, options));
    },
  ),
];
