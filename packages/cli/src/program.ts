import { Command } from 'commander';
import { ask, type CommonOptions } from './asking.ts';
import type { EventOptions } from './commands/events.ts';
import type { LogOptions } from './commands/logs.ts';
import type { Surroundings } from './surroundings.ts';

/** Commands by the names that they answer to, for whoever has others as well. */
export const ASKING_COMMANDS = [
  'ls',
  'list',
  'ps',
  'status',
  'describe',
  'why',
  'logs',
  'events',
  'start',
  'stop',
  'restart',
  'reset',
  'kill',
  'signal',
  'wait',
  'top',
  'down',
  'version',
] as const;

const ORDERS = {
  start: ['start workers', ['start web', "start 'api-*' --wait=1m"]],
  stop: ['stop workers; they stay stopped until they are started again', ['stop web', 'stop -n billing']],
  restart: ['stop workers and start them again', ['restart web --wait']],
  reset: ['forget failures, and try at once what waits for a backoff or an open breaker', ['reset mailer']],
  kill: ['stop workers without grace', ['kill web']],
} as const;

/** The commands, each of which loads what it does only when it is called. `done` gets the exit code. */
export function program(to: Surroundings, done: (code: number) => void): Command {
  const root = new Command('hsu-master');
  root.exitOverride().configureOutput({
    writeOut: (text) => void to.out.write(text),
    writeErr: () => {},
    getOutHelpWidth: () => Math.min(to.out.columns(), 110),
  });
  const define: Define = (usage, does, examples, follows = false) => {
    const command = root.command(usage).description(does).exitOverride().allowExcessArguments(false);
    command.copyInheritedSettings(root);
    for (const [flags, text] of COMMON) command.option(flags, text);
    // What follows is told so by the letter that tells it everywhere.
    if (follows) command.option('-f, --follow', 'go on with what comes');
    command.option(
      follows ? '--file <config>' : '-f, --file <config>',
      'the master of this configuration file',
    );
    command.addHelpText('before', `Examples:\n${examples.map((line) => `  hsu-master ${line}\n`).join('')}`);
    return command;
  };
  lookCommands(to, define, done);
  orderCommands(to, define, done);
  define('version', 'print the version of this command and of the master', [
    'version',
    'version -o json',
  ]).action(async (options: CommonOptions) =>
    done(await (await import('./commands/version.ts')).version(to, options)),
  );
  return root;
}

const COMMON = [
  ['-n, --namespace <name>', 'only workers of this namespace; may be a glob'],
  ['-o, --output <format>', 'table, wide, json, yaml, jsonl or name'],
  ['-q, --quiet', 'names only'],
  ['--socket <path>', 'the master that listens there'],
  ['--state-dir <dir>', 'the master with this state directory'],
] as const;

type Define = (usage: string, does: string, examples: readonly string[], follows?: boolean) => Command;
type Done = (code: number) => void;
type Patterns = readonly string[];

