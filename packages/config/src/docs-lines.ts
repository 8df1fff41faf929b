/** What happens to lines, for people: the rows of the reference say one key each. */
export const LINES_SECTION = `## Lines on their way

A worker’s own plain files keep every byte. What goes on to targets and readers passes the stages that are asked for, in this order; where
nothing is asked for, lines go on as they come.

1. \`multiline\`: lines that belong together become one record.
2. \`parsers\`: level, time and message are found, what else a structured line says becomes fields. Level: \`level\`, \`severity\`, \`lvl\`,
   \`log.level\`, by name or by the numbers of pino, bunyan and syslog. Time: \`time\`, \`ts\`, \`timestamp\`, \`@timestamp\`, in ISO 8601, RFC 3164,
   the common log format or since 1970. Message: \`msg\`, \`message\`. The parsers of a worker come before those of \`enhancement\`.
3. \`filters\` (also written \`filtering\`): lines are left out by pattern and by level.
4. \`sampling\`, then \`rate_limit\`: what the limit leaves out is counted, and told in a line.
5. \`enrichers\`: fields are added. Those of a worker come before those of \`enhancement\`.
6. \`correlation\`: ids of traces and requests become \`trace_id\`, \`span_id\` and \`request_id\`, whatever the worker calls them.
7. \`redact\`: secrets in line, message and fields are replaced by \`[redacted]\`.
8. \`metadata\`: what the master knows is added.

\`processing\` of a worker is laid over that of \`default_worker\` key by key; a list that is written replaces the other.

\`\`\`yaml
log_collection:
  enhancement:
    parsers: [{type: json}]
    metadata: {add_hostname: true, add_sequence: true}
  default_worker:
    processing:
      redact: true
      filters: {exclude_patterns: ['GET /health'], level_filter: info}
workers:
  - id: web
    command: java -jar web.jar
    log:
      processing:
        multiline: java
        correlation: true
        rate_limit: {lines_per_second: 500, burst: 2000}
        sampling: [{pattern: 'cache (?:hit|miss)', share: 1%}]
        enrichers: [{type: regex, config: {pattern: 'user=(?P<user>\\w+)'}}]
\`\`\``;
