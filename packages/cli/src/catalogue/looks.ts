import { ask } from '../asking.ts';
import { ANY_WORKERS, asks, type Command, type Option, WORKERS } from '../command.ts';
import type { AuditOptions } from '../commands/audit.ts';
import type { EventOptions } from '../commands/events.ts';
import { LEVELS } from '../commands/levels.ts';
import type { LogOptions } from '../commands/logs.ts';

interface Watched {
  readonly watch?: boolean;
}
const WATCH: Option = { name: 'watch', short: 'w', means: 'again and again, until Ctrl-C' };

/** Commands that look and change nothing. What each does is loaded when it is called. */
export const LOOKS: readonly Command[] = [
  asks<Watched>(
    {
      name: 'ls',
      aliases: ['list'],
      does: 'list workers as they are now',
      examples: ['ls', "ls 'api-*' -o wide", "ls 'billing/*'", 'ls --watch'],
      arguments: [ANY_WORKERS],
      options: [
        { ...WATCH, means: `${WATCH.means}; off a terminal, each worker that is otherwise than before` },
      ],
    },
    async (to, options, patterns) => {
      const { list } = await import('../commands/list.ts');
      return ask(to, options, (asking) => list(asking, patterns, options));
    },
  ),
  asks(
    {
      name: 'ps',
      does: 'list the processes of workers, each below the one that it descends from',
      examples: ['ps', 'ps web -o wide'],
      arguments: [ANY_WORKERS],
    },
    async (to, options, patterns) => {
      const { ps } = await import('../commands/ps.ts');
      return ask(to, options, (asking) => ps(asking, patterns));
    },
  ),
  asks<Watched>(
    {
      name: 'status',
      does: 'the master at a glance, or workers with their last lines',
      examples: ['status', 'status web'],
      arguments: [ANY_WORKERS],
      options: [WATCH],
    },
    async (to, options, patterns) => {
      const { status } = await import('../commands/status.ts');
      return ask(to, options, (asking) => status(asking, patterns, options));
    },
  ),
  asks<{ reveal?: boolean }>(
    {
      name: 'describe',
      does: 'everything about workers',
      examples: ['describe web', 'describe web --reveal'],
      arguments: [WORKERS],
      options: [{ name: 'reveal', means: 'with secrets; asks for a right of its own, and is audited' }],
    },
    async (to, options, patterns) => {
      const { describe } = await import('../commands/describe.ts');
      const { reveal = false } = options;
      return ask(to, options, (asking) => describe(asking, patterns, { lines: 0, reveal }));
    },
  ),
  asks(
    {
      name: 'why',
      does: 'why workers are as they are, and what to do about it',
      examples: ['why mailer'],
      arguments: [WORKERS],
    },
    async (to, options, patterns) => {
      const { why } = await import('../commands/why.ts');
      return ask(to, options, (asking) => why(asking, patterns));
    },
  ),
  asks<LogOptions>(
    {
      name: 'logs',
      aliases: ['log'],
      does: 'what workers wrote',
      examples: ['logs web -f', 'logs --grep timeout --since 10m'],
      arguments: [ANY_WORKERS],
      follows: true,
      options: [
        { name: 'lines', value: 'count', means: 'how many of the last lines' },
        {
          name: 'stream',
          value: 'name',
          means: 'stdout or stderr',
          completes: ['stdout', 'stderr'],
        },
        { name: 'grep', value: 'text', means: 'only lines with this text' },
        { name: 'pattern', value: 'pattern', means: 'only lines that fit this pattern' },
        { name: 'ignore-case', short: 'i', means: 'for --grep' },
        {
          name: 'level',
          value: 'level',
          means: 'only lines of this level and above',
          completes: LEVELS,
        },
        { name: 'since', value: 'time', means: 'from then on: 10m (ago), or a time as ISO 8601' },
        { name: 'until', value: 'time', means: 'before then' },
        { name: 'time', means: 'tell when each line was written' },
      ],
    },
    async (to, options, patterns) => {
      const { logs } = await import('../commands/logs.ts');
      return ask(to, options, (asking) => logs(asking, patterns, options));
    },
  ),
  asks<AuditOptions>(
    {
      name: 'audit',
      does: 'who did what, and who was refused',
      examples: ['audit', 'audit --action login'],
      options: [
        { name: 'limit', value: 'count', means: 'how many of the newest entries', usual: '100' },
        { name: 'action', value: 'name', means: 'only these: worker.stop, login, token.create' },
        { name: 'by', value: 'name', means: 'only what this user or token did' },
      ],
    },
    async (to, options) => {
      const { audit } = await import('../commands/audit.ts');
      return ask(to, options, (asking) => audit(asking, options));
    },
  ),
  asks<EventOptions>(
    {
      name: 'events',
      aliases: ['event'],
      does: 'what happened, as far as the master remembers',
      examples: ['events -f', 'events web --type worker.exited'],
      arguments: [ANY_WORKERS],
      follows: true,
      options: [
        {
          name: 'type',
          value: 'type',
          many: true,
          means: 'only events of this type, see docs/events.md; several times for more',
        },
        { name: 'since', value: 'seq', means: 'after the event of this number' },
      ],
    },
    async (to, options, patterns) => {
      const { events } = await import('../commands/events.ts');
      return ask(to, options, (asking) => events(asking, patterns, options));
    },
  ),
  asks<{ as?: string }>(
    {
      name: 'graph',
      does: 'what depends on what: a tree, or -o dot, mermaid, json',
      examples: ['graph', 'graph web -o mermaid'],
      arguments: [ANY_WORKERS],
    },
    async (to, options, patterns) => {
      const { graph } = await import('../commands/graph.ts');
      const { output, ...others } = options;
      const drawn = output === 'dot' || output === 'mermaid' ? output : null;
      return ask(to, drawn === null ? options : others, (asking) => graph(asking, patterns, drawn));
    },
  ),
  asks<{ for?: string; timeout?: string }>(
    {
      name: 'wait',
      does: 'wait until workers are as they are wanted',
      examples: ['wait db --for ready --timeout 1m'],
      arguments: [WORKERS],
      options: [
        {
          name: 'for',
          value: 'condition',
          means: 'running, ready, stopped or completed',
          usual: 'ready',
          completes: ['running', 'ready', 'stopped', 'completed'],
        },
        { name: 'timeout', value: 'duration', means: 'at most so long', usual: '30s' },
      ],
    },
    async (to, options, patterns) => {
      const { wait } = await import('../commands/wait.ts');
      const { for: wanted = 'ready', timeout = '30s' } = options;
      return ask(to, options, (asking) => wait(asking, patterns, { for: wanted, timeout }));
    },
  ),
  asks<{ sort?: string }>(
    {
      name: 'top',
      does: 'workers and what they use, as it changes. Keys: c m n r sort, q ends',
      examples: ['top', 'top --sort memory'],
      arguments: [ANY_WORKERS],
      options: [
        {
          name: 'sort',
          value: 'column',
          means: 'cpu, memory, name or restarts',
          usual: 'cpu',
          completes: ['cpu', 'memory', 'name', 'restarts'],
        },
      ],
    },
    async (to, options, patterns) => {
      const { top } = await import('../commands/top.ts');
      return ask(to, options, (asking) => top(asking, patterns, options.sort ?? 'cpu'));
    },
  ),
  asks(
    {
      name: 'version',
      does: 'print the version of this command and of the master',
      examples: ['version', 'version -o json'],
    },
    async (to, options) => (await import('../commands/version.ts')).version(to, options),
  ),
];
