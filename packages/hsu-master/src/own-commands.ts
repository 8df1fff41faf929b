import { type Argument, type CommandSpec, ELSEWHERE, type Option, SOCKET } from '@hsu-master/cli';

/** Where it is left out: hsu-master.yaml here or in a folder above. */
const CONFIG: Argument = { name: 'config', optional: true, completes: 'files' };

const FILE: Option = {
  name: 'file',
  short: 'f',
  value: 'config',
  means: 'the configuration file, instead of the argument',
  completes: 'files',
};
const STATE: Option = {
  name: 'state-dir',
  value: 'dir',
  means: 'where the master keeps records and logs; else HSU_HOME, else the places of the system',
  completes: 'directories',
};
const LOGS: Option = {
  name: 'log-dir',
  value: 'dir',
  means: "where the workers' log files go",
  completes: 'directories',
};
const CONTAINMENT: Option = {
  name: 'containment',
  value: 'mode',
  means:
    'auto: cgroups, in one of its own where it can be had; in-place: without moving the master; off: process groups alone',
  usual: 'auto',
  completes: ['auto', 'in-place', 'off'],
};
const OUTPUT: Option = {
  name: 'output',
  short: 'o',
  value: 'format',
  means: 'json or yaml, instead of text',
  completes: ['json', 'yaml'],
};
const HOLDING = [FILE, STATE, LOGS, CONTAINMENT];

/** `token`: by the file here, or by a master elsewhere. */
export const TOKEN_COMMAND: CommandSpec = {
  name: 'token',
  does: 'tokens of those who ask a master over the network: create NAME, list, revoke NAME. Here in its state directory, whether it runs or not; elsewhere by its API, with the right tokens:manage',
  examples: [
    "token create ci --role operator --worker 'api-*' --expires 90d",
    'token list',
    'token revoke ci',
  ],
  arguments: [
    { name: 'action', completes: ['create', 'list', 'revoke'] },
    { name: 'name', optional: true },
  ],
  options: [
    {
      name: 'role',
      value: 'role',
      means: 'reader: look; operator: also start, stop and signal; admin: everything but what is secret',
      completes: ['reader', 'operator', 'admin'],
    },
    { name: 'worker', value: 'glob', many: true, means: 'only these workers; several times for several' },
    { name: 'namespace', short: 'n', value: 'glob', many: true, means: 'only workers of these namespaces' },
    { name: 'with', value: 'right', many: true, means: 'a right beyond the role' },
    { name: 'without', value: 'right', many: true, means: 'a right of the role that it is not to have' },
    { name: 'expires', value: 'span', means: '30d, 12h; without it until it is revoked' },
    FILE,
    STATE,
    SOCKET,
    ...ELSEWHERE,
    OUTPUT,
  ],
};

