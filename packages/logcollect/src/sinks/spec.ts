import type { Bytes, Milliseconds } from '@hsu-master/core';
import type { FormatSpec } from '../pipeline/format.ts';
import type { QueueSpec } from './queue-spec.ts';
import type { Facility } from './syslog-message.ts';
import type { Framing, SyslogAddress } from './syslog-wire.ts';
import type { TlsSpec } from './tls.ts';

export type AuthSpec =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Sent as `SCHEME TOKEN` in the Authorization header. */
  | { readonly kind: 'token'; readonly scheme: string; readonly token: string };

export interface HttpPlan {
  /** http or https; with the path where requests go, or the one that the service’s own paths are below. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: AuthSpec;
  readonly tls: TlsSpec;
  readonly timeout: Milliseconds;
  readonly gzip: boolean;
}

export type Destination =
  | {
      readonly kind: 'file';
      /** Absolute. */
      readonly path: string;
      readonly maxSize: Bytes;
      readonly maxFiles: number;
      readonly maxAge: Milliseconds | null;
    }
  /** The master’s own. */
  | { readonly kind: 'stdout' | 'stderr' }
  | {
      readonly kind: 'syslog';
      readonly address: SyslogAddress;
      readonly framing: Framing;
      readonly standard: 'rfc5424' | 'rfc3164';
      readonly facility: Facility;
      readonly appName: string | null;
      readonly structuredData: string | null;
      readonly maxBytes: Bytes;
      readonly timeout: Milliseconds;
    }
  | {
      readonly kind: 'elasticsearch';
      readonly http: HttpPlan;
      readonly index: string;
      readonly ids: boolean;
      readonly pipeline: string | null;
    }
  | {
      readonly kind: 'loki';
      readonly http: HttpPlan;
      readonly labels: Readonly<Record<string, string>>;
      readonly levelLabel: boolean;
      readonly metadata: boolean;
    }
  | {
      readonly kind: 'splunk';
      readonly http: HttpPlan;
      readonly index: string | null;
      readonly source: string | null;
      readonly sourcetype: string | null;
      readonly ack: Milliseconds | null;
    }
  | { readonly kind: 'otlp'; readonly http: HttpPlan; readonly resource: Readonly<Record<string, string>> }
  | { readonly kind: 'webhook'; readonly http: HttpPlan };

/** One sink with the queue before it. */
export interface SinkSpec {
  /** Unique; names the folder of the spill. */
  readonly name: string;
  readonly to: Destination;
  /** How a record becomes a line of text, where the sink sends lines. */
  readonly text: FormatSpec;
  readonly queue: QueueSpec;
}
