import type { Bytes, Milliseconds } from '../units.ts';
import type { LogLevel } from './level.ts';

/** A value in the fields of a log record: what JSON can say. */
export type LogValue =
  | string
  | number
  | boolean
  | null
  | readonly LogValue[]
  | { readonly [key: string]: LogValue };

export const STACK_TRACES = ['java', 'python', 'node', 'go'] as const;
export type StackTrace = (typeof STACK_TRACES)[number];

/** Which lines are joined to the one before them. Patterns are in the form that `compilePattern` takes, here and below. */
export interface MultilineSpec {
  /** Kinds of stack traces that are known by their looks. */
  readonly presets: readonly StackTrace[];
  /** Lines that match begin a record, all others continue it; null: no such pattern. */
  readonly firstLine: string | null;
  /** Lines that match continue the record before them; null: no such pattern. */
  readonly continues: string | null;
  readonly maxLines: number;
  readonly maxBytes: Bytes;
  /** A record is handed on when nothing was added to it for so long. */
  readonly timeout: Milliseconds;
}

/** Finds out level, time and message of a line. Each acts on what those before it have not found. */
export type ParserSpec =
  | {
      readonly type: 'json' | 'logfmt';
      /** Names of keys that come before the customary ones; dots lead into objects. */
      readonly levelKey: string | null;
      readonly timeKey: string | null;
      readonly messageKey: string | null;
    }
  | {
      readonly type: 'timestamp';
      /** Its group `time`, else its first, is the time; null: the customary forms, at the beginning of the line. */
      readonly pattern: string | null;
    }
  | {
      readonly type: 'level';
      /** Its group `level`, else its first, is the level; null: the customary forms. */
      readonly pattern: string | null;
    };

export interface FilterSpec {
  /** Where there are any, a line that matches none of them is left out. */
  readonly include: readonly string[];
  /** A line that matches one of them is left out, whatever `include` says. */
  readonly exclude: readonly string[];
  /** A line of a lower level is left out; one without a level is kept. */
  readonly minLevel: LogLevel | null;
}

export interface SamplingSpec {
  /** Which lines; null: those that no earlier entry is about. */
  readonly pattern: string | null;
  /** The share that is kept, from 0 to 1. */
  readonly share: number;
}

export interface RateLimitSpec {
  /** Lines that are let through in the long run. */
  readonly perSecond: number;
  /** Lines that are let through at once after a time of quiet. */
  readonly burst: number;
  /** What was left out is told in a line after so long at the earliest, while it goes on. */
  readonly noticeAfter: Milliseconds;
}

export type EnricherSpec =
  /** Named groups become fields. */
  | {
      readonly type: 'regex';
      readonly pattern: string;
      /** The field that is searched; null: the line. */
      readonly source: string | null;
    }
  /** What stands at a path in the JSON of the line becomes a field. */
  | {
      readonly type: 'json_extract';
      readonly paths: Readonly<Record<string, readonly string[]>>;
      /** The field whose text holds the JSON; null: the line. */
      readonly source: string | null;
    }
  | { readonly type: 'static'; readonly fields: Readonly<Record<string, LogValue>> };

export const REDACTIONS = [
  'bearer',
  'url_password',
  'aws',
  'key_value',
  'jwt',
  'private_key',
  'card',
] as const;
export type Redaction = (typeof REDACTIONS)[number];

/** What is made unreadable in text, message and fields. */
export interface RedactionSpec {
  readonly presets: readonly Redaction[];
  readonly patterns: readonly {
    readonly pattern: string;
    /** Stands in the place of each match. */
    readonly replacement: string;
  }[];
  /** Further names whose values are secret, beside password, secret, token and the like. */
  readonly keys: readonly string[];
}

/** Finds ids of traces and requests, so that lines of several workers can be brought together. */
export interface CorrelationSpec {
  /** Searched before the customary forms; their groups `trace_id`, `span_id` and `request_id` are the ids. */
  readonly patterns: readonly string[];
}

/** What the master knows of a line and adds as fields. */
export interface MetadataSpec {
  readonly masterId: boolean;
  readonly hostname: boolean;
  readonly timestamp: boolean;
  readonly sequence: boolean;
  readonly lineNumber: boolean;
}

/** What is done with the lines of a worker before they go on, in the order of these keys; null and empty: nothing. */
export interface PipelineSpec {
  readonly multiline: MultilineSpec | null;
  readonly parsers: readonly ParserSpec[];
  readonly filter: FilterSpec | null;
  readonly sampling: readonly SamplingSpec[];
  readonly rateLimit: RateLimitSpec | null;
  readonly enrichers: readonly EnricherSpec[];
  readonly correlation: CorrelationSpec | null;
  readonly redaction: RedactionSpec | null;
  readonly metadata: MetadataSpec | null;
}
