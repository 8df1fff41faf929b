import type { Plan } from '@hsu-master/api/client';
import { painted } from './colour.ts';

type Change = Plan['workers'][number];
type Part = Change['parts'][number];

const SIGNS = {
  added: ['+', 'green'],
  removed: ['-', 'red'],
  changed: ['~', 'yellow'],
  follows: ['~', 'yellow'],
} as const;

const DOES: Readonly<Record<Change['kind'], Readonly<Record<Change['action'], string>>>> = {
  added: { start: 'added, and started', stop: '', restart: '', keep: 'added; it is not enabled' },
  removed: { start: '', stop: 'removed, and stopped', restart: '', keep: 'removed' },
  changed: {
    start: 'changed, and started',
    stop: 'changed, and stopped',
    restart: 'changed: it restarts',
    keep: 'changed: it runs on',
  },
  follows: { start: '', stop: '', restart: 'restarts with what it depends on', keep: '' },
};

const EFFECT: Readonly<Record<Part['effective'], string>> = {
  live: 'at once',
  'next-run': 'with its next run',
  restart: 'by a restart',
};

/** Longer values say that they are others, not how. */
const LONGEST = 60;

/** A plan as people read it, a line for each worker and each part of it that is another. */
export function planLines({ workers, unchanged, settings }: Plan, colour: boolean): readonly string[] {
  const width = Math.max(0, ...workers.map(({ id }) => id.length));
  const lines = workers.flatMap((change) => {
    const [sign, style] = SIGNS[change.kind];
    const line = `${sign} ${change.id.padEnd(width)}  ${DOES[change.kind][change.action]}`;
    return [colour ? painted(style, line) : line, ...change.parts.map(partLine)];
  });
  for (const { path, effective } of settings)
    lines.push(
      `~ ${path}: ${effective === 'live' ? 'changed, at once' : 'changed; it counts with the next start of the master'}`,
    );
  if (lines.length === 0) return ['nothing changes'];
  return unchanged.length === 0 ? lines : [...lines, `${unchanged.length} unchanged`];
}

function partLine({ path, before, after, effective }: Part): string {
  const what = isShort(before) && isShort(after) ? `${before ?? 'none'} → ${after ?? 'none'}` : 'changed';
  return `    ${path}: ${what} (${EFFECT[effective]})`;
}

function isShort(value: string | null): boolean {
  return value === null || value.length <= LONGEST;
}
