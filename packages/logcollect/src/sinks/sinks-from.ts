import type { Clock } from '@hsu-master/core';
import { formatter } from '../pipeline/format.ts';
import type { LogRecord } from '../record.ts';
import { type ConsoleOut, consoleSink } from './console.ts';
import { documentOf } from './document.ts';
import { elasticsearchSink } from './elasticsearch.ts';
import { fileSink } from './file.ts';
import { HttpClient } from './http.ts';
import { lokiSink } from './loki.ts';
import { otlpSink } from './otlp.ts';
import { SinkQueue } from './queue.ts';
import type { SinkNews } from './queue-spec.ts';
import type { Sink } from './sink.ts';
import type { AuthSpec, HttpPlan, SinkSpec } from './spec.ts';
import type { SpillDisk } from './spill-disk.ts';
import { splunkSink } from './splunk.ts';
import { syslogSink } from './syslog.ts';
import type { UnixDatagram } from './syslog-wire.ts';
import { webhookSink } from './webhook.ts';

export interface SinkSurroundings {
  readonly clock: Clock;
  readonly hostname: string;
  readonly masterId: string;
  /** The master’s own streams. */
  readonly stdout: ConsoleOut;
  readonly stderr: ConsoleOut;
  /** For `/dev/log`; null: not to be had. */
  readonly unixDatagram: UnixDatagram | null;
  /** Must not throw. */
  news(news: SinkNews): void;
  /** The file system of the spills; by default the real one. */
  readonly disk?: SpillDisk;
}

/** Makes the sinks, each behind its queue. Nothing is opened or loaded before the first record. */
export function sinksFrom(specs: readonly SinkSpec[], surroundings: SinkSurroundings): SinkQueue[] {
  return specs.map((spec) => new SinkQueue(sinkOf(spec, surroundings), spec.queue, surroundings));
}

function sinkOf({ name, to, text }: SinkSpec, surroundings: SinkSurroundings): Sink {
  const { clock, hostname: host } = surroundings;
  const format = formatter(text, surroundings);
  switch (to.kind) {
    case 'file':
      return fileSink(name, { ...to, format }, clock);
    case 'stdout':
    case 'stderr':
      return consoleSink(name, format, surroundings[to.kind]);
    case 'syslog': {
      const { address, framing, timeout } = to;
      const oneLine =
        framing === 'newline' &&
        (address.kind === 'tcp' || address.kind === 'tls' || address.kind === 'unix');
      const isLocal = address.kind === 'unix-datagram' && to.standard === 'rfc3164';
      const message = { ...to, host: isLocal ? null : host, oneLine, format };
      const secrets =
        address.kind === 'tls' && address.tls.passphrase !== null ? [address.tls.passphrase] : [];
      return syslogSink(
        name,
        { address, framing, message, timeout, secrets },
        clock,
        surroundings.unixDatagram,
      );
    }
    case 'elasticsearch':
      return elasticsearchSink(name, { ...to, host }, clientOf(to.http, clock));
    case 'loki':
      return lokiSink(name, { ...to, host, format }, clientOf(to.http, clock));
    case 'splunk': {
      const isText = text.format === 'plain' || text.format === 'enhanced_plain';
      const event = isText ? format : (record: LogRecord) => documentOf(record, host);
      return splunkSink(name, { ...to, host, event }, clientOf(to.http, clock), clock);
    }
    case 'otlp':
      return otlpSink(name, { ...to, host }, clientOf(to.http, clock));
    case 'webhook':
      return webhookSink(name, host, clientOf(to.http, clock));
  }
}

function clientOf(plan: HttpPlan, clock: Clock): HttpClient {
  const { auth, tls, headers, timeout, gzip } = plan;
  const secrets = [
    ...secretsOf(auth),
    ...(tls.passphrase === null ? [] : [tls.passphrase]),
    // Keys of other services travel in headers of their own.
    ...Object.values(headers).filter(({ length }) => length >= 8),
  ];
  const own = { ...headers, ...authorization(auth) };
  return new HttpClient({ url: new URL(plan.url), headers: own, tls, timeout, gzip, secrets }, clock);
}

function authorization(auth: AuthSpec): Readonly<Record<string, string>> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'basic':
      return { authorization: `Basic ${basicOf(auth)}` };
    case 'token':
      return { authorization: `${auth.scheme} ${auth.token}` };
  }
}

function basicOf({ username, password }: AuthSpec & { kind: 'basic' }): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function secretsOf(auth: AuthSpec): readonly string[] {
  if (auth.kind === 'basic') return [auth.password, basicOf(auth)];
  return auth.kind === 'token' ? [auth.token] : [];
}
