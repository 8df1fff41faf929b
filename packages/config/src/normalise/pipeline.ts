import type {
  EnricherSpec,
  FilterSpec,
  MetadataSpec,
  MultilineSpec,
  ParserSpec,
  PipelineSpec,
  RateLimitSpec,
  RedactionSpec,
  SamplingSpec,
} from '@hsu-master/core';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import {
  USUAL_REDACTIONS,
  type WrittenEnhancement,
  type WrittenEnricher,
  type WrittenFilters,
  type WrittenMetadata,
  type WrittenParser,
  type WrittenProcessing,
} from '../schema/pipeline.ts';

/** Lines go on as they come. */
export const NO_PIPELINE: PipelineSpec = Object.freeze({
  multiline: null,
  parsers: [],
  filter: null,
  sampling: [],
  rateLimit: null,
  enrichers: [],
  correlation: null,
  redaction: null,
  metadata: null,
});

const MASK = '[redacted]';

/** Whether a pipeline does anything. */
export function doesNothing(pipeline: PipelineSpec): boolean {
  return Object.values(pipeline).every(
    (stage) => stage === null || (Array.isArray(stage) && stage.length === 0),
  );
}

/** What `enhancement` says for all workers. */
export function enhanced(
  written: WrittenEnhancement | undefined,
  at: Path,
  findings: Findings,
): PipelineSpec {
  if (written === undefined || written.enabled === false) return NO_PIPELINE;
  return {
    ...NO_PIPELINE,
    parsers: parsersOf(written.parsers ?? []),
    enrichers: enrichersOf(written.enrichers ?? [], [...at, 'enrichers'], findings),
    metadata: metadataOf(written.metadata),
  };
}

/** What holds where a block says nothing. */
interface Base {
  readonly pipeline: PipelineSpec;
  /** What is done to the lines of all workers, whatever lists a block writes. */
  readonly enhancement: PipelineSpec;
}

/** A block for one worker, or for all of them, laid over what holds anyway: each key that is written counts, the others stay. */
export function processed(
  written: { readonly processing?: WrittenProcessing; readonly filtering?: WrittenFilters },
  { pipeline: base, enhancement }: Base,
  at: Path,
  findings: Findings,
): PipelineSpec {
  const { processing = {}, filtering } = written;
  if (written.processing === undefined && filtering === undefined) return base;
  const where = [...at, 'processing'];
  const { multiline, sampling, rate_limit, correlation, redact, enrichers } = processing;
  return {
    multiline:
      multiline === undefined ? base.multiline : multilineOf(multiline, [...where, 'multiline'], findings),
    parsers: structuredParsers(processing, base.parsers, enhancement.parsers),
    filter: filterOf([processing.filters, filtering], base.filter),
    sampling: sampling === undefined ? base.sampling : samplingOf(sampling),
    rateLimit: rate_limit === undefined ? base.rateLimit : rateLimitOf(rate_limit),
    enrichers:
      enrichers === undefined
        ? base.enrichers
        : [...enrichersOf(enrichers, [...where, 'enrichers'], findings), ...enhancement.enrichers],
    correlation: correlation === undefined ? base.correlation : correlationOf(correlation),
    redaction: redact === undefined ? base.redaction : redactionOf(redact),
    metadata: addedMetadata(processing.add_metadata, base.metadata),
  };
}

const PARSER_TYPES = {
  json: 'json',
  logfmt: 'logfmt',
  timestamp_extraction: 'timestamp',
  level_extraction: 'level',
} as const;

function parsersOf(written: readonly WrittenParser[]): readonly ParserSpec[] {
  return written
    .filter(({ enabled }) => enabled !== false)
    .map(({ type, config = {} }): ParserSpec => {
      const kind = PARSER_TYPES[type];
      if (kind === 'timestamp' || kind === 'level') return { type: kind, pattern: config.pattern ?? null };
      return structured(kind, config);
    });
}

function structured(type: 'json' | 'logfmt', config: NonNullable<WrittenParser['config']> = {}): ParserSpec {
  return {
    type,
    levelKey: config.level_key ?? null,
    timeKey: config.time_key ?? null,
    messageKey: config.message_key ?? null,
  };
}

