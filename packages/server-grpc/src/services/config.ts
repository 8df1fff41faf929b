import { resolve } from 'node:path';
import { type Accepted, HsuError, type WorkerId, within } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import type { Change, Duration } from '../messages.ts';
import * as told from '../told-config.ts';

const LONGEST_PATH = 4096;

export const configService: Handlers<'hsu.v1.ConfigService'> = {
  GetConfig(_question, call) {
    call.demand('config:read');
    return told.config(call.control.config());
  },

  async Plan({ text, file }, call) {
    call.demand('config:read');
    const source = typeof text === 'string' ? { text, file: fileOf(file) } : null;
    return told.planned(await call.control.plan(source));
  },

  async Apply({ text, file, basedOn, wait }, call) {
    const by = call.demand('config:apply');
    return answer(await call.control.apply(text, fileOf(file), by, revision(basedOn)), wait, call);
  },

  async Reload({ wait }, call) {
    const by = call.demand('config:apply');
    return answer(await call.control.reload(by), wait, call);
  },

  async CreateWorker({ worker, basedOn, wait }, call) {
    const written = asked.struct('worker', worker);
    const by = call.demand('workers:define', named(written));
    const accepted = await call.control.create(written, by, revision(basedOn));
    return answer(accepted, wait, call, accepted.id);
  },

  async ReplaceWorker({ id, worker, basedOn, wait }, call) {
    const known = call.control.worker(asked.id(id));
    const by = call.demand('workers:define', known);
    const written = asked.struct('worker', worker);
    // What it is to be must be in one's charge as well.
    const { namespace } = written as { readonly namespace?: unknown };
    call.demand('workers:define', { id: known.id, namespace: namespaceOf(namespace) });
    return answer(await call.control.replace(known.id, written, by, revision(basedOn)), wait, call);
  },

  async RemoveWorker({ id, basedOn, wait }, call) {
    const known = call.control.worker(asked.id(id));
    const by = call.demand('workers:define', known);
    return answer(await call.control.remove(known.id, by, revision(basedOn)), wait, call);
  },
};

/** The worker that a description is for, as rights see it, as far as that can be told before it is read. */
function named(written: object): { readonly id: WorkerId; readonly namespace: string | null } {
  const { id, namespace } = written as { readonly id?: unknown; readonly namespace?: unknown };
  if (typeof id !== 'string') throw new HsuError('E_REQUEST', 'worker.id: an id is needed');
  return { id: asked.id(id), namespace: namespaceOf(namespace) };
}

function namespaceOf(written: unknown): string | null {
  return typeof written === 'string' ? written : null;
}

function fileOf(file: string): string {
  return resolve(asked.optional('file', file, LONGEST_PATH) || 'config.yaml');
}

function revision(given: number | null | undefined): number | null {
  if (given === null || given === undefined) return null;
  return asked.whole('based_on', given, { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
}

async function answer(
  accepted: Accepted,
  wait: Duration | null,
  call: Call,
  id: WorkerId | null = null,
): Promise<Change> {
  const span = asked.span('wait', wait, 0);
  const outcome = span === 0 ? null : await within(accepted.settled, call.atMost(span));
  return told.change(accepted, outcome, id);
}
