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

/** What `channel` means, for people. */
export const CHANNEL_SECTION = `## Output without a master

With \`channel: fifo\`, the default, workers write into named pipes that they hold themselves, and the master carries the bytes to files. A master
that is killed loses and doubles nothing of a living worker: what it writes meanwhile waits in the pipe (up to 1 MiB, then it waits), and the next
master goes on. A worker that *ends* while no master runs takes what nobody had read with it; that is told (\`log.dropped\`). Under systemd not
even that is lost where the service’s store of descriptors may keep the pipes, two for each worker:

\`\`\`ini
[Service]
ExecStart=/usr/bin/hsu-master run /etc/hsu-master.yaml
NotifyAccess=main
FileDescriptorStoreMax=1000
KillMode=process
Restart=on-failure
\`\`\`

With \`channel: file\` the program appends to its file itself, and nothing is lost whatever becomes of the master. The price:

- The file has what the program writes, byte for byte: no \`format\` or \`prefix\`, and a full disk is the program’s own trouble.
- It is rotated by copying it and emptying it (\`copytruncate\`), since the program goes on with the file that it holds: what it writes in the few
  microseconds between the last look and the emptying is lost uncounted. \`max_size: 0\` never rotates.
- It is the worker’s user’s; a program that opens \`/dev/stdout\` anew by \`>\` empties it.
- A file that others rename or delete is not begun anew before the next run.
- Where both streams go to one file, all lines count as those of stdout.
- Targets get what is written while a master runs, up to a tenth of a second later; what was written without one is in the files.
- Without the addon it works as \`fifo\` does there: by pipes.`;

/** What targets take, for people. */
export const TARGETS_SECTION = `## Targets

Each worker has a file of its own for each stream, written by the addon: byte for byte, or in another \`format\` or with a \`prefix\` (without
the addon: byte for byte), untouched by filters and the like. Beside it, lines go as they leave the pipeline

- of all workers to \`log_collection.global_aggregation.targets\`,
- of one worker to \`outputs.forwarding\` or \`forwarding.targets\` (\`log.forwarding\` in the short form); what \`default_worker\` says holds for
  workers that say nothing of it,
- of one stream to what \`outputs.separate\` names behind the first file.

The same target written at several workers is one: one connection, one file, one queue. A target that nobody names costs nothing.

Before each target is a queue in memory; for services what does not fit waits on disk (\`spill\` in the state directory), where the next
master finds it. Keys of \`config\` for all types: \`buffer_size\` (8MiB), \`spill_size\` (256MiB; files and streams: 0), \`spill_directory\`, \`when_full\`
(\`drop_oldest\`, \`drop_newest\`), \`batch_lines\`, \`batch_size\`, \`flush_interval\`, \`retry_delay\`, \`max_retry_delay\`.

| type | \`endpoint\` | further keys of \`config\` |
| --- | --- | --- |
| \`file\` | none: \`path\` | none: \`rotation\` is a key of the target |
| \`stdout\`, \`stderr\`, \`master_stdout\`, \`process_manager_stdout\` … | none: the master’s own | none |
| \`syslog\` | \`udp://h:514\`, \`tcp://h:514\`, \`tls://h:6514\`, \`unix:///path\`, \`unixgram:///dev/log\` (the default) | \`syslog_format\` (rfc5424, rfc3164), \`framing\`, \`app_name\`, \`structured_data\`, \`max_message_size\` |
| \`elasticsearch\`, \`opensearch\` | http or https | \`index\`, \`ids\`, \`pipeline\` |
| \`loki\` | http or https | \`tenant\`, \`labels\`, \`level_label\`, \`structured_metadata\` |
| \`splunk\` | http or https | \`index\`, \`source\`, \`sourcetype\`, \`ack\`, \`ack_timeout\` |
| \`otlp\` | http or https | \`resource\` |
| \`webhook\`, \`http\` | http or https; gets arrays of JSON objects | none |

Services take \`timeout\`, \`compress\`, \`headers\`, \`token_scheme\`, \`ca_file\`, \`server_name\`, \`insecure_skip_verify\` and \`key_passphrase\` in \`config\`,
too, and \`authentication\`. Credentials belong into variables; no message and no \`validate\` shows them.

Where a queue has no room, lines wait as long as its target gets on, and with them the worker (\`when_full: block\`); for a target that has
taken nothing for 5 s nobody waits, and lines are dropped and counted
(\`log.dropped\`). A killed master loses what its queues had in memory; an ordered end gives targets up to 5 s, and keeps the rest on disk.

\`\`\`yaml
log_collection:
  global_aggregation:
    targets:
      - {type: file, path: all.log, format: structured_json, rotation: {max_size: 50MB, max_files: 5, max_age: 7d}}
      - type: loki
        endpoint: https://loki.example.org
        authentication: {type: token, token: '\${LOKI_TOKEN}'}
        config: {tenant: shop}
  alerts:
    - {name: errors, level: error, count: 10, within: 1m, webhook: 'https://alerts.example.org/in'}
workers:
  - id: web
    command: ./web
    log:
      format: enhanced_plain
      compress: zstd
      when_full: drop_oldest
      forwarding: [{type: syslog, endpoint: 'tls://logs.example.org', facility: local3}]
      alerts: [{name: disk, pattern: 'disk full', exec: [./page-me.sh]}]
\`\`\``;
