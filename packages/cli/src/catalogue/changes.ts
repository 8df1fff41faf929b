import { ask } from '../asking.ts';
import { asks, type Command, type Option, WORKERS } from '../command.ts';
import type { ChangeOptions } from '../commands/change.ts';

const CONFIG = { name: 'config', optional: true, completes: 'files' } as const;
const WAIT: readonly Option[] = [
  {
    name: 'wait',
    value: 'duration',
    optional: true,
    means: 'until what is new or other is ready (30s); else exit 5',
  },
  { name: 'no-wait', means: 'only have it accepted' },
];
const REVISION: Option = {
  name: 'revision',
  value: 'number',
  means: 'only if that revision holds, as diff names it; else exit 7',
};

/** Commands that change which workers there are. */
export const CHANGES: readonly Command[] = [
  asks<object>(
    {
      name: 'diff',
      does: 'what reloading the configuration file, or applying another one, would change; exit 1 where that is something',
      examples: ['diff', 'diff next.yaml', 'diff -o json'],
      arguments: [CONFIG],
    },
    async (to, options, [given]) => {
      const { askAbout, diff } = await import('../commands/change.ts');
      return askAbout(to, options, given, (asking, file) => diff(asking, file));
    },
  ),
  asks<ChangeOptions>(
    {
      name: 'apply',
      does: 'make the workers of a file the only ones, beside those that were added one by one; what is described as before is not touched',
      examples: ['apply config.yaml', 'apply config.yaml --wait=1m', 'apply config.yaml --dry-run'],
      arguments: [CONFIG],
      options: [...WAIT, REVISION, { name: 'dry-run', means: 'only say what would change, as diff does' }],
    },
    async (to, options, [given]) => {
      const { apply, askAbout } = await import('../commands/change.ts');
      return askAbout(to, options, given, (asking, file) => apply(asking, file, options));
    },
  ),
  asks<ChangeOptions>(
    {
      name: 'reload',
      does: 'have the master read its configuration file anew; where it is not valid the former holds on, exit 2',
      examples: ['reload', 'reload --wait'],
      options: WAIT,
    },
    async (to, options) => {
      const { reload } = await import('../commands/change.ts');
      return ask(to, options, (asking) => reload(asking, options));
    },
  ),
  asks<ChangeOptions>(
    {
      name: 'delete',
      does: 'stop workers and forget them; those of the configuration file come back with the next reload or apply',
      examples: ['delete mailer', "delete 'tmp-*' --no-wait"],
      arguments: [WORKERS],
      options: [{ name: 'no-wait', means: 'only have it accepted' }],
    },
    async (to, options, patterns) => {
      const { remove } = await import('../commands/change.ts');
      return ask(to, options, (asking) => remove(asking, patterns, options));
    },
  ),
];
