import type { Explanation } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { clock } from '../output/spans.ts';
import { prepareWidths, width } from '../output/width.ts';
import { hanging, wrapped } from '../output/wrap.ts';

/** `why`: why workers are as they are, and what to do about it. */
export async function why(
  { client, to, format, namespace }: Asking,
  patterns: readonly string[],
): Promise<number> {
  const { workers } = await client.workers({ select: patterns, namespace });
  const told = await Promise.all(workers.map(({ id }) => client.why(id)));
  const [only] = told;
  if (
    await printData(to.out, format, told.length === 1 && only !== undefined ? only : { workers: told }, told)
  )
    return 0;
  await prepareWidths(told.map((one) => JSON.stringify(one)));
  await say(to.out, told.map((one) => text(one, to.out.columns())).join('\n\n'));
  return 0;
}

function text({ headline, history, cause, lastWords, next }: Explanation, columns: number): string {
  const times = history.map(({ at, text: what, count }) =>
    hanging(`  ${clock(at)}  `, `${what}${count > 1 ? `  (x${count})` : ''}`, columns),
  );
  const steps = next.map(({ does, command }) => `${does}: ${command}`);
  const inARow = steps.join(' · ');
  return [
    wrapped(headline, columns).join('\n'),
    ...times,
    ...(lastWords.length === 0 ? [] : ['stderr:', ...lastWords.map((line) => hanging('  ', line, columns))]),
    ...(cause === null ? [] : wrapped(`Likely cause: ${cause}`, columns)),
    // A command is to be copied as a whole.
    width(inARow) <= columns ? inARow : steps.join('\n'),
  ]
    .filter((line) => line !== '')
    .join('\n');
}
