import { constants } from 'node:os';
import type { Asking } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { printData, say } from '../output/print.ts';

/** `signal`: sends a signal to the main processes of workers, or to their whole trees. */
export async function signal(
  { client, to, format, namespace }: Asking,
  name: string,
  patterns: readonly string[],
  { tree }: { readonly tree?: boolean },
): Promise<number> {
  if (patterns.length === 0) {
    const next = 'As in: hsu-master signal HUP web';
    throw new CliError('E_USAGE', 'signal needs the workers that are meant', next);
  }
  const full = signalOf(name, patterns);
  const { workers } = await client.workers({ select: patterns, namespace });
  const tickets = await Promise.all(
    workers.map(({ id }) => client.signal(id, full, tree === true ? 'tree' : 'main')),
  );
  if (await printData(to.out, format, { tickets }, tickets)) return 0;
  for (const { worker } of tickets) await say(to.out, format === 'name' ? worker : `${worker}: ${full} sent`);
  return 0;
}

/** Of systems with more signals than this one. */
const ELSEWHERE =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS INFO EMT BREAK';
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(constants.signals),
  ...ELSEWHERE.split(' ').map((name) => `SIG${name}`),
]);

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith('SIG') ? upper : `SIG${upper}`;
}

/** @throws CliError E_USAGE where it is none, perhaps because it stands behind the workers */
function signalOf(name: string, patterns: readonly string[]): string {
  const full = fullName(name);
  if (KNOWN.has(full)) return full;
  const meant = patterns.find((pattern) => KNOWN.has(fullName(pattern)));
  const others = patterns.filter((pattern) => pattern !== meant);
  const next =
    meant === undefined
      ? 'HUP, INT, QUIT, TERM, KILL, USR1, USR2, STOP, CONT and WINCH are the usual ones.'
      : `The signal comes first: hsu-master signal ${[meant, name, ...others].join(' ')}`;
  throw new CliError('E_USAGE', `there is no signal "${name}"`, next);
}
