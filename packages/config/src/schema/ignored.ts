// The one list of keys that documents and examples of the original show but its code never read. Each is accepted with one
// warning. Keys that are neither here nor in the schema are errors. The texts say what to write instead.

type Ignored = Readonly<Record<string, string>>;

const REMOVE = 'remove it';

export const IGNORED = {
  root: {
    restart_circuit_breaker: 'write unit.managed.control.context_aware_restart in each worker',
  },
  master: {
    logging: 'write log_level',
    log_collection: 'write log_collection at the top level',
  },
  worker: {
    log_config: 'write unit.managed.control.log_collection',
    management: 'write unit',
  },
  control: {
    restart: 'write restart_policy and context_aware_restart',
    executable: 'write execution.executable_path',
    arguments: 'write execution.args',
    startup_timeout: 'write a startup probe: probes.startup',
    shutdown_timeout: 'write graceful_timeout',
    resource_limits: 'write limits',
  },
  execution: {
    command: 'write executable_path and args, or use the short form',
  },
  processFile: {
    base_directory: 'the original reads basedirectory',
    service_context: 'the original reads servicecontext',
    app_name: 'the original reads appname',
    use_subdirectory: 'the original reads usesubdirectory',
  },
  limits: {
    memory_limits: 'write memory',
    cpu_limits: 'write cpu',
    io_limits: 'write io',
    process_limits: 'write process',
    max_open_files: 'write process.max_file_descriptors',
  },
  memory: { limit_bytes: 'write max_rss', max_memory_mb: 'write max_rss' },
  cpu: { limit_percent: 'write max_percent' },
  healthCheck: {
    http_endpoint: 'write type: http and http.url',
    failure_threshold: 'write run_options.retries, or use probes',
  },
  logCollection: {
    aggregation: REMOVE,
    output: 'write outputs',
  },
} as const satisfies Record<string, Ignored>;