const isStructured = ({ type }: ParserSpec) => type === 'json' || type === 'logfmt';

/** The parsers that are written and then those for all workers, else those of the base; `parse_structured` adds what understands structured lines, or takes it away. */
function structuredParsers(
  { parsers, parse_structured: wanted }: WrittenProcessing,
  base: readonly ParserSpec[],
  forAll: readonly ParserSpec[],
): readonly ParserSpec[] {
  const own = parsers === undefined ? null : parsersOf(parsers);
  const given =
    own === null ? base : [...own, ...forAll.filter(({ type }) => own.every((each) => each.type !== type))];
  if (wanted === undefined) return given;
  if (!wanted) return given.filter((parser) => !isStructured(parser));
  const missing = (['json', 'logfmt'] as const).filter(
    (type) => !given.some((parser) => parser.type === type),
  );
  const at = given.findLastIndex(isStructured) + 1;
  return given.toSpliced(at, 0, ...missing.map((type) => structured(type)));
}

function metadataOf(written: WrittenMetadata | undefined): MetadataSpec | null {
  const spec: MetadataSpec = {
    masterId: written?.add_master_id ?? written?.add_process_manager_id ?? false,
    hostname: written?.add_hostname ?? false,
    timestamp: written?.add_timestamp ?? false,
    sequence: written?.add_sequence ?? false,
    lineNumber: written?.add_line_number ?? false,
  };
  return Object.values(spec).includes(true) ? spec : null;
}

function addedMetadata(wanted: boolean | undefined, base: MetadataSpec | null): MetadataSpec | null {
  if (wanted === undefined) return base;
  if (!wanted) return null;
  return base ?? { masterId: true, hostname: true, timestamp: true, sequence: true, lineNumber: true };
}

/** Both spellings add up; a list that is written replaces that of the base. */
function filterOf(
  written: readonly (WrittenFilters | undefined)[],
  base: FilterSpec | null,
): FilterSpec | null {
  const list = (key: 'include_patterns' | 'exclude_patterns'): readonly string[] | null => {
    const lists = written.flatMap((filters) => (filters?.[key] === undefined ? [] : [filters[key]]));
    return lists.length === 0 ? null : lists.flat();
  };
  const level = written.map((filters) => filters?.level_filter).findLast((each) => each !== undefined);
  const filter: FilterSpec = {
    include: list('include_patterns') ?? base?.include ?? [],
    exclude: list('exclude_patterns') ?? base?.exclude ?? [],
    minLevel: level === undefined ? (base?.minLevel ?? null) : level,
  };
  const isNothing = filter.include.length === 0 && filter.exclude.length === 0 && filter.minLevel === null;
  return isNothing ? null : filter;
}

function multilineOf(
  written: NonNullable<WrittenProcessing['multiline']>,
  at: Path,
  findings: Findings,
): MultilineSpec | null {
  const usual = { firstLine: null, continues: null, maxLines: 500, maxBytes: 262_144, timeout: 500 };
  if (typeof written === 'string') return written === 'none' ? null : { ...usual, presets: [written] };
  if (isList(written)) return written.length === 0 ? null : { ...usual, presets: written };
  const { presets = [], first_line: firstLine = null, continues = null } = written;
  if (presets.length === 0 && firstLine === null && continues === null) {
    findings.errorAt(at, {
      message: 'says nothing about which lines belong together',
      hint: 'write presets, first_line or continues',
    });
  }
  return {
    presets,
    firstLine,
    continues,
    maxLines: written.max_lines ?? usual.maxLines,
    maxBytes: written.max_bytes ?? usual.maxBytes,
    timeout: written.timeout ?? usual.timeout,
  };
}

function samplingOf(written: NonNullable<WrittenProcessing['sampling']>): readonly SamplingSpec[] {
  if (typeof written === 'number') return written === 1 ? [] : [{ pattern: null, share: written }];
  const entries = isList(written) ? written : [written];
  return entries.map(({ pattern = null, share }) => ({ pattern, share }));
}

