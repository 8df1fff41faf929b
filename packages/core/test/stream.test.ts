import { describe, expect, test } from 'vitest';
import type { HsuEvent } from '../src/events/catalogue.ts';
import { EventStream } from '../src/events/stream.ts';

function say(stream: EventStream, times = 1): void {
  for (let i = 0; i < times; i += 1) stream.publish({ type: 'worker.ready', payload: {} }, 5, 'web', 2);
}

const numbers = (events: readonly HsuEvent[]): readonly number[] => events.map((event) => event.seq);

describe('publishing', () => {
  test('numbers events from one without gaps and returns them', () => {
    const stream = new EventStream(10);
    const event = stream.publish({ type: 'worker.unready', payload: { reason: 'HTTP 503' } }, 7, 'web', null);
    expect(event).toEqual({
      seq: 1,
      at: 7,
      workerId: 'web',
      run: null,
      type: 'worker.unready',
      payload: { reason: 'HTTP 503' },
    });
    expect(stream.publish({ type: 'worker.ready', payload: {} }, 8, null, 1).seq).toBe(2);
  });

  test('calls listeners in the order in which they subscribed, until they leave', () => {
    const stream = new EventStream(10);
    const heard: string[] = [];
    const leave = stream.subscribe((event) => heard.push(`a${event.seq}`));
    stream.subscribe((event) => heard.push(`b${event.seq}`));
    say(stream);
    leave();
    leave();
    say(stream);
    expect(heard).toEqual(['a1', 'b1', 'b2']);
  });

  test('all listeners hear all events in order, also those that a listener causes', () => {
    const stream = new EventStream(10);
    const heard: number[] = [];
    stream.subscribe((event) => {
      if (event.seq === 1) say(stream);
    });
    stream.subscribe((event) => heard.push(event.seq));
    say(stream);
    expect(heard).toEqual([1, 2]);
  });
});

describe('memory', () => {
  test('keeps the latest and says how many are lost in between', () => {
    const stream = new EventStream(3);
    expect(stream.since(0)).toEqual({ events: [], lost: 0 });
    say(stream, 2);
    expect(numbers(stream.since(0).events)).toEqual([1, 2]);
    say(stream, 8);
    expect(numbers(stream.since(0).events)).toEqual([8, 9, 10]);
    expect(stream.since(0).lost).toBe(7);
    expect(stream.since(5).lost).toBe(2);
    expect(stream.since(7).lost).toBe(0);
    expect(numbers(stream.since(8).events)).toEqual([9, 10]);
    expect(stream.since(8).lost).toBe(0);
    expect(stream.since(10)).toEqual({ events: [], lost: 0 });
    expect(stream.since(99)).toEqual({ events: [], lost: 0 });
  });

  test('has the latest after any number of events', () => {
    const stream = new EventStream(3);
    for (let seq = 1; seq <= 20; seq += 1) {
      say(stream);
      const latest = [seq - 2, seq - 1, seq].filter((number) => number > 0);
      expect(numbers(stream.since(0).events)).toEqual(latest);
    }
  });

  test('a stream without memory remembers nothing and counts all as lost', () => {
    const stream = new EventStream(0);
    say(stream, 4);
    expect(stream.since(0)).toEqual({ events: [], lost: 4 });
  });
});

test('a listener that throws is told nothing more, and the others hear of it', () => {
  const stream = new EventStream(10);
  const heard: string[] = [];
  let defect = '';
  let calls = 0;
  stream.subscribe(() => {
    calls += 1;
    throw new Error('mine');
  });
  stream.subscribe((event) => {
    heard.push(event.type);
    if (event.type === 'supervisor.defect') defect = event.payload.message;
  });
  stream.publish({ type: 'worker.ready', payload: {} }, 0, 'web', 1);
  stream.publish({ type: 'worker.ready', payload: {} }, 0, 'web', 2);
  expect(calls).toBe(1);
  expect(heard).toEqual(['worker.ready', 'supervisor.defect', 'worker.ready']);
  expect(defect).toMatch(
    /^a listener threw at "worker.ready" and is told nothing more: Error: mine\n +at .*stream\.test/,
  );
});

test.each([
  ['mine', /: mine$/],
  [Object.assign(new Error('mine'), { stack: undefined }), /: mine$/],
])('what a listener throws need be no error, nor have a trace: %s', (thrown, says) => {
  const stream = new EventStream(10);
  const defects: string[] = [];
  stream.subscribe(({ type }) => {
    if (type === 'worker.ready') throw thrown;
  });
  stream.subscribe((event) => {
    if (event.type === 'supervisor.defect') defects.push(event.payload.message);
  });
  stream.publish({ type: 'worker.ready', payload: {} }, 0, 'web', 1);
  expect(defects).toEqual([expect.stringMatching(says)]);
});
