import type { Bytes } from '@hsu-master/core';
import { FORMATS, type FormatSpec } from '../pipeline/format.ts';
import { Keys, type TargetIssue } from './keys.ts';
import { spillFolderName } from './left-spills.ts';
import { DEFAULT_QUEUE, type QueueSpec } from './queue-spec.ts';
import { readHttp, readToken } from './read-http.ts';
import { readSyslog } from './read-syslog.ts';
import { type Destination, type SinkSpec } from './spec.ts';

/**
 * A target as people write it in `global_aggregation.targets`, `outputs.separate`, `outputs.forwarding` and `forwarding.targets`:
 * `type path endpoint facility format prefix rotation authentication config`. Sizes may be numbers of bytes; `rotation.max_age` may be a
 * number of milliseconds, all other durations are texts with units.
 */
export type WrittenTarget = Readonly<Record<string, unknown>>;

export interface TargetPlace {
  /** Unique among all sinks: names the spill’s folder. */
  readonly name: string;
  /** Makes the path of a file absolute. */
  resolve(path: string): string;
  /** The folder for what does not fit into memory; null: nothing goes to disk unless the target says where. */
  readonly spillFolder: string | null;
}

type Kind = Destination['kind'];

/** What the original, its successors and people call them. */
const TYPES: Readonly<Record<string, Kind>> = {
  file: 'file',
  stdout: 'stdout',
  stderr: 'stderr',
  master_stdout: 'stdout',
  master_stderr: 'stderr',
  process_manager_stdout: 'stdout',
  process_manager_stderr: 'stderr',
  syslog: 'syslog',
  elasticsearch: 'elasticsearch',
  opensearch: 'elasticsearch',
  loki: 'loki',
  splunk: 'splunk',
  splunk_hec: 'splunk',
  otlp: 'otlp',
  opentelemetry: 'otlp',
  webhook: 'webhook',
  http: 'webhook',
};

const MIB: Bytes = 1024 * 1024;
const DEFAULT_SPILL: Bytes = 256 * MIB;

/** Reads one target. Where something is wrong, `spec` is null and `issues` say what, each with the path from the target on. */
export function readTarget(
  written: WrittenTarget,
  place: TargetPlace,
): { readonly spec: SinkSpec | null; readonly issues: readonly TargetIssue[] } {
  const issues: TargetIssue[] = [];
  const target = new Keys(written, '', issues);
  const type = target.text('type') ?? 'file';
  const kind = TYPES[type.toLowerCase()];
  if (kind === undefined) {
    target.refuse('type', `must be one of ${Object.keys(TYPES).join(', ')}`);
    return { spec: null, issues };
  }
  const config = target.inner('config');
  const to = readDestination(kind, target, config, place);
  const text = readText(kind, target);
  const queue = readQueue(kind, config, place);
  config.end();
  target.end();
  const spec = to === null || issues.length > 0 ? null : { name: place.name, to, text, queue };
  return { spec, issues };
}

function readText(kind: Kind, target: Keys): FormatSpec {
  const isRead = kind === 'file' || kind === 'stdout' || kind === 'stderr';
  const usual = kind === 'splunk' ? 'structured_json' : isRead ? 'enhanced_plain' : 'plain';
  const format = target.choice('format', FORMATS, usual);
  const isTerminal = kind === 'stdout' || kind === 'stderr';
  return { format, prefix: target.text('prefix'), controls: isTerminal ? 'harmless' : 'keep' };
}

function readQueue(kind: Kind, config: Keys, place: TargetPlace): QueueSpec {
  const isRemote = !['file', 'stdout', 'stderr'].includes(kind);
  const maxBytes = config.size('spill_size', isRemote ? DEFAULT_SPILL : 0);
  const folder = config.text('spill_directory') ?? place.spillFolder;
  const whenFull = config.choice('when_full', ['drop_oldest', 'drop_newest'], 'drop_oldest');
  return {
    memory: Math.max(64 * 1024, config.size('buffer_size', DEFAULT_QUEUE.memory)),
    batchCount: config.count('batch_lines', DEFAULT_QUEUE.batchCount, 1, 100_000),
    batchBytes: Math.max(1024, config.size('batch_size', DEFAULT_QUEUE.batchBytes)),
    batchAge: config.duration('flush_interval', DEFAULT_QUEUE.batchAge),
    firstRetry: Math.max(1, config.duration('retry_delay', DEFAULT_QUEUE.firstRetry)),
    longestRetry: Math.max(1, config.duration('max_retry_delay', DEFAULT_QUEUE.longestRetry)),
    whenFull: whenFull === 'drop_oldest' ? 'drop-oldest' : 'drop-newest',
    spill:
      maxBytes === 0 || folder === null
        ? null
        : { folder: `${folder}/${spillFolderName(place.name)}`, maxBytes },
  };
}

function readDestination(kind: Kind, target: Keys, config: Keys, place: TargetPlace): Destination | null {
  switch (kind) {
    case 'file':
      return readFile(target, place);
    case 'stdout':
    case 'stderr':
      return { kind };
    case 'syslog':
      return readSyslog(target, config);
    case 'elasticsearch': {
      const http = readHttp(target, config, { scheme: readToken(config, 'ApiKey') });
      const index = config.text('index') ?? 'logs-hsu-default';
      return http && { kind, http, index, ids: config.flag('ids', false), pipeline: config.text('pipeline') };
    }
    case 'loki': {
      const tenant = config.text('tenant');
      const headers = tenant === null ? {} : { 'x-scope-orgid': tenant };
      const strip = /\/loki\/api\/v1\/push\/?$/;
      const http = readHttp(target, config, { headers, strip, scheme: readToken(config, 'Bearer') });
      const labels = config.texts('labels');
      const levelLabel = config.flag('level_label', false);
      return http && { kind, http, labels, levelLabel, metadata: config.flag('structured_metadata', true) };
    }
    case 'splunk':
      return readSplunk(target, config);
    case 'otlp': {
      const http = readHttp(target, config, { path: '/v1/logs', scheme: readToken(config, 'Bearer') });
      return http && { kind, http, resource: config.texts('resource') };
    }
    case 'webhook': {
      const http = readHttp(target, config, { scheme: readToken(config, 'Bearer') });
      return http && { kind, http };
    }
  }
}

function readFile(target: Keys, place: TargetPlace): Destination | null {
  const path = target.text('path');
  const rotation = target.inner('rotation', true);
  const maxSize = rotation.size('max_size', 100 * MIB);
  const maxFiles = rotation.count('max_files', 10, 0, 1000);
  const maxAge = rotation.duration('max_age', null);
  rotation.end();
  if (path === null || path === '') {
    target.refuse('path', 'is needed: the file to write');
    return null;
  }
  return { kind: 'file', path: place.resolve(path), maxSize, maxFiles, maxAge };
}

function readSplunk(target: Keys, config: Keys): Destination | null {
  const strip = /\/services\/collector(\/event)?\/?$/;
  const http = readHttp(target, config, { strip, scheme: 'Splunk' });
  const isAcked = config.flag('ack', false);
  const within = config.duration('ack_timeout', 60_000);
  const [index, source, sourcetype] = ['index', 'source', 'sourcetype'].map((key) => config.text(key));
  if (http === null) return null;
  if (http.auth.kind !== 'token')
    target.refuse('authentication', 'must be of type token: the collector’s token');
  return {
    kind: 'splunk',
    http,
    index: index ?? null,
    source: source ?? null,
    sourcetype: sourcetype ?? '_json',
    ack: isAcked ? within : null,
  };
}
