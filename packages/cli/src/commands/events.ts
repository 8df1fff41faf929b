import type { Event } from '@hsu-master/api/client';
import type { Asking } from '../asking.ts';
import { payloadText } from '../output/payload.ts';
import { printData, say } from '../output/print.ts';
import { clock } from '../output/spans.ts';
import { cut, prepareWidths } from '../output/width.ts';
import { whole } from './whole.ts';

export interface EventOptions {
  readonly follow?: boolean;
  readonly type?: readonly string[];
  readonly since?: string;
}

/** `events`: what happened, as far as the master remembers; with `-f`, what happens. */
export async function events(
  asking: Asking,
  patterns: readonly string[],
  { follow, type = [], since }: EventOptions,
): Promise<number> {
  const { client, to, namespace } = asking;
  const which = { select: within(patterns, namespace), type };
  if (follow !== true) {
    const page = await client.events({
      ...which,
      since: whole('--since', since, 0, Number.MAX_SAFE_INTEGER),
    });
    if (page.lost > 0) await say(to.err, `${page.lost} older events are no longer remembered`);
    await print(asking, page.events, page);
    return 0;
  }
  const signal = AbortSignal.any([to.interrupted(), to.out.gone]);
  const from = whole('--since', since, undefined, Number.MAX_SAFE_INTEGER);
  for await (const item of client.followEvents({ ...which, since: from }, signal)) {
    if (signal.aborted) break;
    if ('lost' in item) await say(to.err, `${item.lost} events are no longer remembered`);
    else await print(asking, [item], null);
  }
  return 0;
}

/** The API knows namespaces of events by patterns alone. */
function within(patterns: readonly string[], namespace: string | undefined): readonly string[] {
  if (namespace === undefined) return patterns;
  if (patterns.length === 0) return [`${namespace}/*`];
  return patterns.map((pattern) => (pattern.includes('/') ? pattern : `${namespace}/${pattern}`));
}

/** `page` null: more may come, so that each is an object by itself. */
async function print({ to, format }: Asking, list: readonly Event[], page: object | null): Promise<void> {
  if (list.length === 0 && page === null) return;
  if (
    await printData(
      to.out,
      page === null && format === 'json' ? 'jsonl' : format,
      page ?? { events: list },
      list,
    )
  )
    return;
  await prepareWidths(list.map((event) => JSON.stringify(event)));
  const columns = to.out.columns();
  const isShort = columns !== Number.POSITIVE_INFINITY && format === 'table';
  await say(
    to.out,
    list
      .map((event) => {
        if (format === 'name') return event.type;
        return isShort ? cut(shortLine(event), columns) : line(event);
      })
      .join('\n'),
  );
}

/** For a terminal: the rest is seen with -o wide. */
function shortLine({ at, workerId, run, type, payload }: Event): string {
  const who = workerId === null ? 'hsu-master' : `${workerId}${run === null ? '' : `#${run}`}`;
  return `${clock(at)}  ${who}  ${type} ${payloadText(payload)}`.trimEnd();
}

function line({ at, seq, type, workerId, run, payload }: Event): string {
  const who = workerId === null ? 'hsu-master' : `${workerId}${run === null ? '' : `#${run}`}`;
  const said = Object.keys(payload).length === 0 ? '' : ` ${JSON.stringify(payload)}`;
  return `${at} ${seq} ${who} ${type}${said}`;
}
