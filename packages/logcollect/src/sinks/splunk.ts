import type { Clock, Milliseconds } from '@hsu-master/core';
import type { LogRecord, LogValue } from '../record.ts';
import { deliveryOf, objectIn, reasonOf } from './answers.ts';
import { timeOf } from './document.ts';
import type { Answer, HttpClient } from './http.ts';
import type { Delivery, Sink } from './sink.ts';

export interface SplunkSpec {
  readonly index: string | null;
  readonly source: string | null;
  readonly sourcetype: string | null;
  readonly host: string;
  /** How long to wait for the acknowledgement that a batch is indexed; null: a batch that is received counts as taken. */
  readonly ack: Milliseconds | null;
  /** What is in the event. */
  readonly event: (record: LogRecord) => LogValue;
}

const ACK_EVERY: Milliseconds = 1000;
/** Codes of the collector that no other batch would change: incorrect index, channel missing, channel invalid, ack disabled. */
const WRONG_SETTINGS = [7, 10, 11, 14];

/** Sends to Splunk’s HTTP event collector. Where an event is refused the others are sent again, since Splunk does not say which of them it has. */
export function splunkSink(name: string, spec: SplunkSpec, client: HttpClient, clock: Clock): Sink {
  const channel = channelOf(clock);
  const headers = spec.ack === null ? {} : { 'x-splunk-request-channel': channel };
  return {
    name,
    async send(batch, signal) {
      const body = batch.map((record) => JSON.stringify(eventOf(record, spec))).join('\n');
      const path = '/services/collector/event';
      const answer = await client.post({ path, type: 'application/json', body, headers }, signal);
      const delivery = judge(answer, batch, client);
      if (delivery.kind !== 'taken' || spec.ack === null || answer.kind === 'unanswered') return delivery;
      const ackId = objectIn(answer.body)?.ackId;
      if (typeof ackId !== 'number') {
        const reason = `${client.shown} gave no ackId: acknowledgement is off for this token`;
        return { kind: 'never', reason };
      }
      return await acknowledged(client, clock, spec.ack, { ackId, channel, headers, signal });
    },
    async close() {
      await Promise.resolve(client.close());
    },
  };
}

function eventOf(record: LogRecord, spec: SplunkSpec): object {
  const { workerId, run, stream, level } = record;
  return {
    time: timeOf(record) / 1000,
    host: spec.host,
    source: spec.source ?? `hsu:${workerId}`,
    ...(spec.sourcetype === null ? {} : { sourcetype: spec.sourcetype }),
    ...(spec.index === null ? {} : { index: spec.index }),
    event: spec.event(record),
    fields: { worker: workerId, run: String(run), stream, ...(level === null ? {} : { level }) },
  };
}

function judge(answer: Answer, batch: readonly LogRecord[], client: HttpClient): Delivery {
  if (answer.kind === 'unanswered' || answer.status !== 400) return deliveryOf(answer, batch.length, client);
  const told = objectIn(answer.body);
  const reason = reasonOf(answer, client);
  if (WRONG_SETTINGS.includes(Number(told?.code))) return { kind: 'never', reason };
  const at = told?.['invalid-event-number'];
  const bad = typeof at === 'number' ? batch[at] : undefined;
  if (bad === undefined || batch.length === 1) return { kind: 'partly', refused: batch.length, reason };
  return { kind: 'rest', left: batch.filter((record) => record !== bad), refused: [bad], reason, after: 0 };
}

interface Receipt {
  readonly ackId: number;
  readonly channel: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Asks until the batch is indexed. */
async function acknowledged(
  client: HttpClient,
  clock: Clock,
  within: Milliseconds,
  { ackId, channel, headers, signal }: Receipt,
): Promise<Delivery> {
  const until = clock.now() + within;
  const path = `/services/collector/ack?channel=${channel}`;
  const body = JSON.stringify({ acks: [ackId] });
  while (clock.now() < until && !signal.aborted) {
    const answer = await client.post({ path, type: 'application/json', body, headers }, signal);
    const acks = answer.kind === 'answered' ? objectIn(answer.body)?.acks : undefined;
    if ((acks as Record<string, unknown> | undefined)?.[String(ackId)] === true) return { kind: 'taken' };
    await pause(clock, ACK_EVERY, signal);
  }
  return { kind: 'later', reason: `${client.shown} did not acknowledge in time`, after: null };
}

async function pause(clock: Clock, span: Milliseconds, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(span, resolve);
  const end = (): void => resolve();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await promise;
  signal.removeEventListener('abort', end);
  cancel();
}

/** A random UUID, which Splunk wants for the channel. */
function channelOf(clock: Clock): string {
  const digits = Array.from({ length: 32 }, (_unused, index) => {
    const digit = Math.floor(clock.random() * 16);
    if (index === 12) return '4';
    return (index === 16 ? 8 + (digit % 4) : digit).toString(16);
  }).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
