import {
  type EventDraft,
  type LogSpec,
  type OutputStream,
  PLAIN_FILES,
  type WorkerId,
} from '@hsu-master/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LogAlert } from '../src/alerts/rule.ts';
import { LogStream, type Outlet } from '../src/index.ts';
import type { QueueCounters } from '../src/sinks/queue-spec.ts';
import { Place } from './support/place.ts';

const PARSED = {
  multiline: null,
  parsers: [{ type: 'level', pattern: null }],
  filter: { include: [], exclude: [], minLevel: 'info' },
  sampling: [],
  rateLimit: null,
  enrichers: [],
  correlation: null,
  redaction: { presets: ['key_value'], patterns: [], keys: [] },
  metadata: null,
} as const;
/** A target that keeps what it gets, and may be told that it has no room. */
class Kept {
  readonly name: string;
  readonly got: string[] = [];
  isPressed = false;
  delivered = 0;
  closedAfter: number | null = null;

  constructor(name: string) {
    this.name = name;
  }

  offer({ text }: { readonly text: string }): void {
    this.got.push(text);
  }

  counters(): QueueCounters {
    return { delivered: this.delivered, refused: 0, spilled: 0 } as QueueCounters;
  }

  async close(within: number): Promise<void> {
    this.closedAfter = within;
    await Promise.resolve();
  }
}

function stage(
  logs: Readonly<Record<string, Partial<LogSpec>>>,
  outlets: readonly Outlet[],
  rules: LogStreamRules = [],
) {
  const place = new Place();
  const events: EventDraft[] = [];
  const alerts: LogAlert[] = [];
  const specs = Object.entries(logs).map(([id, log]) => place.spec(log, id));
  const stream = new LogStream({
    clock: place.clock,
    hostname: 'here',
    masterId: 'm',
    workers: specs,
    rules,
    alert: (alert) => alerts.push(alert),
    publish: (event) => events.push(event),
  });
  stream.attach(place.collector, outlets);
  const outputs = new Map(specs.map((spec) => [spec.id, place.collector.open(spec, 1)]));
  const write = (id: WorkerId, text: string, on: OutputStream = 'stdout') => {
    const output = outputs.get(id);
    if (output !== undefined) void place.write(output, text, on);
  };
  // Else its folder is removed while a file comes into being in it.
  onTestFinished(() => place.settled());
  return { place, stream, events, alerts, outputs, write };
}
type LogStreamRules = ConstructorParameters<typeof LogStream>[0]['rules'];

const outlet = (
  queue: Kept,
  workers: readonly string[] | null,
  streams: readonly OutputStream[],
): Outlet => ({
  workers: workers === null ? null : new Set(workers),
  streams,
  queue,
});
const RULE = {
  name: 'errors',
  workers: ['web'],
  pattern: null,
  minLevel: 'error',
  stream: null,
  count: 1,
  within: 1000,
  every: null,
  exec: null,
  webhook: null,
  timeout: 1000,
} as const;

