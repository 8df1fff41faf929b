import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ApiError, type Applied, type Plan, type Worker } from '@hsu-master/api/client';
import { type Asking, ask, type CommonOptions } from '../asking.ts';
import { CliError } from '../cli-error.ts';
import { ASK_EXIT_CODES, exitCodeOf } from '../exit-codes.ts';
import { planLines } from '../output/plan.ts';
import { printData, say } from '../output/print.ts';
import type { Awaited } from '../output/progress.ts';
import type { Surroundings } from '../surroundings.ts';
import { awaitEach, deadlineOf, leftOf, withProgress } from './patience.ts';
import { whole } from './whole.ts';

export interface ChangeOptions {
  /** A duration; empty: as long as usual. */
  readonly wait?: string;
  readonly noWait?: boolean;
  readonly dryRun?: boolean;
  readonly revision?: string;
}

/** Ends take their grace: so long it is followed without being asked to. */
const USUAL = '60s';
const WAITED = '30s';

/**
 * Asks the master of the file that is meant, where one runs; else the one that is found without it, since a file may be applied to any
 * master.
 */
export async function askAbout(
  to: Surroundings,
  options: CommonOptions,
  given: string | undefined,
  work: (asking: Asking, file: string | null) => Promise<number>,
): Promise<number> {
  const file = given ?? options.file;
  if (file === undefined) return ask(to, options, (asking) => work(asking, null));
  const { file: _, ...others } = options;
  const isNamed = options.socket ?? options.stateDir ?? options.address;
  const hasOwn = isNamed === undefined && (await answers(to, { ...others, file }));
  return ask(to, hasOwn ? { ...others, file } : others, (asking) => work(asking, file));
}

async function answers(to: Surroundings, options: CommonOptions): Promise<boolean> {
  try {
    await ask(to, options, async ({ client }) => {
      await client.version();
      return 0;
    });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'E_NO_MASTER') return false;
    throw error;
  }
}

/** `diff`: 0 nothing would change, 1 something would, 2 the file is not valid. */
export async function diff({ client, to, format }: Asking, file: string | null): Promise<number> {
  const planned = await client.plan(file === null ? undefined : sourceOf(file));
  if (!(await printData(to.out, format, planned, [planned]))) {
    const named = file ?? (planned.issues.length === 0 ? '' : (await client.version()).configFile);
    for (const { severity, line, column, path, message, hint } of planned.issues) {
      const where = `${named}:${line}:${column}: ${severity}: ${path === '' ? '' : `${path}: `}`;
      await say(to.err, `${where}${message}${hint === null ? '' : `; ${hint}`}`);
    }
    if (planned.plan !== null) {
      for (const line of planLines(planned.plan, to.out.colour)) await say(to.out, line);
      await say(to.err, `compared with revision ${planned.revision}`);
    }
  }
  if (planned.plan === null) return ASK_EXIT_CODES.usage.code;
  return isEmpty(planned.plan) ? ASK_EXIT_CODES.ok.code : ASK_EXIT_CODES.failed.code;
}

/** `apply`: what the file says is what there is then. */
export async function apply(asking: Asking, file: string | null, options: ChangeOptions): Promise<number> {
  if (file === null)
    throw new CliError(
      'E_USAGE',
      'apply needs a file',
      "Name it: hsu-master apply config.yaml. The master's own file is read anew by hsu-master reload.",
    );
  if (options.dryRun === true) return diff(asking, file);
  const revision = whole('--revision', options.revision, undefined, 999_999_999);
  const source = sourceOf(file);
  return follow(asking, options, (wait) => asking.client.apply(source, { wait, revision }));
}

/** `reload`: the master reads its file anew. */
export function reload(asking: Asking, options: ChangeOptions): Promise<number> {
  return follow(asking, options, (wait) => asking.client.reload({ wait }));
}

/** `delete`: stops workers and forgets them, dependents before what they depend on. */
export async function remove(
  asking: Asking,
  patterns: readonly string[],
  options: ChangeOptions,
): Promise<number> {
  const { client, to, namespace } = asking;
  const { workers } = await client.workers({ select: patterns, namespace });
  let left = workers.map(({ id }) => id).reverse();
  let code = 0;
  while (left.length > 0) {
    const held: string[] = [];
    let refusal: unknown = null;
    for (const id of left) {
      try {
        code = Math.max(code, await follow(asking, options, (wait) => client.remove(id, { wait })));
      } catch (error) {
        // Others need it, which may be removed as well.
        if (!(error instanceof ApiError && error.code === 'E_CONFIG')) throw error;
        held.push(id);
        refusal = error;
      }
    }
    if (held.length === left.length) throw refusal;
    left = held;
  }
  if (workers.length === 0) await say(to.err, 'there is no worker to delete');
  return code;
}

