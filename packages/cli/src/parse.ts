import { parseArgs } from 'node:util';
import { CliError } from './cli-error.ts';
import type { CommandSpec, Given, Option } from './command.ts';

/**
 * What was written behind the name of a command; null: its help is asked for.
 * @throws CliError E_USAGE
 */
export function parse(spec: CommandSpec, written: readonly string[]): Given | null {
  const byName = new Map(spec.options.map((option) => [option.name, option]));
  const args = [...written];
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const { name, short, value, optional } of spec.options) {
    const type = value === undefined || optional ? 'boolean' : 'string';
    options[name] = short === undefined ? { type } : { type, short };
  }
  const parsed = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const tokens = parsed.tokens as readonly Token[];
  const end = spec.rest === undefined ? Number.POSITIVE_INFINITY : restAt(spec, tokens);
  const read = new Map<string, string | boolean | string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.index >= end) break;
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return null;
    const option = byName.get(token.name);
    if (option === undefined) throw unknown(spec, token.rawName);
    take(read, option, token);
  }
  checkWords(spec, words);
  const rest = args.slice(end).filter((word, index) => index > 0 || word !== '--');
  if (spec.rest !== undefined && rest.length === 0) throw missing(spec, spec.rest);
  return { words, options: Object.fromEntries(read), rest };
}

/** What `parseArgs` tells of one part of a command line. */
type Token =
  | { readonly kind: 'positional'; readonly index: number; readonly value: string }
  | { readonly kind: 'option-terminator'; readonly index: number }
  | {
      readonly kind: 'option';
      readonly index: number;
      readonly name: string;
      readonly rawName: string;
      readonly value: string | undefined;
      readonly inlineValue: boolean | undefined;
    };

/** Where the other command line begins: behind `--`, or behind the arguments. */
function restAt({ arguments: named }: CommandSpec, tokens: readonly Token[]): number {
  const terminator = tokens.find(({ kind }) => kind === 'option-terminator');
  const positionals = tokens.filter(({ kind }) => kind === 'positional');
  const first = positionals[named.length]?.index ?? Number.POSITIVE_INFINITY;
  return Math.min(terminator?.index ?? Number.POSITIVE_INFINITY, first);
}

function take(
  read: Map<string, string | boolean | string[]>,
  { name, value, optional, many }: Option,
  { rawName, value: given, inlineValue }: Extract<Token, { kind: 'option' }>,
): void {
  const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (value === undefined) {
    if (given !== undefined) throw usage(`${rawName} takes no value`);
    read.set(key, true);
  } else if (!optional && (given === undefined || (!inlineValue && /^-./.test(given))))
    throw usage(`${rawName} needs its value, <${value}>`);
  else if (many) read.set(key, [...((read.get(key) as string[] | undefined) ?? []), given ?? '']);
  else read.set(key, given ?? '');
}

function checkWords(spec: CommandSpec, words: readonly string[]): void {
  const { arguments: named } = spec;
  const lacking = named.find(({ optional }, index) => !optional && index >= words.length);
  if (lacking !== undefined) throw missing(spec, lacking.name);
  if (named.some(({ many }) => many) || words.length <= named.length) return;
  throw usage(`too many arguments: ${words.slice(named.length).join(' ')}`);
}

function missing({ name }: CommandSpec, what: string): CliError {
  return usage(`${name} needs its argument <${what}>`);
}

function unknown({ name: command, options, refuses = {} }: CommandSpec, written: string): CliError {
  const bare = written.replace(/^-+/, '');
  const instead = refuses[bare];
  if (instead !== undefined) return new CliError('E_USAGE', `${command} has no ${written}`, instead);
  const near = options.find(
    ({ name }) => bare.length > 1 && (name.startsWith(bare) || bare.startsWith(name)),
  );
  return usage(`there is no option ${written}${near === undefined ? '' : `; did you mean --${near.name}?`}`);
}

function usage(message: string): CliError {
  return new CliError('E_USAGE', message, '');
}