/** The commands of the launcher itself: those that are a master, look at a configuration or at this machine. */
export const OWN_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    does: 'start the workers of a file and keep them running, in the foreground; a second Ctrl-C ends them without grace',
    examples: ['run config.yaml', 'run config.yaml --run-duration 2'],
    arguments: [CONFIG],
    options: [
      ...HOLDING,
      { name: 'run-duration', value: 'seconds', means: 'end in order after so many seconds' },
      { name: 'enable-log', means: 'accepted for older configurations; output is always collected' },
    ],
  },
  {
    name: 'up',
    does: 'start a master in the background; returns when its workers are ready or says why not',
    examples: ['up -f config.yaml', 'up'],
    arguments: [CONFIG],
    options: [
      ...HOLDING,
      { name: 'wait', value: 'duration', means: 'for the workers, at most so long', usual: '60s' },
      { name: 'no-wait', means: 'only until there is a master' },
    ],
  },
  {
    name: 'validate',
    does: 'report all mistakes of a file with file:line:column, or what it means',
    examples: ['validate config.yaml', 'validate config.yaml -o json'],
    arguments: [CONFIG],
    options: [FILE, OUTPUT],
  },
  {
    name: 'config',
    does: 'config show: the settings that hold for commands here, and what the configuration file says besides its workers; what says so with --origin. An option goes before a variable, that before what is found, that before the default',
    examples: ['config show', 'config show config.yaml --origin'],
    arguments: [{ name: 'action', completes: ['show'] }, CONFIG],
    options: [
      {
        name: 'origin',
        means: 'with what says so: an option, a variable, a line of the file, or the default',
      },
      ...HOLDING,
      OUTPUT,
    ],
  },
  {
    name: 'init',
    does: 'write a hsu-master.yaml for what is in this folder: package.json, Procfile. Asks on a terminal; nothing is overwritten',
    examples: ['init --yes', "init --id web --command 'node server.js'"],
    arguments: [],
    options: [
      { name: 'yes', short: 'y', means: 'take what is proposed, ask nothing' },
      { name: 'id', value: 'name', means: 'of the only worker' },
      { name: 'command', value: 'line', means: 'what that runs' },
      { name: 'force', means: 'write over a file that is there' },
      { ...FILE, means: 'write there', usual: 'hsu-master.yaml' },
    ],
  },
  {
    name: 'explain',
    does: 'what a key of the configuration means, or a code of an error or the name of an event; without one, all keys of the top',
    examples: ['explain workers.restart', 'explain limits.memory', 'explain E_EXEC_NOT_FOUND'],
    arguments: [{ name: 'key', optional: true }],
    options: [OUTPUT],
  },
  {
    name: 'adopt',
    does: 'print what to write into a configuration to watch a process that runs already',
    examples: ['adopt --port 5432', 'adopt --match "node server.js" --id web'],
    arguments: [],
    options: [
      { name: 'port', value: 'port', means: 'it listens there; 53/udp for UDP' },
      { name: 'match', value: 'pattern', means: 'in its command line' },
      { name: 'pid', value: 'pid', means: 'its number' },
      { name: 'id', value: 'name', means: 'what the worker is to be called' },
      OUTPUT,
    ],
  },
  {
    name: 'limits',
    does: 'limits explain FILE: what becomes of each limit here: enforced, watched or impossible, by what and why',
    examples: ['limits explain config.yaml'],
    arguments: [{ name: 'action', completes: ['explain'] }, CONFIG],
    options: [FILE, CONTAINMENT, OUTPUT],
  },
  {
    name: 'doctor',
    does: 'what this machine and user offer, and how the running master is: addon, directories, containment, limits, workers',
    examples: ['doctor', 'doctor -o json'],
    arguments: [],
    options: [FILE, STATE, LOGS, CONTAINMENT, OUTPUT],
  },
  {
    name: 'upgrade',
    does: 'the running master of a file goes on as the version that this command belongs to, in the same process: its workers notice nothing. Where the new version does not start, the old one stays and says why',
    examples: ['upgrade config.yaml'],
    arguments: [CONFIG],
    options: [FILE, STATE, LOGS],
  },
  {
    name: 'service',
    does: 'install: have systemd or launchd start the master of a file with the machine, or with your session, and again when it crashes; uninstall; status',
    examples: ['service install config.yaml --dry-run', 'service status config.yaml'],
    arguments: [{ name: 'action', completes: ['install', 'uninstall', 'status'] }, CONFIG],
    options: [
      ...HOLDING,
      { name: 'user', means: 'of your session instead of the machine' },
      { name: 'dry-run', means: 'show what would be done and do nothing' },
      OUTPUT,
    ],
  },
  TOKEN_COMMAND,
  {
    name: 'completion',
    does: 'print the script that has a shell complete commands, options and the names of workers: bash, zsh, fish, powershell',
    examples: ['completion bash'],
    arguments: [{ name: 'shell', completes: ['bash', 'zsh', 'fish', 'powershell'] }],
    options: [],
  },
];
