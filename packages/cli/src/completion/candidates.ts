import type { Argument, CommandSpec, Completes, Option } from '../command.ts';

/** What can stand where the cursor is. */
export interface Candidates {
  readonly values: readonly { readonly value: string; readonly means: string }[];
  /** What lies on the disk besides, which the shell knows better. */
  readonly paths: 'files' | 'directories' | null;
}

/** Names that only a running master knows; empty where none answers. */
export interface Names {
  workers(options: ReadonlyMap<string, string>): Promise<readonly NamedWorker[]>;
}
interface NamedWorker {
  readonly id: string;
  readonly namespace: string | null;
  readonly doing: string;
}

const NOTHING: Candidates = { values: [], paths: null };

/** @param before the words before the cursor, without the program. @param current the word at the cursor, as far as it is written */
export async function candidates(
  specs: readonly CommandSpec[],
  before: readonly string[],
  current: string,
  names: Names,
): Promise<Candidates> {
  const scanned = scan(specs, before);
  if (scanned === null) return NOTHING;
  const { spec, words, options, open } = scanned;
  const offer = (completes: Completes | undefined, prefix = ''): Promise<Candidates> =>
    offered(completes, current.slice(prefix.length), prefix, names, options);
  if (open !== null) return offer(open.completes);
  const [, name] = /^--([a-z-]+)=/.exec(current) ?? [];
  if (name !== undefined) {
    const option = spec?.options.find((one) => one.name === name && one.value !== undefined);
    return option === undefined ? NOTHING : offer(option.completes, `--${name}=`);
  }
  if (current.startsWith('-')) return { values: fitting(optionsOf(spec), current), paths: null };
  if (spec === null) return { values: fitting(commandsOf(specs), current), paths: null };
  return offer(argumentAt(spec.arguments, words.length)?.completes);
}

interface Scanned {
  readonly spec: CommandSpec | null;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** The option whose value is to come. */
  readonly open: Option | null;
}

/** null: what is there belongs to the command line of another program. */
function scan(specs: readonly CommandSpec[], before: readonly string[]): Scanned | null {
  let spec: CommandSpec | null = null;
  let open: Option | null = null;
  const words: string[] = [];
  const options = new Map<string, string>();
  for (const word of before) {
    if (open !== null) {
      options.set(open.name, word);
      open = null;
    } else if (word === '--') return null;
    else if (word.startsWith('-')) {
      const [written = '', value] = word.split(/=(.*)/s);
      const option = optionCalled(spec, specs, written);
      if (option?.value === undefined) continue;
      if (value !== undefined) options.set(option.name, value);
      else if (!option.optional) open = option;
    } else if (spec === null) {
      spec = specs.find(({ name, aliases }) => name === word || aliases?.includes(word)) ?? null;
      if (spec === null) return null;
    } else words.push(word);
  }
  return { spec, words, options, open };
}

/** Before the command, any option that some command has. */
function optionCalled(
  spec: CommandSpec | null,
  specs: readonly CommandSpec[],
  written: string,
): Option | undefined {
  const among = spec === null ? specs.flatMap(({ options }) => options) : spec.options;
  return among.find(({ name, short }) => written === `--${name}` || written === `-${short ?? ''}`);
}

function argumentAt(named: readonly Argument[], index: number): Argument | undefined {
  const last = named.at(-1);
  return named[index] ?? (last?.many ? last : undefined);
}

async function offered(
  completes: Completes | undefined,
  current: string,
  prefix: string,
  names: Names,
  options: ReadonlyMap<string, string>,
): Promise<Candidates> {
  if (completes === undefined) return NOTHING;
  if (completes === 'files' || completes === 'directories') return { values: [], paths: completes };
  const values =
    completes === 'workers' || completes === 'namespaces'
      ? named(await names.workers(options), completes, current)
      : completes.map((value) => ({ value, means: '' }));
  return {
    values: fitting(values, current).map(({ value, means }) => ({ value: prefix + value, means })),
    paths: null,
  };
}

function named(
  workers: readonly NamedWorker[],
  completes: 'workers' | 'namespaces',
  current: string,
): readonly Named[] {
  if (completes === 'workers') {
    return workers.map(({ id, namespace, doing }) => ({
      value: current.includes('/') ? `${namespace ?? ''}/${id}` : id,
      means: doing,
    }));
  }
  const namespaces = new Set(workers.flatMap(({ namespace }) => (namespace === null ? [] : [namespace])));
  return [...namespaces].map((value) => ({ value, means: '' }));
}

interface Named {
  readonly value: string;
  readonly means: string;
}

/** Nothing that a shell would take for more than a word is offered. */
function fitting(all: readonly Named[], current: string): readonly Named[] {
  return all.filter(({ value }) => value.startsWith(current) && /^[\w./:@%+=,-]+$/.test(value));
}

function commandsOf(specs: readonly CommandSpec[]): readonly Named[] {
  return specs.map(({ name, does }) => ({ value: name, means: does }));
}

function optionsOf(spec: CommandSpec | null): readonly Named[] {
  const help = { value: '--help', means: 'print help' };
  if (spec === null) return [help, { value: '--version', means: 'print the version' }];
  return [...spec.options.map(({ name, means }) => ({ value: `--${name}`, means })), help];
}
