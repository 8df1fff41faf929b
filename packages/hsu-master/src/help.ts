/** What `--help` prints. */
export const HELP = `hsu-master: keeps programs running.

Examples:
  hsu-master run config.yaml                    run the workers of a file in the foreground; Ctrl-C ends them in order
  hsu-master run config.yaml --run-duration 10  the same, for ten seconds
  hsu-master up -f config.yaml                  the same in the background; then: hsu-master ls, logs -f, why web, down
  hsu-master validate config.yaml               check a file and print what it was understood to say

Commands:
  run FILE         start the workers and keep them running. A second Ctrl-C ends them without grace
  up FILE          start a master in the background; returns when its workers are ready or says why not (--wait=60s,
                   --no-wait). Without FILE: hsu-master.yaml here or in a folder above
  upgrade FILE     the running master of a file goes on as the version that this command belongs to, in the same process:
                   its workers notice nothing. Where the new version does not start, the old one stays and says why
  doctor           what this machine and user offer: addon, directories, containment, limits (-o json)
  limits explain FILE
                   what becomes of each limit here: enforced, watched or impossible, by what and why (-o json)
  service ACTION FILE
                   install: have systemd or launchd start the master of a file with the machine, or with your session
                   (--user), and again when it crashes; uninstall; status (-o json). --dry-run shows what would be done
  adopt            print what to write into a configuration to watch a process that runs already, found by
                   --port PORT[/udp], --match PATTERN in its command line, or --pid PID; --id ID names it (-o json)
  validate FILE    report all mistakes with file:line:column, or what the file means

Commands that ask a running master (each has --help):
  ls status describe why      how workers are, and why
  logs events top             what they write, what happens, what they use
  start stop restart reset kill signal wait
                              orders for workers, by name or glob: hsu-master stop 'api-*'
  down                        end all workers and the master
  version                     of this command and of the master

Options:
  -c, --config FILE, -f FILE   the configuration file, instead of the argument; without a command it means run
      --run-duration SECONDS   end in order after so many seconds
      --state-dir DIR          where the master keeps records and logs (default: HSU_HOME, else the system's places)
      --log-dir DIR            where the workers' log files go
      --containment MODE       auto: cgroups, in one of its own where it can be had (default); in-place: without moving
                               the master; off: process groups alone
      --user                   service: of your session instead of the machine
      --dry-run                service: show what would be done and do nothing
      --enable-log             accepted for older configurations; output is always collected
      --debug                  print stacks of unexpected errors
  -h, --help
      --version

Exit codes: 0 ordered end · 1 failed, or processes survived · 2 wrong usage or configuration · 3 no master
4 unknown worker · 5 not in time · 6 not allowed · 7 another master runs · 130 forced
`;