function rateLimitOf(written: NonNullable<WrittenProcessing['rate_limit']>): RateLimitSpec {
  const {
    lines_per_second: perSecond,
    burst,
    notice_after,
  } = typeof written === 'number'
    ? { lines_per_second: written, burst: undefined, notice_after: undefined }
    : { burst: undefined, notice_after: undefined, ...written };
  return {
    perSecond,
    burst: burst ?? Math.max(1, Math.ceil(perSecond)),
    noticeAfter: notice_after ?? 10_000,
  };
}

function correlationOf(written: NonNullable<WrittenProcessing['correlation']>): PipelineSpec['correlation'] {
  if (typeof written === 'boolean') return written ? { patterns: [] } : null;
  return { patterns: written.patterns ?? [] };
}

function redactionOf(written: NonNullable<WrittenProcessing['redact']>): RedactionSpec | null {
  if (typeof written === 'boolean')
    return written ? { presets: USUAL_REDACTIONS, patterns: [], keys: [] } : null;
  if (isList(written)) return written.length === 0 ? null : { presets: written, patterns: [], keys: [] };
  return {
    presets: written.presets ?? USUAL_REDACTIONS,
    patterns: (written.patterns ?? []).map((secret) =>
      typeof secret === 'string'
        ? { pattern: secret, replacement: MASK }
        : { pattern: secret.pattern, replacement: secret.replacement ?? MASK },
    ),
    keys: written.keys ?? [],
  };
}

function enrichersOf(
  written: readonly WrittenEnricher[],
  at: Path,
  findings: Findings,
): readonly EnricherSpec[] {
  return written.flatMap((enricher, index) => {
    if (enricher.enabled === false) return [];
    const spec = enricherOf(enricher, [...at, index], findings);
    return spec === null ? [] : [spec];
  });
}

function enricherOf(written: WrittenEnricher, at: Path, findings: Findings): EnricherSpec | null {
  const { type, config = {} } = written;
  const source = config.source ?? null;
  const lacking = (key: string, hint: string): null => {
    // A value that was wrong has been told of.
    if (!findings.hasErrorBelow(at))
      findings.errorAt(at, { message: `the ${type} enricher lacks ${key}`, hint });
    return null;
  };
  switch (type) {
    case 'regex': {
      const { pattern } = config;
      if (pattern === undefined)
        return lacking('its pattern', 'write config: {pattern: …} with named groups');
      return { type, pattern, source: source === '' ? null : source };
    }
    case 'json_extract': {
      const paths = pathsOf(config);
      if (paths === null)
        return lacking('its paths', 'write config: {path: a.b} or config: {fields: {name: a.b}}');
      return { type, paths, source };
    }
    case 'static':
      if (config.fields === undefined) return lacking('its fields', 'write config: {fields: {name: value}}');
      return { type, fields: config.fields };
    case 'geo_ip':
      findings.noticeAt('geo_ip', at, () => ({
        message:
          'geo_ip is not done: it takes a database of addresses and places, which this program neither carries nor fetches',
        hint: 'let the service that stores the lines do it',
      }));
      return null;
  }
}

/** `context.user.id`, also as `$.context.user.id` and `/context/user/id`. */
function pathOf(text: string): readonly string[] {
  const separator = text.startsWith('/') ? '/' : '.';
  return text
    .replace(/^(?:\$\.?|\/)/, '')
    .split(separator)
    .filter((step) => step !== '');
}

function pathsOf(
  config: NonNullable<WrittenEnricher['config']>,
): Readonly<Record<string, readonly string[]>> | null {
  const paths: Record<string, readonly string[]> = {};
  for (const [field, path] of Object.entries(config.fields ?? {})) paths[field] = pathOf(path);
  if (config.path !== undefined) {
    const path = pathOf(config.path);
    const field = config.field ?? path.at(-1);
    if (field !== undefined) paths[field] = path;
  }
  const all = Object.values(paths);
  return all.length === 0 || all.some((path) => path.length === 0) ? null : paths;
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}