async function follow(
  asking: Asking,
  { wait, noWait }: ChangeOptions,
  change: (wait: string | undefined) => Promise<Applied>,
): Promise<number> {
  const { to, format } = asking;
  const deadline = deadlineOf(wait === undefined ? USUAL : wait || WAITED, to.now());
  const applied =
    noWait === true
      ? await change(undefined)
      : await whileChanging(asking, () => change(leftOf(deadline, to.now())));
  const late = noWait === true || wait === undefined ? [] : await notReady(asking, applied.plan, deadline);
  if (!(await printData(to.out, format, applied, [applied]))) {
    for (const { path, message } of applied.warnings)
      await say(to.err, `warning: ${path === '' ? '' : `${path}: `}${message}`);
    for (const line of planLines(applied.plan, to.out.colour)) await say(to.out, line);
    for (const { message } of applied.failures) await say(to.err, message);
    if (!isEmpty(applied.plan)) await say(to.out, `revision ${applied.revision} ${DONE[applied.state]}`);
    for (const id of late) await say(to.err, `${id}: not ready; hsu-master why ${id}`);
  }
  if (applied.state === 'failed') return ASK_EXIT_CODES.failed.code;
  if (applied.state === 'superseded') return exitCodeOf('E_SUPERSEDED');
  return late.length > 0 || (applied.state === 'pending' && wait !== undefined) ? exitCodeOf('E_TIMEOUT') : 0;
}

const DONE: Readonly<Record<Applied['state'], string>> = {
  done: 'is carried out',
  pending: 'is accepted, and being carried out',
  superseded: 'was overtaken by a later one',
  failed: 'is accepted, and could not be carried out',
};

/** The master tells what it does when it has done it: until then it is seen by who is otherwise than before, and not at rest. */
async function whileChanging<T>(asking: Asking, work: () => Promise<T>): Promise<T> {
  const { client } = asking;
  const before = new Map<string, string>();
  const awaited = (workers: readonly Worker[]): Awaited => ({
    what: 'carrying it out',
    of: 0,
    left: workers.filter((worker) => isUnderWay(worker) && before.get(worker.id) !== stepOf(worker)),
  });
  // Who may change may not have to look.
  const { workers } = await client.workers().catch(() => ({ workers: [] }));
  for (const worker of workers) before.set(worker.id, stepOf(worker));
  const look = async (): Promise<Awaited> => awaited((await client.workers()).workers);
  return withProgress(asking, awaited([]), look, work);
}

function stepOf({ phase, run }: Worker): string {
  return `${phase} ${run}`;
}

function isUnderWay({ phase, ready }: Worker): boolean {
  return phase === 'running' ? !ready : phase !== 'stopped' && phase !== 'failed';
}

/** Those that are new or begun anew and have not become ready in time. */
async function notReady(
  asking: Asking,
  { workers: planned }: Plan,
  deadline: number,
): Promise<readonly string[]> {
  const { client, to } = asking;
  const begun = planned.flatMap(({ id, action }) => (action === 'start' || action === 'restart' ? [id] : []));
  if (begun.length === 0) return [];
  const all = (await client.workers()).workers;
  const workers = all.filter(({ id }) => begun.includes(id));
  const waited = await awaitEach(asking, 'waiting until ready', { patterns: [], workers }, (id) =>
    client.wait(id, 'ready', leftOf(deadline, to.now())),
  );
  return waited.filter(({ met, worker }) => !met && !worker.completed).map(({ worker }) => worker.id);
}

function isEmpty({ workers, settings }: Plan): boolean {
  return workers.length === 0 && settings.length === 0;
}

function sourceOf(file: string): { readonly text: string; readonly file: string } {
  try {
    return { text: readFileSync(file, 'utf8'), file: resolve(file) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError('E_CONFIG_READ', `cannot read the configuration ${file}: ${reason}`, '');
  }
}
