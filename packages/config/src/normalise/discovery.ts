import type { DiscoveryCheck, DiscoverySpec, ServiceManager, Strategy } from '@hsu-master/core';
import type { Findings } from '../findings.ts';
import type { Path } from '../issue.ts';
import {
  STRATEGIES,
  type WrittenClue,
  type WrittenClueWithParent,
  type WrittenDiscovery,
  type WrittenValidation,
} from '../schema/discovery.ts';

const INTERVAL = 5000;
const TIMEOUT = 5000;

type Name = (typeof STRATEGIES)[keyof typeof STRATEGIES];

/** Which keys say it, one of them at least; `pattern` stands for the last of those that end in `_pattern`. */
const KEYS: Readonly<Record<Name, readonly (keyof WrittenClueWithParent)[]>> = {
  pid_file: ['pid_file'],
  process_name: ['process_name', 'process_name_pattern', 'pattern', 'process_args'],
  command_line_pattern: ['command_line_pattern', 'pattern'],
  port: ['port'],
  parent_process: ['parent_process'],
  environment_variable: ['environment_variable'],
  working_directory: ['working_directory'],
  user: ['user'],
  open_file: ['open_file'],
  executable_path: ['executable_path'],
  service_name: ['service_name'],
};

const TAKES_PATTERN: ReadonlySet<Name> = new Set([
  'process_name',
  'command_line_pattern',
  'environment_variable',
]);

/** How the process is found, paths as written. */
export function normaliseDiscovery(written: WrittenDiscovery, at: Path, findings: Findings): DiscoverySpec {
  const { all = [], any = [], filters = [], exclude = [] } = written;
  const each = (key: string, items: readonly WrittenClueWithParent[]): Strategy[] =>
    items.map((item, index) => clueOf(item, [...at, key, index], findings));
  const own = strategiesOf(written, at, findings);
  const more = [...each('all', all), ...each('filters', filters)];
  const either = each('any', any);
  const strategies = [...own, ...more, ...(either.length === 0 ? [] : [joined('any', either)])];
  if (strategies.length === 0 && !findings.hasErrorBelow(at)) {
    const hint = 'write pid_file, process_name, command_line_pattern, port, service_name, …';
    findings.errorAt(at, { message: 'says of no process who it is', hint });
  }
  const validation = (written.validation ?? []).map((item, index) =>
    checkOf(item, [...at, 'validation', index], findings),
  );
  const checks = validation.filter((check) => check !== null);
  const isKnown = strategies.length > 1 || checks.some(({ type }) => type === 'executable');
  return {
    strategy: withAge(joined('all', strategies), !isKnown),
    exclude: each('exclude', exclude),
    choose: written.choose ?? 'only',
    validation: checks,
    timeout: written.validation_timeout ?? TIMEOUT,
    interval: written.check_interval || INTERVAL,
  };
}

function joined(kind: 'all' | 'any', strategies: readonly Strategy[]): Strategy {
  const [first, ...others] = strategies;
  return first !== undefined && others.length === 0 ? first : { kind, of: strategies };
}

/** Only what nothing but a pid file says may be a process that has the pid by chance. */
function withAge(strategy: Strategy, checkAge: boolean): Strategy {
  return strategy.kind === 'pid-file' ? { ...strategy, checkAge } : strategy;
}

function clueOf(written: WrittenClueWithParent, at: Path, findings: Findings): Strategy {
  const strategies = strategiesOf(written, at, findings);
  if (strategies.length === 0 && !findings.hasErrorBelow(at))
    findings.errorAt(at, { message: 'is empty; it tells no process from another' });
  return joined('all', strategies);
}

/** All that one block says, each key by itself. */
function strategiesOf(written: WrittenClueWithParent, at: Path, findings: Findings): Strategy[] {
  const name = nameOf(written, at, findings);
  const { parent_process: parent } = written;
  const own = plainOf(written, name, at, findings);
  if (parent === undefined) return own;
  const above = strategiesOf(parent, [...at, 'parent_process'], findings);
  if (above.length === 0 && !findings.hasErrorBelow([...at, 'parent_process']))
    findings.errorAt([...at, 'parent_process'], { message: 'is empty; it says not who the parent is' });
  return [...own, { kind: 'parent', parent: joined('all', above) }];
}