describe('lines', () => {
  test('go to the targets of their worker and stream, once to each, as they leave the pipeline', () => {
    const [all, own, errors] = [new Kept('all'), new Kept('own'), new Kept('errors')];
    const both = ['stdout', 'stderr'] as const;
    const { write } = stage({ web: { pipeline: PARSED }, db: {} }, [
      outlet(all, null, both),
      outlet(all, ['web'], ['stdout']),
      outlet(own, ['web'], both),
      outlet(errors, ['web', 'db'], ['stderr']),
    ]);
    write('web', 'INFO password=x1\nDEBUG no\nhal');
    write('web', 'f\n');
    write('db', 'ready\n', 'stderr');
    expect(all.got).toEqual(['INFO password=[redacted]', 'half', 'ready']);
    expect(own.got).toEqual(['INFO password=[redacted]', 'half']);
    expect(errors.got).toEqual(['ready']);
  });

  test('of a worker are heard only while somebody asks, with as much patience as its policy has', () => {
    const lossy = { files: { ...PLAIN_FILES, overflow: 'drop-newest' } } as const;
    const { stream, write } = stage({ web: {}, lossy, quiet: {} }, [
      outlet(new Kept('own'), ['web', 'lossy'], ['stdout']),
    ]);
    const wants = () => ['web', 'lossy', 'quiet', 'unknown'].map((id) => stream.wants(id));
    expect(wants()).toEqual(['wait', 'lose', 'none', 'none']);
    const heard: string[] = [];
    write('quiet', 'one\n');
    const stop = stream.subscribe(new Set(['quiet']), ({ text }) => heard.push(text));
    expect(wants()).toEqual(['wait', 'lose', 'wait', 'none']);
    write('quiet', 'two\n');
    stop();
    write('quiet', 'three\n');
    expect(heard).toEqual(['two']);
    expect(stream.counters().workers.map(({ workerId, lines }) => [workerId, lines])).toEqual([['quiet', 1]]);
    expect(wants()).toEqual(['wait', 'lose', 'none', 'none']);
  });

  test('raise alerts by level, also where no parser was asked for', () => {
    const { alerts, write } = stage({ web: {}, db: {} }, [], [RULE]);
    write('web', 'INFO a\nERROR b\n');
    write('db', 'ERROR c\n');
    expect(alerts.map(({ kind, workerId, line }) => [kind, workerId, line])).toEqual([
      ['raised', 'web', 'ERROR b'],
    ]);
  });

  test('around a gap are left out, so that no line is made of two halves, and the gap is told', () => {
    const all = new Kept('all');
    const { stream, events, place } = stage({ web: {} }, [outlet(all, null, ['stdout'])]);
    const run = stream.open('web', 1);
    void run.chunk('stdout', Buffer.from('one\ntwo is cut'));
    run.missed?.('stdout', 1000);
    void run.chunk('stdout', Buffer.from('the end of another\nthree\nfour'));
    run.end('stdout');
    expect(all.got).toEqual(['one', 'three', 'four']);
    expect(stream.counters().missed).toEqual({ web: 1000 });
    expect(events.map(({ payload }) => payload)).toEqual([
      { bytes: 0, reason: expect.stringContaining('faster') as string },
      { bytes: 1000 + 'the end of another\n'.length, reason: expect.any(String) as string },
    ]);
    place.clock.advance(60_000);
    expect(events).toHaveLength(2);
  });

  test('wait for targets without room, in their order, but no longer than five seconds for one that does not get on', () => {
    const all = new Kept('all');
    const { stream, place } = stage({ web: {} }, [outlet(all, null, ['stdout'])]);
    const run = stream.open('web', 1);
    const taken: number[] = [];
    const chunk = (text: string, number: number) =>
      void run.chunk('stdout', Buffer.from(text))?.then(() => taken.push(number));
    all.isPressed = true;
    chunk('one\n', 1);
    chunk('two\n', 2);
    run.end('stdout');
    place.clock.advance(500);
    expect(all.got).toEqual([]);
    all.isPressed = false;
    place.clock.advance(20);
    expect(all.got).toEqual(['one', 'two']);
    all.isPressed = true;
    const again = stream.open('web', 2);
    void again.chunk('stdout', Buffer.from('three\n'));
    place.clock.advance(4990);
    expect(all.got).toEqual(['one', 'two']);
    place.clock.advance(30);
    expect(all.got).toEqual(['one', 'two', 'three']);
    void again.chunk('stdout', Buffer.from('four\n'));
    expect(all.got).toEqual(['one', 'two', 'three', 'four']);
  });

  test('wait for a slow target as long as it gets on, also when another has room', () => {
    const [slow, quick] = [new Kept('slow'), new Kept('quick')];
    const { stream, place } = stage({ web: {} }, [
      outlet(slow, null, ['stdout']),
      outlet(quick, null, ['stdout']),
    ]);
    const run = stream.open('web', 1);
    slow.isPressed = true;
    void run.chunk('stdout', Buffer.from('one\n'));
    for (let seconds = 0; seconds < 60; seconds += 1) {
      place.clock.advance(4900);
      slow.delivered += 1;
    }
    expect([slow.got, quick.got]).toEqual([[], []]);
    place.clock.advance(5100);
    expect([slow.got, quick.got]).toEqual([['one'], ['one']]);
    // It gets on again, and is waited for again.
    slow.delivered += 1;
    void run.chunk('stdout', Buffer.from('two\n'));
    place.clock.advance(900);
    expect(slow.got).toEqual(['one']);
    slow.isPressed = false;
    place.clock.advance(20);
    expect(slow.got).toEqual(['one', 'two']);
  });

  test('that are held are handed on at the end, before targets are closed', async () => {
    const all = new Kept('all');
    const { stream, write } = stage({ web: { pipeline: { ...PARSED, multiline: JAVA } } }, [
      outlet(all, null, ['stdout']),
    ]);
    write('web', 'INFO a\n\tat b\nINFO without an end');
    await stream.close(3000);
    expect(all.got).toEqual(['INFO a\n\tat b', 'INFO without an end']);
    expect(all.closedAfter).toBe(3000);
    write('web', 'late\n');
    expect(all.got).toHaveLength(2);
  });
});

const JAVA = {
  presets: ['java'],
  firstLine: null,
  continues: null,
  maxLines: 10,
  maxBytes: 1000,
  timeout: 500,
} as const;

test('what a sink tells becomes an event, and its losses are counted by worker', () => {
  const { stream, events } = stage({ web: {} }, []);
  const sink = 'loki:l';
  const workers = new Map([['web', 2]]);
  stream.hearOfSink({ sink, kind: 'failing', reason: '503' });
  stream.hearOfSink({ sink, kind: 'recovered', failures: 3, after: 10 });
  stream.hearOfSink({ sink, kind: 'found', records: 7 });
  stream.hearOfSink({ sink, kind: 'spill-failing', reason: 'ENOSPC' });
  stream.hearOfSink({ sink, kind: 'lost', cause: 'refused', reason: '400', records: 2, bytes: 20, workers });
  expect(events).toEqual([
    { type: 'log.sink-failing', payload: { sink, reason: '503' } },
    { type: 'log.sink-recovered', payload: { sink, failures: 3, after: 10 } },
    { type: 'log.sink-found', payload: { sink, lines: 7 } },
    { type: 'log.sink-failing', payload: { sink, reason: 'its spill: ENOSPC' } },
    { type: 'log.dropped', payload: { bytes: 20, reason: '2 lines for loki:l were refused: 400' } },
  ]);
  expect(stream.counters().workers[0]?.dropped).toEqual({ [sink]: 2 });
});