function lookCommands(to: Surroundings, define: Define, done: Done): void {
  define('ls [workers...]', 'list workers as they are now', ['ls', "ls 'api-*' -o wide", 'ls billing/*'])
    .aliases(['list', 'ps'])
    .action(async (patterns: Patterns, options: CommonOptions) => {
      const { list } = await import('./commands/list.ts');
      done(await ask(to, options, (asking) => list(asking, patterns)));
    });
  define('status [workers...]', 'the master at a glance, or workers with their last lines', [
    'status',
    'status web',
  ]).action(async (patterns: Patterns, options: CommonOptions) => {
    const { status } = await import('./commands/status.ts');
    done(await ask(to, options, (asking) => status(asking, patterns)));
  });
  define('describe <workers...>', 'everything about workers', ['describe web']).action(
    async (patterns: Patterns, options: CommonOptions) => {
      const { describe } = await import('./commands/describe.ts');
      done(await ask(to, options, (asking) => describe(asking, patterns, { lines: 0 })));
    },
  );
  define('why <workers...>', 'why workers are as they are, and what to do about it', ['why mailer']).action(
    async (patterns: Patterns, options: CommonOptions) => {
      const { why } = await import('./commands/why.ts');
      done(await ask(to, options, (asking) => why(asking, patterns)));
    },
  );
  define('logs [workers...]', 'what workers wrote', ['logs web -f', 'logs --grep timeout --since 10m'], true)
    .option('--lines <count>', 'how many of the last lines')
    .option('--stream <name>', 'stdout or stderr')
    .option('--grep <text>', 'only lines with this text')
    .option('--pattern <pattern>', 'only lines that fit this pattern')
    .option('-i, --ignore-case', 'for --grep')
    .option('--level <level>', 'only lines of this level and above')
    .option('--since <time>', 'from then on: 10m (ago), or a time as ISO 8601')
    .option('--until <time>', 'before then')
    .option('--time', 'tell when each line was written')
    .action(async (patterns: Patterns, options: CommonOptions & LogOptions) => {
      const { logs } = await import('./commands/logs.ts');
      done(await ask(to, options, (asking) => logs(asking, patterns, options)));
    });
  define(
    'events [workers...]',
    'what happened, as far as the master remembers',
    ['events -f', 'events web'],
    true,
  )
    .option('--type <types...>', 'only events of these types')
    .option('--since <seq>', 'after the event of this number')
    .action(async (patterns: Patterns, options: CommonOptions & EventOptions) => {
      const { events } = await import('./commands/events.ts');
      done(await ask(to, options, (asking) => events(asking, patterns, options)));
    });
  define('wait <workers...>', 'wait until workers are as they are wanted', [
    'wait db --for ready --timeout 1m',
  ])
    .option('--for <condition>', 'running, ready, stopped or completed', 'ready')
    .option('--timeout <duration>', 'at most so long', '30s')
    .action(async (patterns: Patterns, options: CommonOptions & { for: string; timeout: string }) => {
      const { wait } = await import('./commands/wait.ts');
      done(await ask(to, options, (asking) => wait(asking, patterns, options)));
    });
  define('top [workers...]', 'workers and what they use, as it changes', ['top', 'top --sort memory'])
    .option('--sort <column>', 'cpu, memory, name or restarts', 'cpu')
    .action(async (patterns: Patterns, options: CommonOptions & { sort: string }) => {
      const { top } = await import('./commands/top.ts');
      done(await ask(to, options, (asking) => top(asking, patterns, options)));
    });
}

function orderCommands(to: Surroundings, define: Define, done: Done): void {
  for (const [kind, [does, examples]] of Object.entries(ORDERS) as [
    keyof typeof ORDERS,
    (typeof ORDERS)['start'],
  ][]) {
    define(`${kind} [workers...]`, does, examples)
      .option('--all', 'all workers')
      .option('--wait [duration]', 'until they are ready, or stopped (30s); else exit 5')
      .option('--no-wait', 'only give the order')
      .action(
        async (patterns: Patterns, options: CommonOptions & { all?: boolean; wait?: boolean | string }) => {
          const { order } = await import('./commands/order.ts');
          done(await ask(to, options, (asking) => order(asking, kind, patterns, options)));
        },
      );
  }
  define('signal <signal> [workers...]', 'send a signal to the main processes of workers', ['signal HUP web'])
    .option('--tree', 'to every process of their trees')
    .action(async (name: string, patterns: Patterns, options: CommonOptions & { tree?: boolean }) => {
      const { signal } = await import('./commands/signal.ts');
      done(await ask(to, options, (asking) => signal(asking, name, patterns, options)));
    });
  define('down', 'end all workers and the master', ['down', 'down -f config.yaml']).action(
    async (options: CommonOptions) => {
      const { down } = await import('./commands/down.ts');
      done(await ask(to, options, (asking) => down(asking)));
    },
  );
}
