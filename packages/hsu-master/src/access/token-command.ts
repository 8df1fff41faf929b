import { parseArgs } from 'node:util';
import { Client } from '@hsu-master/api/client';
import { CliError } from '@hsu-master/cli';
import {
  type Deed,
  HsuError,
  parseDuration,
  RIGHTS,
  type Right,
  ROLES,
  type TokenView,
  type WallTime,
} from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { placesOf } from '../create-master.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { findMaster } from '../find-master.ts';
import { help } from '../help-of.ts';
import { appendToAudit } from './audit-file.ts';
import { isRight, isRole, TokenFile } from './token-file.ts';

const OPTIONS = {
  role: { type: 'string' },
  worker: { type: 'string', multiple: true },
  namespace: { type: 'string', short: 'n', multiple: true },
  with: { type: 'string', multiple: true },
  without: { type: 'string', multiple: true },
  expires: { type: 'string' },
  file: { type: 'string', short: 'f' },
  'state-dir': { type: 'string' },
  socket: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Options = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** `hsu-master token create|list|revoke`. */
export async function token(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parsed(argv);
    const [action, name, ...more] = positionals;
    if (values.help || action === undefined) {
      const code = help('token');
      return values.help ? code : EXIT_CODES.usage.code;
    }
    if (more.length > 0 || (action === 'list' && name !== undefined))
      throw new HsuError('E_USAGE', `token ${action} takes ${action === 'list' ? 'no' : 'one'} name`);
    if (action === 'list') return await list(values);
    if (name === undefined) throw new HsuError('E_USAGE', `token ${action} needs a name`);
    if (action === 'create') return await create(name, values);
    if (action === 'revoke') return await revoke(name, values);
    throw new HsuError('E_USAGE', `there is no token ${action}; there are create, list and revoke`);
  } catch (error) {
    if (!(error instanceof HsuError) && !(error instanceof CliError)) throw error;
    process.stderr.write(
      `hsu-master: ${error.message}\n${error instanceof CliError ? `${error.next}\n` : ''}`,
    );
    return error.code === 'E_STATE' ? EXIT_CODES.failed.code : EXIT_CODES.usage.code;
  }
}

function parsed(argv: readonly string[]): { values: Options; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new HsuError('E_USAGE', (error as Error).message);
  }
}

async function create(name: string, options: Options): Promise<number> {
  const { role, worker = [], namespace = [], expires } = options;
  if (!isRole(role))
    throw new HsuError(
      'E_USAGE',
      `--role takes ${Object.keys(ROLES).join(', ')}${role === undefined ? '' : `, not "${role}"`}`,
    );
  const now = Date.now();
  const wish = {
    name,
    role,
    plus: rights('with', options.with),
    minus: rights('without', options.without),
    workers: worker,
    namespaces: namespace,
    expiresAt: moment(expires, now),
  };
  const stateDirectory = await stateDirectoryOf(options);
  const made = await new TokenFile(stateDirectory).create(wish, now, native());
  note(stateDirectory, { action: 'token.create', on: name, why: role });
  if (options.output === 'json') {
    process.stdout.write(`${JSON.stringify({ token: made.text, ...told(made.token) })}\n`);
    return EXIT_CODES.ok.code;
  }
  process.stderr.write(`The token "${name}" (${described(made.token)}). It is shown this once:\n`);
  process.stdout.write(`${made.text}\n`);
  return EXIT_CODES.ok.code;
}

async function revoke(name: string, options: Options): Promise<number> {
  const stateDirectory = await stateDirectoryOf(options);
  const gone = await new TokenFile(stateDirectory).revoke(name, native());
  note(stateDirectory, { action: 'token.revoke', on: gone.name, why: null });
  process.stderr.write(`The token "${gone.name}" is refused from now on.\n`);
  return EXIT_CODES.ok.code;
}

async function list(options: Options): Promise<number> {
  const tokens = new TokenFile(await stateDirectoryOf(options)).all();
  if (options.output === 'json') {
    process.stdout.write(`${JSON.stringify({ tokens: tokens.map(told) })}\n`);
    return EXIT_CODES.ok.code;
  }
  if (tokens.length === 0) process.stderr.write('There are no tokens. See hsu-master token --help.\n');
  for (const one of tokens) process.stdout.write(`${one.name}: ${described(one)}\n`);
  return EXIT_CODES.ok.code;
}

function rights(option: string, given: readonly string[] = []): readonly Right[] {
  return given
    .flatMap((text) => text.split(','))
    .map((text) => {
      if (isRight(text)) return text;
      throw new HsuError('E_USAGE', `--${option} takes ${Object.keys(RIGHTS).join(', ')}, not "${text}"`);
    });
}

function moment(span: string | undefined, now: WallTime): WallTime | null {
  if (span === undefined) return null;
  const milliseconds = parseDuration(span);
  if (milliseconds !== null && milliseconds > 0) return now + milliseconds;
  throw new HsuError('E_USAGE', `--expires takes a span like 30d or 12h, not "${span}"`);
}

/** By the master that is meant, running or not. */
async function stateDirectoryOf(options: Options): Promise<string> {
  const { file, socket } = options;
  const stateDirectory = options['state-dir'];
  if (stateDirectory !== undefined || file !== undefined)
    return placesOf(
      file ?? 'config.yaml',
      process.env,
      stateDirectory === undefined ? {} : { stateDirectory },
    ).stateDirectory;
  const found = await findMaster({ socket: socket ?? null, stateDirectory: null, configFile: null });
  const client = new Client({ socket: found });
  try {
    return (await client.version()).stateDirectory;
  } finally {
    client.close();
  }
}

function note(stateDirectory: string, { action, on, why }: Pick<Deed, 'action' | 'on' | 'why'>): void {
  const by = { name: `uid ${process.getuid?.() ?? 0}`, from: 'command' };
  try {
    appendToAudit(stateDirectory, Date.now(), { by, action, on, result: 'done', why });
  } catch (error) {
    process.stderr.write(`hsu-master: this could not be written to the audit: ${(error as Error).message}\n`);
  }
}

function native() {
  const loaded = loadNative();
  return loaded.ok ? loaded.native : null;
}

/** Everything about it but what is kept of itself. */
function told({ id, name, role, plus, minus, workers, namespaces, createdAt, expiresAt }: TokenView): object {
  const text = (at: WallTime | null): string | null => (at === null ? null : new Date(at).toISOString());
  return {
    id,
    name,
    role,
    plus,
    minus,
    workers,
    namespaces,
    createdAt: text(createdAt),
    expiresAt: text(expiresAt),
  };
}

function described({ role, plus, minus, workers, namespaces, expiresAt }: TokenView): string {
  return [
    role,
    ...plus.map((right) => `with ${right}`),
    ...minus.map((right) => `without ${right}`),
    ...(workers.length === 0 ? [] : [`workers ${workers.join(' ')}`]),
    ...(namespaces.length === 0 ? [] : [`namespaces ${namespaces.join(' ')}`]),
    expiresAt === null ? 'does not expire' : `expires ${new Date(expiresAt).toISOString()}`,
  ].join(', ');
}
