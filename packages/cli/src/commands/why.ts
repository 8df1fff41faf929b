import type { Explanation } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { printData, say } from '../output/print.ts';
import { clock } from '../output/spans.ts';

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
  await say(to.out, told.map(text).join('\n\n'));
  return 0;
}

function text({ headline, history, cause, lastWords, next }: Explanation): string {
  const times = history.map(
    ({ at, text: what, count }) => `  ${clock(at)}  ${what}${count > 1 ? `  (x${count})` : ''}`,
  );
  return [
    headline,
    ...times,
    ...(lastWords.length === 0 ? [] : ['stderr:', ...lastWords.map((line) => `  ${line}`)]),
    ...(cause === null ? [] : [`Likely cause: ${cause}`]),
    next.map(({ does, command }) => `${does}: ${command}`).join(' · '),
  ]
    .filter((line) => line !== '')
    .join('\n');
}
