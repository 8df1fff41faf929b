import { formatDuration, formatSize, type PipelineSpec } from '@hsu-master/core';

/** Says in words what is done with the lines of a worker. */
export function describePipeline(pipeline: PipelineSpec): string {
  const { multiline, parsers, filter, sampling, rateLimit, enrichers, correlation, redaction, metadata } =
    pipeline;
  const parts: string[] = [];
  if (multiline !== null) {
    const kinds = multiline.presets.length === 0 ? 'patterns' : multiline.presets.join(', ');
    parts.push(`joined by ${kinds} (at most ${multiline.maxLines} lines, ${formatSize(multiline.maxBytes)})`);
  }
  if (parsers.length > 0) parts.push(`parsed as ${parsers.map(({ type }) => type).join(', ')}`);
  if (filter !== null) {
    if (filter.minLevel !== null) parts.push(`from level ${filter.minLevel} on`);
    if (filter.include.length > 0) parts.push(`only those that match ${counted(filter.include, 'pattern')}`);
    if (filter.exclude.length > 0)
      parts.push(`without those that match ${counted(filter.exclude, 'pattern')}`);
  }
  for (const { pattern, share } of sampling)
    parts.push(`${Math.round(share * 1e4) / 100} % ${pattern === null ? 'of them' : `of ${pattern}`}`);
  if (rateLimit !== null) {
    const told = `told after ${formatDuration(rateLimit.noticeAfter)}`;
    parts.push(`at most ${rateLimit.perSecond} a second, ${rateLimit.burst} at once (${told})`);
  }
  if (enrichers.length > 0) parts.push(`enriched by ${enrichers.map(({ type }) => type).join(', ')}`);
  if (correlation !== null) parts.push('ids of traces and requests found');
  if (redaction !== null) parts.push('secrets redacted, but for its own files');
  if (metadata !== null) parts.push('metadata added');
  return parts.join('; ');
}

function counted(list: readonly string[], word: string): string {
  return `${list.length} ${word}${list.length === 1 ? '' : 's'}`;
}
