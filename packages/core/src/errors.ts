/** What one error code means, for the message, for `hsu-master explain` and for the generated documentation. */
export interface ErrorMeaning {
  /** What happened, in one sentence. */
  readonly means: string;
  /** What a user does about it. */
  readonly next: string;
}

function meaning(means: string, next: string): ErrorMeaning {
  return { means, next };
}

/** Every code that an error or a failure of this project can carry. */
export const ERRORS = {
  E_EXEC_NOT_FOUND: meaning(
    'The program, or the interpreter of the script, does not exist.',
    'Check execution.executable_path (or command), the working directory and PATH.',
  ),
  E_EXEC_PERMISSION: meaning(
    'The program exists but may not be executed by the worker’s user.',
    'Give it the execute bit (chmod +x), or check the directory permissions and noexec mounts on its path.',
  ),
  E_EXEC_FORMAT: meaning(
    'The file is not a program that this machine can run.',
    'Check that it was built for this architecture and is not empty or damaged.',
  ),
  E_EXEC_TOO_BIG: meaning(
    'Arguments and environment together are larger than the kernel accepts.',
    'Shorten them, or pass the data in a file.',
  ),
  E_CWD: meaning(
    'The working directory cannot be entered.',
    'Create it, or correct execution.working_directory.',
  ),
  E_USER: meaning(
    'The user or group does not exist, or the master may not switch to it.',
    'Correct the name, or run the master as root.',
  ),
  E_RESOURCES: meaning(
    'The system has no more processes, memory or descriptors to give.',
    'Raise the limit named in the message (ulimit, pids.max) or run fewer workers.',
  ),
  E_SPAWN: meaning(
    'The process could not be started for another reason, named in the message.',
    'See the step and the system’s answer in the message.',
  ),
  E_PORT: meaning(
    'The worker cannot have the TCP port that it is to listen on.',
    'Stop the program that the message names, or give the worker another port or range.',
  ),
  E_MAIN_PROCESS: meaning(
    'The program put itself in the background, but its pid file named no process of its own in time.',
    'Check control.main_process.pid_file and its timeout, or run the program in the foreground.',
  ),
  E_SURVIVORS: meaning(
    'Processes of the worker are still alive after SIGKILL.',
    'The message names them; they usually wait for a device or belong to another user.',
  ),
  E_EXITED: meaning(
    'The program ended without success and its policy wants no restart.',
    'Look at its output; start it again, or set restart_policy.',
  ),
  E_GAVE_UP: meaning(
    'The worker failed more often than its policy allows, and the policy says give_up.',
    'Look at its last exits and output, then reset or start it.',
  ),
  E_NEVER_READY: meaning(
    'The worker did not pass its startup probe.',
    'See the probe’s last answer in the message.',
  ),
  E_LIMIT: meaning(
    'The worker was ended because it exceeded a limit, and its policy does not start it again.',
    'Raise the limit that the message names or mend the program, then start the worker.',
  ),
  E_LIMIT_REQUIRED: meaning(
    'A limit cannot be enforced on this host, and limits.required says that the worker must not run without it.',
    'See hsu-master limits explain for what is missing, or set limits.required: false.',
  ),
  E_CONTAINMENT: meaning(
    'The worker’s containment (its cgroup) could not be made or set up.',
    'See the step and the system’s answer in the message; hsu-master doctor shows what this host permits.',
  ),
  E_UNMANAGED: meaning(
    'The process was not started by this master, and the unit’s control does not allow what was asked, or it was not done.',
    'Let whoever started it do it, or allow it: control.can_terminate, can_restart, allowed_signals, service_manager, commands.',
  ),
  E_UNKNOWN_WORKER: meaning('There is no worker of that name.', 'List the workers and check the spelling.'),
  E_DUPLICATE_WORKER: meaning('A worker of that id is there already.', 'Choose another id.'),
  E_CYCLE: meaning(
    'Workers depend on each other in a circle.',
    'Remove one of the depends_on entries that the message shows.',
  ),
  E_MISSING_DEPENDENCY: meaning(
    'A worker depends on one that is not defined.',
    'Correct the id in depends_on, or define the worker.',
  ),
  E_SHUTTING_DOWN: meaning('The master is stopping and takes no new work.', 'Start it again first.'),
  E_SUPERSEDED: meaning(
    'A later command overruled this one before it was done.',
    'Nothing, unless unexpected.',
  ),
  E_CONFIG: meaning('The configuration is not valid.', 'Correct the places that the message lists.'),
  E_STALE: meaning(
    'The configuration is another one by now than the one that the change was based on.',
    'Look at what holds now (hsu-master diff), and apply again.',
  ),
  E_CONFIG_READ: meaning('The configuration file cannot be read.', 'Check the path and its permissions.'),
  E_OTHER_MASTER: meaning(
    'Another master already runs with this state directory.',
    'Stop it, or give this one another --state-dir.',
  ),
  E_ADDRESS: meaning(
    'The master cannot listen at an address that the configuration gives to its API.',
    'Stop the program that the message names, or give the API another address: api.listen, master.port.',
  ),
  E_STATE: meaning(
    'The master’s state directory cannot be used.',
    'Check the path in the message, or name another with --state-dir or HSU_HOME.',
  ),
  E_UNSUPPORTED: meaning(
    'This host cannot do what was asked.',
    'See docs/platforms.md, or install the platform package that the message names.',
  ),
  E_NO_MASTER: meaning(
    'No master answers.',
    'Start one: hsu-master up -f config.yaml. If it keeps its state elsewhere, name that with --state-dir, --socket or HSU_HOME.',
  ),
  E_WHICH_MASTER: meaning(
    'Several masters run, and none was named.',
    'Name one by its configuration (-f config.yaml) or its socket (--socket).',
  ),
  E_UNKNOWN_SESSION: meaning(
    'There is no such command under way: it has ended, or never began.',
    'Begin it again: hsu-master exec WORKER -- COMMAND.',
  ),
  E_UNKNOWN_TICKET: meaning(
    'There is no order of that ticket, or it was settled long ago.',
    'Look at the worker’s state instead.',
  ),
  E_UNKNOWN_ROUTE: meaning('There is nothing at that address.', 'See /v1/openapi.json for what there is.'),
  E_REQUEST: meaning('The request is not valid.', 'Correct what the message names.'),
  E_MEDIA_TYPE: meaning(
    'The body of the request is of a type that is not taken.',
    'Send JSON, with content-type: application/json.',
  ),
  E_TOO_LARGE: meaning('The request is larger than what is taken.', 'Send less at once.'),
  E_TOO_MANY: meaning('Too many requests or connections at once.', 'Try again in a moment.'),
  E_TIMEOUT: meaning('It took longer than was waited for.', 'Look at the state, or wait longer.'),
  E_UNAUTHENTICATED: meaning('It is not known who asks.', 'Give a valid token.'),
  E_FORBIDDEN: meaning(
    'Who asks may not do this.',
    'Ask somebody who may, or for the right that the message names.',
  ),
  E_NOT_RUNNING: meaning('The worker has no process now.', 'Start it first.'),
  E_USAGE: meaning('The command line is not valid.', 'See hsu-master --help.'),
  E_INTERNAL: meaning('A defect of HSU Master itself.', 'Please report it with the message and the events.'),
} as const satisfies Record<string, ErrorMeaning>;

/** One of the codes in `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS;

/** A failure that was to be expected: a value, not an exception. */
export interface Failure {
  readonly code: ErrorCode;
  /** One sentence: what was attempted, on what, what came back, what to do. */
  readonly message: string;
}

/** In every copy of this module: a packed launcher holds one, and what it loads later another. */
const BRAND = Symbol.for('hsu-master.HsuError');

/** The one error class of the project; thrown for callers’ mistakes and defects. */
export class HsuError extends Error {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    detail: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HsuError';
    this.code = code;
    this.detail = detail;
  }

  get [BRAND](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): value is HsuError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
