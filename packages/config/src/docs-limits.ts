/** How limits work, with an example that loads. */
export const LIMITS_SECTION = `## Limits

\`limits\` stands beside \`command\` in the short form and in \`unit.managed.control\` in the long form. It is about a worker with all the
processes it starts. What the kernel can hold (cgroups, rlimits) is set before the program’s first instruction; the rest is watched by
sampling. Which of the two a machine can do, limit by limit, says \`hsu-master limits explain FILE\`.

\`\`\`yaml
namespaces:
  prod: { limits: { memory: 8GB, cpu: 400% } }          # all workers of the namespace together
groups:
  web: { limits: { memory: { max_rss: 2GB, high: 1800MB }, process: { max_processes: 500 } } }
workers:
  - id: small
    command: node small.js
    limits: { memory: 256MB, cpu: 0.5 }                 # max_rss, and half a core
  - id: api
    command: node api.js
    namespace: prod
    worker_group: web
    limits:
      cpu_shares: 2048                                  # twice the ordinary share; or cpu.weight: 200
      memory:
        max_rss: 512MB
        high: 450MB
        warning_threshold: 80%
        policy: restart_adjusted                        # each time with half as much again, up to twice
        adjust: { factor: 1.5, max_factor: 2 }
      cpu:
        max_percent: 150%                               # one and a half cores
        nice: 5
        affinity: 0-3,5
        sustained_time: 30s
        escalation:
          - { policy: warn }
          - { policy: throttle, after: 1m }
          - { policy: restart, after: 5m }
          - { policy: kill, after: 5m }
      io: { max_write_bps: 20MB/s, max_write_ops: 500/s, paths: [/var/lib/api] }
      process: { max_processes: 64, max_file_descriptors: 1024, max_core_size: 0, policy: alert }
      alerts: { webhook: "https://hooks.example.com/hsu", every: 10m }
\`\`\`

- **Numbers.** Sizes as everywhere. \`50%\` or \`50\` where percent are wanted, \`1.5\` or \`"1.5"\` cores, \`20MB/s\` or bytes, \`500/s\` or 500.
  0 is no limit, but for \`max_swap\` beside \`max_rss\`, \`max_locked\` and \`max_core_size\`, where it means none at all, and for \`nice\` and
  \`oom_score_adj\`, where it is a level.
- **CPU percent** are of one core. \`cpu_shares\` become a weight as the kernel converts them: shares × 100 ÷ 1024, so 1024 is 100.
  \`priority\` is the niceness of setpriority(2): -20 is served first, 19 last.
- **An excess** begins when a value is above its limit, or the kernel held the worker back at it. One that ends within \`spike_tolerance\`
  never was: 0 for memory, process, network and storage; one sampling interval, so two samples in a row, for CPU and io. One that lasts
  \`sustained_time\` is answered. \`context_aware_restart.spike_tolerance_time\` and \`sustained_violation_time\` say both for all families.
- **Policies** answer an excess; they do not make the limit: what the kernel enforces holds in any case. \`none\`: nothing is even said.
  \`log\`: an event. \`alert\`: \`alerts\` as well. \`throttle\`: \`throttle_percent\` of one core until the excess ends, probes wait meanwhile.
  An excess of CPU or a disk rate has not ended while the tree uses at least 80 % of that share: the next step of an escalation comes in
  its time. Where none follows, the tree is let go to be looked at after three times what the excess had lasted, at least 10s; each time
  that it returns within 10m it is held twice as long, up to 10m.
  \`graceful_shutdown\`, \`immediate_kill\`: ended for good. \`restart\`: by the rule \`context_aware_restart.resource_violations\`, in the
  short form by \`restart\`. \`restart_adjusted\`: the same with a raised limit.
- **An escalation** takes one step after the other while the excess lasts; \`after\` counts from the step before. A step that restarts
  the worker is followed by the next one in the next run, if the excess returns soon.
- **Groups and namespaces** are budgets: their workers together get no more, whatever each is allowed by itself. A namespace holds its
  groups. Only memory, CPU, disk and number of processes can be shared so. A budget that is used up is told of the worker that uses the
  most of it, and of one that fails just after it was refused a process. \`group\` in a worker is the group of the user it runs as.
- **Sampling** is one rhythm, \`monitoring.interval\`, for looks, history and policies.`;
