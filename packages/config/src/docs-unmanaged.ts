/** What docs/config.md says of processes that others start. */
export const UNMANAGED_SECTION = `## Processes that others start

An *unmanaged* unit is attached to a process that somebody else starts: an init system, a person, another program. The master looks
for it, watches it, asks its probes, reads its log files, limits it by what can be set from outside (rlimits, nice, affinity; the rest is
watched), and does to it only what \`control\` allows. It never starts it, and leaves it alone when the master ends. When the process ends,
it is waited for; when it is back, under whatever pid, it is attached as the next run. Units that depend on it wait for it like for any other.

\`\`\`yaml
workers:
  - id: nginx
    type: unmanaged
    unit:
      unmanaged:
        discovery:
          strategy: pid_file
          pid_file: /run/nginx.pid
          validation:
            - { type: executable_path, path: /usr/sbin/nginx }
            - { type: port_check, port: 80 }
        control:
          can_restart: true
          service_manager: systemd
          service_name: nginx
          allowed_signals: [SIGHUP]
        log_files: [/var/log/nginx/access.log]
\`\`\`

\`hsu-master adopt --port 80\` (or \`--match PATTERN\`, \`--pid PID\`) prints such a stanza for a process that runs.

**Which process.** All that stands in \`discovery\` must be true of it, and of what stands in \`any\` one at least. Never meant are pid 1,
threads of the kernel, the master itself and whom it descends from, its own workers, and what another unit is attached to. Of processes that
match and descend from each other the topmost counts, so that a server and what it has forked are one. Of others that match none is
attached, and all are named, unless \`choose\` says \`oldest\` or \`newest\`.

| keys | the process | to know |
| --- | --- | --- |
| \`pid_file\` | whose pid is the first word of the file | one that began after the file was written is a stranger that has the pid by chance, unless other keys or an \`executable_path\` check say who it is |
| \`process_name\`, \`process_name_pattern\` | whose name, or its program’s, or what it calls itself (its first argument) is that or has that in it | the kernel cuts names after 15 bytes; then the program’s counts |
| \`command_line_pattern\` | whose arguments, joined by blanks, have that in them | nginx, redis and PostgreSQL write over theirs |
| \`port\` | that listens there, TCP or UDP | in the network namespace of the master; who listens on all addresses listens on each |
| \`parent_process\` | whose parent is so | told by the same keys, one level below |
| \`environment_variable\` | that began with this variable | nginx and redis write over it |
| \`working_directory\` | that works there | or below, with \`include_subdirectories\` |
| \`user\` | that runs as this user (the effective one) | by name or number |
| \`open_file\` | that has this file or unix socket open | symbolic links in the path are followed |
| \`executable_path\` | that is this program | also after the file was replaced |
| \`service_name\` | that is the main process of the service | asked of systemd, OpenRC’s records, or the pid file of an init.d script |

An ordinary user may not see programs, directories, environments, files and sockets of others’ processes, and with \`hidepid\` not even that
they are there: what could not be seen is said where nothing is found. Pid files, names and command lines work for all.

**What may be done.** \`stop\` and \`kill\` take \`can_terminate\`, \`restart\` takes \`can_restart\`; else they are refused with E_UNMANAGED. A process
is ended and restarted by \`stop_command\` or \`restart_command\`, else by its service manager; without either it is ended by \`stop_signal\`, sent to
it alone, and SIGKILL after \`graceful_timeout\`, as far as \`allowed_signals\` has them. Where it does not end in time it is watched on. A
process of another user can only be watched; an event says so. Probes and limits lead to a restart only with \`can_restart\` and a
\`restart_policy\`; an exit never does, and an exit of unknown code is no success.`;
