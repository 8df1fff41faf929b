import { homedir } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { readConfigFile } from '@hsu-master/config';
import { MASK, maskText, maskValue } from '@hsu-master/core';
import { isAlias, isCollection, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { columnsWithin } from './columns.ts';
import { load, placesOf } from './create-master.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { directoriesOf, type Flags } from './flags.ts';
import { explainPlaces, instanceOf, isPrivileged } from './places.ts';
import { print } from './print.ts';
import { projectFile } from './project-file.ts';
import { tellIssues } from './validate.ts';

/** What holds for a command here, and what says so: an option, a variable, a place in a file, or `default`. */
interface Setting {
  readonly setting: string;
  readonly value: string;
  readonly origin: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `hsu-master config show`: the settings that hold here, and what the file says besides its workers. @param file empty: there is none */
export async function showSettings(file: string, flags: Flags): Promise<number> {
  const settings = [
    file === '' ? null : { setting: 'file', value: resolve(file), origin: originOfFile(file, flags) },
    ...places(file, flags, process.env),
    flags.containment === undefined
      ? { setting: 'containment', value: 'auto', origin: 'default' }
      : { setting: 'containment', value: flags.containment, origin: '--containment' },
    ...asked(process.env),
  ].filter((one) => one !== null);
  if (file !== '') {
    const read = readConfigFile(file);
    if (!read.ok) {
      process.stderr.write(`hsu-master: ${read.failure.message}\n`);
      return EXIT_CODES.usage.code;
    }
    const result = load(
      { file, text: read.text },
      process.env,
      placesOf(file, process.env, directoriesOf(flags)),
    );
    if (!result.ok) {
      tellIssues(result);
      return EXIT_CODES.usage.code;
    }
    settings.push(...written(file, read.text));
  }
  const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  const row = ({ setting, value, origin }: Setting): string[] =>
    flags.origin === true ? [setting, origin, value] : [setting, value];
  await print(flags.output, { settings }, () => columnsWithin(settings.map(row), columns));
  return EXIT_CODES.ok.code;
}

function originOfFile(file: string, flags: Flags): string {
  if (flags.file !== undefined) return '--file';
  if (flags.config !== undefined) return '--config';
  if (file !== projectFile(process.cwd())) return 'argument';
  return dirname(file) === process.cwd() ? 'found here' : 'found above';
}

/** Where the master of this file keeps what is its own; without a file, where each has a folder. */
function places(file: string, flags: Flags, env: Environment): readonly Setting[] {
  const { stateDirectory, logDirectory } = directoriesOf(flags);
  const placed = explainPlaces({
    env,
    home: homedir(),
    privileged: isPrivileged(env),
    stateDirectory: stateDirectory === undefined ? null : resolve(stateDirectory),
    logDirectory: logDirectory === undefined ? null : resolve(logDirectory),
    instance: file === '' ? '' : instanceOf(file),
  });
  return (['state', 'run', 'log'] as const).map((name) => ({
    setting: `${name} directory`,
    value: placed[name].path,
    origin: placed[name].origin,
  }));
}

/** By what the master is found that is asked, where that is not left to the file. */
function asked(env: Environment): readonly Setting[] {
  const names = { HSU_SOCKET: 'socket', HSU_ADDRESS: 'address', HSU_CA: 'ca', HSU_TOKEN_FILE: 'token file' };
  const found = Object.entries(names).map(([name, setting]) => {
    const value = env[name];
    return value ? { setting, value: maskText(value), origin: name } : null;
  });
  const token = env['HSU_TOKEN'] ? { setting: 'token', value: MASK, origin: 'HSU_TOKEN' } : null;
  return [...found, token].filter((one) => one !== null);
}

/** What the file says besides its workers, as it is written there. What it does not say has its default. */
function written(file: string, text: string): readonly Setting[] {
  const lines = new LineCounter();
  const shown = relative(process.cwd(), resolve(file)) || file;
  const settings: Setting[] = [];
  visit(parseDocument(text, { lineCounter: lines }), {
    Pair(_key, pair, ancestors) {
      const path = [...ancestors, pair].flatMap((node) => (isPair(node) ? [textOf(node.key)] : []));
      if (path[0] === 'workers') return visit.SKIP;
      const { key, value } = pair;
      if (isCollection(value) && value.items.some((item) => isPair(item) || isCollection(item))) return;
      const place = isScalar(key) ? lines.linePos(key.range?.[0] ?? 0) : { line: 1 };
      const said = maskValue(path.at(-1) ?? '', textOf(value));
      settings.push({ setting: path.join('.'), value: said, origin: `${shown}:${place.line}` });
      return visit.SKIP;
    },
  });
  return settings;
}

/** On one line. */
function textOf(node: unknown): string {
  if (isScalar(node)) return String(node.source ?? node.value);
  if (isCollection(node)) return node.items.map(textOf).join(', ');
  return isAlias(node) ? `*${node.source}` : '';
}
