import { describe, expect, it } from 'vitest';
import {
  EventStream,
  eventFilter,
  HsuError,
  type HsuEvent,
  type StateNews,
  statesFrom,
  type WorkerView,
} from '../src/index.ts';

type Draft = Parameters<EventStream['publish']>[0];

/** A master whose workers come and go. */
class Fleet {
  readonly events = new EventStream(100);
  readonly there = new Map<string, WorkerView>();

  constructor(...ids: readonly string[]) {
    for (const id of ids) this.set(id);
  }

  set(id: string, doing = 'ready', namespace: string | null = null): void {
    this.there.set(id, { id, doing, namespace } as unknown as WorkerView);
  }

  workers(): readonly WorkerView[] {
    return [...this.there.values()];
  }

  worker(id: string): WorkerView {
    const found = this.there.get(id);
    if (found === undefined) throw new HsuError('E_UNKNOWN_WORKER', `there is no worker "${id}"`);
    return found;
  }

  publish(draft: Draft, id: string | null = null): HsuEvent {
    return this.events.publish(draft, 0, id, null);
  }

  become(id: string, doing: string): void {
    this.set(id, doing);
    this.publish({ type: 'worker.ready', payload: {} }, id);
  }

  remove(id: string): void {
    this.there.delete(id);
    this.publish({ type: 'worker.removed', payload: { runs: 1 } }, id);
  }

  load(): HsuEvent {
    const payload = { revision: 2, file: 'x', source: 'applied', workers: this.there.size } as const;
    return this.publish({ type: 'config.loaded', payload });
  }
}

const ALL = { patterns: [], namespace: null };

/** The next pieces of news, in few words. */
async function next(states: AsyncGenerator<StateNews, void, void>, count = 1): Promise<readonly string[]> {
  const told: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const { value } = await states.next();
    if (value === undefined) told.push('the end');
    else if (value.kind === 'states') told.push(`${value.seq}: ${value.workers.map(({ id }) => id).join()}`);
    else if (value.kind === 'state') told.push(`${value.seq}: ${value.worker.id} ${value.worker.doing}`);
    else told.push(`${value.seq}: no ${value.id}`);
  }
  return told;
}

describe('states', () => {
  it('are those of all that are chosen, then each change; of several the last', async () => {
    const fleet = new Fleet('a', 'ab', 'b');
    const end = new AbortController();
    const states = statesFrom(fleet, { patterns: ['a*'], namespace: null }, () => true, end.signal);
    expect(await next(states)).toEqual(['0: a,ab']);
    fleet.become('b', 'not asked for');
    fleet.become('a', 'one');
    fleet.become('a', 'two');
    expect(await next(states)).toEqual(['3: a two']);
    const later = next(states);
    fleet.become('ab', 'three');
    expect(await later).toEqual(['4: ab three']);
    const over = next(states);
    end.abort();
    expect(await over).toEqual(['the end']);
  });

  it('tell of workers that come and go', async () => {
    const fleet = new Fleet('a', 'b');
    const states = statesFrom(
      fleet,
      ALL,
      ({ id }: WorkerView) => id !== 'secret',
      new AbortController().signal,
    );
    await next(states);
    const gone = next(states);
    fleet.remove('b');
    expect(await gone).toEqual(['1: no b']);
    fleet.set('c', 'new');
    fleet.set('secret');
    fleet.load();
    expect(await next(states)).toEqual(['2: c new']);
    fleet.become('secret', 'seen by nobody');
    fleet.become('c', 'ready');
    expect(await next(states)).toEqual(['4: c ready']);
    await states.return();
  });

  it('of one who is chosen no more are told no more', async () => {
    const fleet = new Fleet();
    fleet.set('a', 'ready', 'shop');
    const end = new AbortController();
    const states = statesFrom(fleet, { patterns: ['shop/*'], namespace: null }, () => true, end.signal);
    expect(await next(states)).toEqual(['0: a']);
    fleet.set('a', 'ready', 'bank');
    fleet.load();
    expect(await next(states)).toEqual(['1: no a']);
    await states.return();
  });
});

describe('events', () => {
  const ready = (fleet: Fleet, id: string | null) => fleet.publish({ type: 'worker.ready', payload: {} }, id);

  it('are all those of everybody for whom may hear all', () => {
    const fleet = new Fleet('a');
    const accepts = eventFilter(fleet, { patterns: [], types: [] }, () => true);
    expect([ready(fleet, 'a'), ready(fleet, null), ready(fleet, 'gone')].map(accepts)).toEqual([
      true,
      true,
      true,
    ]);
    const one = eventFilter(fleet, { patterns: ['a'], types: ['worker.ready'] }, () => true);
    expect([ready(fleet, 'a'), ready(fleet, null), ready(fleet, 'gone')].map(one)).toEqual([
      true,
      false,
      false,
    ]);
    expect(one(fleet.publish({ type: 'worker.stopped', payload: { completed: true } }, 'a'))).toBe(false);
  });

  it('are those of the workers that are theirs, whoever comes and goes, for others', () => {
    const fleet = new Fleet();
    fleet.set('a', '', 'shop');
    fleet.set('b', '', 'bank');
    const accepts = eventFilter(fleet, { patterns: [], types: [] }, (worker) => worker?.namespace === 'shop');
    expect([ready(fleet, 'a'), ready(fleet, 'b'), ready(fleet, null)].map(accepts)).toEqual([
      true,
      false,
      false,
    ]);
    fleet.set('c', '', 'shop');
    fleet.there.delete('a');
    expect(accepts(fleet.load())).toBe(false);
    expect([ready(fleet, 'a'), ready(fleet, 'c')].map(accepts)).toEqual([true, true]);
    // One of that name that is not theirs.
    fleet.set('a', '', 'bank');
    accepts(fleet.load());
    expect(accepts(ready(fleet, 'a'))).toBe(false);
  });
});
