import type { Token, TokenWish } from '@hsu-master/api/client';
import {
  CliError,
  formatOf,
  type Given,
  type MasterOptions,
  printData,
  runCommand,
  type Surroundings,
  say,
  wantedOf,
  withClient,
} from '@hsu-master/cli';
import { parseDuration, RIGHTS, type Right, ROLES } from '@hsu-master/core';
import { ownSurroundings } from '../ask.ts';
import { TOKEN_COMMAND } from '../own-commands.ts';
import { addressOfMaster } from '../place-of-master.ts';
import type { TokenKeeper } from './kept-tokens.ts';
import { isRight, isRole } from './token-file.ts';

/** Those of `TOKEN_COMMAND`. */
interface TokenOptions extends MasterOptions {
  readonly role?: string;
  readonly worker?: string[];
  readonly namespace?: string[];
  readonly with?: readonly string[];
  readonly without?: readonly string[];
  readonly expires?: string;
  readonly output?: string;
}

/** `hsu-master token create|list|revoke`: of the master at `--address`, else of the state directory of the one that is meant. */
export function token(argv: readonly string[]): Promise<number> {
  return runCommand({ ...TOKEN_COMMAND, run }, argv, ownSurroundings());
}

async function run(to: Surroundings, { words, options }: Given): Promise<number> {
  const [action = '', name] = words;
  const work = workOf(to, action, name, options);
  if (addressOfMaster(wantedOf(options)) !== null) return withClient(to, options, work);
  const { keptTokens } = await import('./kept-tokens.ts');
  return work(await keptTokens(to, options));
}

/** What is asked for, before anybody is asked. @throws CliError E_USAGE */
function workOf(
  to: Surroundings,
  action: string,
  name: string | undefined,
  options: TokenOptions,
): (tokens: TokenKeeper) => Promise<number> {
  const format = formatOf(options);
  if (action === 'list') {
    if (name !== undefined) throw usage('token list takes no name');
    return (tokens) => list(to, format, tokens);
  }
  if (action !== 'create' && action !== 'revoke')
    throw usage(`there is no token ${action}; there are create, list and revoke`);
  if (name === undefined) throw usage(`token ${action} needs a name`);
  if (action === 'revoke') return (tokens) => revoke(to, name, tokens);
  const wish = wishOf(name, options);
  return (tokens) => create(to, format, wish, tokens);
}

type Format = ReturnType<typeof formatOf>;

async function create(
  to: Surroundings,
  format: Format,
  wish: TokenWish,
  tokens: TokenKeeper,
): Promise<number> {
  const { token: text, ...made } = await tokens.createToken(wish);
  const whole = { token: text, ...made };
  if (await printData(to.out, format, whole, [whole])) return 0;
  await say(to.err, `The token "${made.name}" (${described(made)}). It is shown this once:`);
  await say(to.out, text);
  return 0;
}

async function revoke(to: Surroundings, name: string, tokens: TokenKeeper): Promise<number> {
  const gone = await tokens.revokeToken(name);
  await say(to.err, `The token "${gone.name}" is refused from now on.`);
  return 0;
}

async function list(to: Surroundings, format: Format, keeper: TokenKeeper): Promise<number> {
  const tokens = await keeper.accessTokens();
  if (await printData(to.out, format, { tokens }, tokens)) return 0;
  if (tokens.length === 0) await say(to.err, 'There are no tokens. See hsu-master token --help.');
  else await say(to.out, tokens.map((one) => `${one.name}: ${described(one)}`).join('\n'));
  return 0;
}

function wishOf(name: string, options: TokenOptions): TokenWish {
  const { role, worker = [], namespace = [], expires } = options;
  if (!isRole(role))
    throw usage(
      `--role takes ${Object.keys(ROLES).join(', ')}${role === undefined ? '' : `, not "${role}"`}`,
    );
  if (expires !== undefined && !((parseDuration(expires) ?? 0) > 0))
    throw usage(`--expires takes a span like 30d or 12h, not "${expires}"`);
  return {
    name,
    role,
    plus: rights('with', options.with),
    minus: rights('without', options.without),
    workers: worker,
    namespaces: namespace,
    ...(expires === undefined ? {} : { expires }),
  };
}

function rights(option: string, given: readonly string[] = []): Right[] {
  return given
    .flatMap((text) => text.split(','))
    .map((text) => {
      if (isRight(text)) return text;
      throw usage(`--${option} takes ${Object.keys(RIGHTS).join(', ')}, not "${text}"`);
    });
}

function usage(message: string): CliError {
  return new CliError('E_USAGE', message, '');
}

function described({ role, plus, minus, workers, namespaces, expiresAt }: Token): string {
  return [
    role,
    ...plus.map((right) => `with ${right}`),
    ...minus.map((right) => `without ${right}`),
    ...(workers.length === 0 ? [] : [`workers ${workers.join(' ')}`]),
    ...(namespaces.length === 0 ? [] : [`namespaces ${namespaces.join(' ')}`]),
    expiresAt === null ? 'does not expire' : `expires ${expiresAt}`,
  ].join(', ');
}
