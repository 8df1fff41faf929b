import type { ExecOutcome, Host, Milliseconds } from '@hsu-master/core';
import type { NewProgram } from '@hsu-master/workers';
import type { Flags } from './flags.ts';
import type { Places } from './places.ts';
import { readRequest, writeAnswer } from './upgrade-files.ts';
import { ownVersion } from './version.ts';

/** How long the new program may take to say its version, or to check the configuration. */
const PATIENCE: Milliseconds = 120_000;
/** What is kept of what it says. */
const MOST_OUTPUT = 4096;

/** A program that was found fit to go on in this process. */
export interface Successor {
  readonly program: NewProgram;
  readonly version: string;
  readonly request: string | null;
}

export interface Candidates {
  readonly host: Host;
  readonly places: Places;
  readonly file: string;
  readonly flags: Flags;
  /** Milliseconds that are left of the run duration. */
  left(): Milliseconds;
  note(text: string): void;
}

/**
 * Hears SIGUSR2: the program that the latest request names, or this one’s own file as it is now, is to go on in this process. It is
 * tried first; where it does not start or does not accept the configuration, this program goes on and says why.
 */
export function watchSuccessors(candidates: Candidates): {
  readonly first: Promise<Successor>;
  close(): void;
} {
  const { promise, resolve } = Promise.withResolvers<Successor>();
  let isBusy = false;
  const hear = (): void => {
    if (isBusy) return;
    isBusy = true;
    void choose(candidates).then((successor) => {
      isBusy = false;
      if (successor !== null) resolve(successor);
    });
  };
  process.on('SIGUSR2', hear);
  return { first: promise, close: () => process.off('SIGUSR2', hear) };
}

/** The program that runs here now, as it was begun. */
export function ownProgram(candidates: Pick<Candidates, 'file' | 'flags' | 'left'>): NewProgram {
  return programOf(process.execPath, process.argv[1] ?? '', candidates);
}

async function choose(candidates: Candidates): Promise<Successor | null> {
  const { places, note } = candidates;
  const request = readRequest(places.runDirectory);
  const { node, script } = request ?? { node: process.execPath, script: process.argv[1] ?? '' };
  const tried = await attempt(candidates, node, script).catch((error: unknown) => String(error));
  const id = request?.id ?? null;
  if (typeof tried === 'string') {
    note(`upgrade refused, version ${ownVersion()} goes on: ${tried}`);
    if (id !== null) writeAnswer(places.runDirectory, { id, ok: false, reason: tried });
    return null;
  }
  return { program: programOf(node, script, candidates), version: tried.version, request: id };
}

/** A text says why it cannot go on. */
async function attempt(
  { host, places, file, flags }: Candidates,
  node: string,
  script: string,
): Promise<{ readonly version: string } | string> {
  const ask = (args: readonly string[]): Promise<ExecOutcome> => {
    const command = {
      argv: [node, script, ...args] as [string, ...string[]],
      cwd: process.cwd(),
      env: {},
      umask: null,
      user: null,
      group: null,
      groups: null,
    };
    return host.exec({ command, mark: `upgrade.${process.pid}`, timeout: PATIENCE, maxOutput: MOST_OUTPUT })
      .outcome;
  };
  const named = await ask(['--version', '--output', 'json']);
  if (!isOk(named)) return `${script} does not start: ${whyOf(named)}`;
  const version = versionIn(named.output);
  if (version === null)
    return `${script} does not say its version but ${JSON.stringify(named.output.trim())}`;
  const checked = await ask(['validate', file, ...given(flags, ['state-dir', 'log-dir'])]);
  if (isOk(checked)) return { version };
  return `version ${version} does not accept ${file} (in ${places.stateDirectory}): ${whyOf(checked)}`;
}

function isOk(outcome: ExecOutcome): outcome is ExecOutcome & { readonly kind: 'exited' } {
  return outcome.kind === 'exited' && outcome.exit.code === 0;
}

function whyOf(outcome: ExecOutcome): string {
  if (outcome.kind === 'failed') return outcome.failure.message;
  const said = outcome.output.trim();
  if (outcome.kind === 'timed-out') return `no answer within ${PATIENCE / 1000} s${said && `: ${said}`}`;
  const { code, signal } = outcome.exit;
  return said || (signal === null ? `exit code ${code}` : signal);
}

function versionIn(output: string): string | null {
  // A warning of Node may be beside it.
  const line = output.split('\n').find((one) => one.startsWith('{'));
  try {
    const { version } = JSON.parse(line ?? '{}') as { readonly version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}

function programOf(
  node: string,
  script: string,
  { file, flags, left }: Pick<Candidates, 'file' | 'flags' | 'left'>,
): NewProgram {
  const names = Object.keys(flags).filter(
    (name) => !['run-duration', 'file', 'config'].includes(name),
  ) as (keyof Flags)[];
  const seconds = left() / 1000;
  const rest = Number.isFinite(seconds) ? [`--run-duration=${Math.max(0, seconds).toFixed(3)}`] : [];
  const argv = [node, ...process.execArgv, script, 'run', file, ...given(flags, names), ...rest];
  return { file: node, argv, env: process.env };
}

/** Options as they were given. */
function given(flags: Flags, names: readonly (keyof Flags)[]): readonly string[] {
  return names.flatMap((name) => {
    const value = flags[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}=${value}`];
  });
}
