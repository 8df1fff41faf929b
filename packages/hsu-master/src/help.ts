/** What `--help` prints. */
export const HELP = `hsu-master: keeps programs running.

Examples:
  hsu-master run config.yaml                    run the workers of a file in the foreground; Ctrl-C ends them in order
  hsu-master run config.yaml --run-duration 2   the same, for two seconds
  hsu-master up -f config.yaml                  the same in the background; then: hsu-master ls, logs -f, why web, down
  hsu-master validate config.yaml               check a file and print what it was understood to say
  hsu-master init                               write a first configuration for what is in this folder

Commands:
  run FILE         start the workers of a file and keep them running, in the foreground
  up FILE          the same in the background; returns when they are ready or says why not
  init             write a configuration for what is in this folder
  validate FILE    report all mistakes with file:line:column, or what the file means
  config show      the settings that hold here, and with --origin what says so
  explain KEY      what a key of the configuration, a code of an error or an event means
  adopt            print what to write into a configuration to watch a process that runs already
  limits explain FILE
                   what becomes of each limit here: enforced, watched or impossible, by what and why
  doctor           what this machine and user offer, and how the running master is
  upgrade FILE     the running master of a file goes on as the version that this command belongs to
  service ACTION FILE
                   install, uninstall, status: the master of a file starts with the machine, or with your session
  token ACTION     create, list, revoke tokens of those who ask a master over the network
  completion SHELL the script that has bash, zsh, fish or powershell complete commands, options and names of workers

Commands that ask a running master:
  ls ps status describe why graph
                   how workers and their processes are, and why; what depends on what
  logs events top  what they write, what happens, what they use
  audit            who has changed what
  start stop restart reset kill signal wait
                   orders for workers, by name or glob: hsu-master stop 'api-*'
  diff apply reload delete
                   what another configuration would change; changing it while workers run
  exec WORKER -- COMMAND
                   run a command in the place of a worker
  down             end all workers and the master
  version          of this command and of the master

Options:
  -c, --config FILE, -f FILE   the configuration file, instead of the argument; without a command it means run.
                               Where none is named: hsu-master.yaml here or in a folder above
      --run-duration SECONDS   end in order after so many seconds
      --state-dir DIR          where the master keeps records and logs (default: HSU_HOME, else the system's places)
      --log-dir DIR            where the workers' log files go
      --containment MODE       auto: cgroups, in one of its own where it can be had (default); in-place: without moving
                               the master; off: process groups alone
      --user                   service: of your session instead of the machine
  -o, --output FORMAT          table, json or yaml
      --dry-run                service: show what would be done and do nothing
      --enable-log             accepted for older configurations; output is always collected
      --debug                  print stacks of unexpected errors
  -h, --help                   of everything, or behind a command of that command
      --version

Exit codes: 0 ordered end · 1 failed, or processes survived · 2 wrong usage or configuration · 3 no master
4 unknown worker · 5 not in time · 6 not allowed · 7 another master runs · 130 forced
`;
