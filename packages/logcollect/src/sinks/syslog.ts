import type { Clock, Milliseconds } from '@hsu-master/core';
import { quoted } from './secrets.ts';
import type { Delivery, Sink } from './sink.ts';
import { type SyslogMessageSpec, syslogMessage } from './syslog-message.ts';
import {
  type Framing,
  StreamWire,
  type SyslogAddress,
  UdpWire,
  type UnixDatagram,
  UnixDatagramWire,
  type Wire,
} from './syslog-wire.ts';

export interface SyslogSpec {
  readonly address: SyslogAddress;
  readonly framing: Framing;
  readonly message: SyslogMessageSpec;
  /** Of a connection, and of a batch that the server does not take. */
  readonly timeout: Milliseconds;
  readonly secrets: readonly string[];
}

/** Sends to a syslog server. What is on its way counts as taken: syslog has no acknowledgement. */
export function syslogSink(
  name: string,
  spec: SyslogSpec,
  clock: Clock,
  unixDatagram: UnixDatagram | null,
): Sink {
  const wire = wireTo(spec, clock, unixDatagram);
  return {
    name,
    async send(batch, signal): Promise<Delivery> {
      if (wire === null) {
        const reason = 'datagram sockets need the native addon, which is not there; use udp or tcp';
        return { kind: 'never', reason };
      }
      const messages = batch.map((record) => syslogMessage(record, spec.message));
      const { sent, reason } = await wire.send(messages, signal);
      if (reason === null) return { kind: 'taken' };
      const told = quoted(`${shownAddress(spec.address)}: ${reason}`, spec.secrets);
      if (sent === 0) return { kind: 'later', reason: told, after: null };
      return { kind: 'rest', left: batch.slice(sent), refused: 0, reason: told, after: null };
    },
    async close() {
      await Promise.resolve(wire?.close());
    },
  };
}

function wireTo(spec: SyslogSpec, clock: Clock, unixDatagram: UnixDatagram | null): Wire | null {
  const { address, framing, timeout } = spec;
  switch (address.kind) {
    case 'udp':
      return new UdpWire(address, clock);
    case 'unix-datagram':
      return unixDatagram === null ? null : new UnixDatagramWire(address.path, unixDatagram, clock);
    default:
      return new StreamWire(address, framing, timeout, clock);
  }
}

function shownAddress(address: SyslogAddress): string {
  return 'path' in address ? address.path : `${address.kind}://${address.host}:${address.port}`;
}