/** The strategy that is named, and whether what it needs is there. */
function nameOf(
  { strategy, method, ...keys }: WrittenClueWithParent,
  at: Path,
  findings: Findings,
): Name | null {
  const named = strategy ?? method;
  const name = named === undefined ? null : STRATEGIES[named];
  if (strategy !== undefined && method !== undefined && STRATEGIES[method] !== name) {
    const message = `the strategy is ${strategy}, but the method is ${method}; they are two names of one key`;
    findings.errorAt([...at, 'method'], { message, hint: 'keep one' });
  }
  const key = strategy === undefined ? 'method' : 'strategy';
  if (name !== null && !KEYS[name].some((one) => keys[one as keyof typeof keys] !== undefined)) {
    const needed = KEYS[name].map((one) => `"${one}"`).join(' or ');
    findings.errorAt([...at, key], { message: `${named} needs ${needed}`, hint: `write ${KEYS[name][0]}` });
  }
  if (keys.pattern !== undefined && (name === null || !TAKES_PATTERN.has(name))) {
    const hint =
      name === null
        ? 'write process_name_pattern or command_line_pattern, or the strategy'
        : 'write it into all: […]';
    const message = name === null ? 'is a pattern of nothing' : `${named} takes no pattern`;
    findings.errorAt([...at, 'pattern'], { message, hint });
  }
  return name;
}

function plainOf(written: WrittenClue, name: Name | null, at: Path, findings: Findings): Strategy[] {
  const { pattern = null, port } = written;
  const strategies: Strategy[] = [];
  if (written.pid_file !== undefined)
    strategies.push({ kind: 'pid-file', path: written.pid_file, checkAge: false });
  const namePattern = written.process_name_pattern ?? (name === 'process_name' ? pattern : null);
  const { process_name: processName = null, process_args: args = [] } = written;
  if (processName !== null || namePattern !== null || args.length > 0)
    strategies.push({ kind: 'name', name: processName, pattern: namePattern, args });
  const linePattern = written.command_line_pattern ?? (name === 'command_line_pattern' ? pattern : null);
  if (linePattern !== null) strategies.push({ kind: 'command-line', pattern: linePattern });
  if (port !== undefined) {
    const { protocol = 'tcp', address = null } = written;
    strategies.push({ kind: 'port', protocol, port, address });
  }
  const variable = variableOf(written, name === 'environment_variable' ? pattern : null);
  if (variable !== null) strategies.push(variable);
  if (written.working_directory !== undefined) {
    const below = written.include_subdirectories ?? false;
    strategies.push({ kind: 'directory', path: written.working_directory, below });
  }
  if (written.user !== undefined) strategies.push({ kind: 'user', user: written.user });
  if (written.open_file !== undefined) strategies.push({ kind: 'open-file', path: written.open_file });
  if (written.executable_path !== undefined)
    strategies.push({ kind: 'executable', path: written.executable_path });
  if (written.service_name !== undefined) {
    const manager = managerHere(written.service_manager, [...at, 'service_manager'], findings);
    strategies.push({ kind: 'service', manager, name: written.service_name });
  }
  return strategies;
}

function variableOf({ environment_variable: written }: WrittenClue, pattern: string | null): Strategy | null {
  if (written === undefined) return null;
  const equals = written.indexOf('=');
  const name = equals === -1 ? written : written.slice(0, equals);
  const value = equals === -1 ? null : written.slice(equals + 1);
  return { kind: 'environment', name, value, pattern };
}

/** null: none is named, or none that manages services of a Linux. */
export function managerHere(
  written: WrittenClue['service_manager'],
  at: Path,
  findings: Findings,
): ServiceManager | null {
  if (written === undefined || written === '') return null;
  if (written !== 'windows' && written !== 'launchd') return written;
  findings.noticeAt(`service manager ${written}`, at, () => ({
    message: `${written} manages no services here; not used`,
    hint: 'write systemd, openrc or init.d',
  }));
  return null;
}

function checkOf(written: WrittenValidation, at: Path, findings: Findings): DiscoveryCheck | null {
  const { type, port, protocol = 'tcp', host = '127.0.0.1', path, endpoint, url } = written;
  const lacks = (key: string): null => {
    findings.errorAt(at, { message: `${type} needs "${key}"`, hint: `write ${key}` });
    return null;
  };
  switch (type) {
    case 'port_check':
    case 'port-check':
      return port === undefined ? lacks('port') : { type: 'port-check', protocol, host, port };
    case 'file_exists':
    case 'file-exists':
      return path === undefined ? lacks('path') : { type: 'file-exists', path };
    case 'http_health':
    case 'http-health': {
      const asked = endpoint ?? url;
      return asked === undefined ? lacks('endpoint') : { type: 'http-health', url: asked };
    }
    default:
      return path === undefined ? lacks('path') : { type: 'executable', path };
  }
}
