// Installs packages of the system where they are missing: `node scripts/debian.mjs NAME …`, as root or with sudo.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { StepFailed } from './step.mjs';

const policy = '/usr/sbin/policy-rc.d';
/** Waits for another apt, in seconds. */
const locked = ['-o', 'DPkg::Lock::Timeout=300'];
const refused = '#!/bin/sh\nexit 101\n';

/**
 * Installs what is missing and starts none of it.
 * @param {readonly string[]} names
 * @throws {StepFailed} that names the packages, where they cannot be installed
 */
export function installPackages(names) {
  const missing = names.filter((name) => !installed(name));
  if (missing.length === 0) return;
  const advice = `these packages are needed: apt-get install ${missing.join(' ')}`;
  if (spawnSync('apt-get', ['--version']).error) throw new StepFailed(`${advice}\nThere is no apt-get here.`);
  const sudo = process.getuid() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && spawnSync('sudo', ['-n', 'true']).status !== 0)
    throw new StepFailed(`${advice}\nThis is not root, and sudo is missing or asks for a password.`);
  process.stderr.write(`  installing ${missing.join(' ')} …\n`);
  withoutDaemons(sudo, () => {
    apt(sudo, ['update', '-q'], advice);
    apt(sudo, ['install', '-y', '-q', '--no-install-recommends', ...missing], advice);
  });
}

function installed(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return stdout?.includes('ok installed') ?? false;
}

/** Debian starts a daemon when its package is installed, unless this file says no. */
function withoutDaemons(sudo, work) {
  const own = !existsSync(policy);
  if (own) place(sudo);
  const remove = () =>
    own &&
    (sudo.length === 0 ? rmSync(policy, { force: true }) : spawnSync('sudo', ['-n', 'rm', '-f', policy]));
  const interrupted = () => {
    remove();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    work();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    remove();
  }
}

function place(sudo) {
  if (sudo.length === 0) {
    writeFileSync(policy, refused);
    chmodSync(policy, 0o755);
    return;
  }
  spawnSync('sudo', ['-n', 'tee', policy], { input: refused, stdio: ['pipe', 'ignore', 'inherit'] });
  spawnSync('sudo', ['-n', 'chmod', '755', policy]);
}

function apt(sudo, args, advice) {
  const [program, ...words] = [
    ...sudo,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    ...locked,
    ...args,
  ];
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status === 0) return;
  const tail = `${stdout}${stderr}`.trimEnd().split('\n').slice(-40).join('\n');
  throw new StepFailed(`apt-get ${args[0]} failed (${status})\n${tail}\n\n${advice}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    installPackages(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
