import type { Milliseconds } from '@hsu-master/core';

/** What a boot service of a master is. All paths are absolute. */
export interface ServiceSpec {
  /** `hsu-master-web-1a2b3c4d`, without an ending. */
  readonly name: string;
  /** Started with the machine, or with the session of a user. */
  readonly scope: 'system' | 'user';
  readonly argv: readonly [string, ...string[]];
  readonly configFile: string;
  readonly environment: Readonly<Record<string, string>>;
  /** After which the master is done with an ordered stop in any case. */
  readonly stopTimeout: Milliseconds;
}

/** systemd kills a master that has not said so for this long that its event loop turns. */
const WATCHDOG_SECONDS = 60;

/** Channels of output that systemd keeps while no master runs: two of each worker. */
const STORED_DESCRIPTORS = 4096;

/** First version whose units may be started in a group below their own. */
const DELEGATE_SUBGROUP_FROM = 254;

/**
 * A unit of systemd. A master that crashes is started again and takes charge of the workers, which therefore live on: only the main
 * process is killed with the unit, and workers that are out of memory end nobody else.
 * @param version of the systemd that will read it; null: not known
 */
export function systemdUnit(spec: ServiceSpec, version: number | null): string {
  const hasSubgroups = version !== null && version >= DELEGATE_SUBGROUP_FROM;
  return [
    '[Unit]',
    `Description=HSU Master: ${specifier(spec.configFile)}`,
    ...(spec.scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=main',
    // The master leaves the unit’s cgroup for a scope, whose name its messages would go by.
    `SyslogIdentifier=${spec.name}`,
    `ExecStart=${spec.argv.map(word).join(' ')}`,
    ...Object.entries(spec.environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    'Restart=on-failure',
    'RestartSec=1',
    '# Wrong usage or configuration, and another master: starting again would not help.',
    'RestartPreventExitStatus=2 7',
    'KillMode=process',
    `TimeoutStopSec=${Math.ceil(spec.stopTimeout / 1000)}`,
    `WatchdogSec=${WATCHDOG_SECONDS}`,
    'Delegate=yes',
    ...(hasSubgroups ? ['DelegateSubgroup=supervisor'] : []),
    'OOMPolicy=continue',
    `FileDescriptorStoreMax=${STORED_DESCRIPTORS}`,
    'TasksMax=infinity',
    '',
    '[Install]',
    `WantedBy=${spec.scope === 'system' ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
}

/** A property list of launchd. */
export function launchdPlist(spec: ServiceSpec, logFile: string): string {
  const environment = Object.entries(spec.environment);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    `  <key>Label</key>${text(spec.name)}`,
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...spec.argv.map((argument) => `    ${text(argument)}`),
    '  </array>',
    ...(environment.length === 0
      ? []
      : [
          '  <key>EnvironmentVariables</key>',
          '  <dict>',
          ...environment.map(([name, value]) => `    <key>${escaped(name)}</key>${text(value)}`),
          '  </dict>',
        ]),
    '  <key>RunAtLoad</key><true/>',
    '  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>',
    '  <key>AbandonProcessGroup</key><true/>',
    `  <key>ExitTimeOut</key><integer>${Math.ceil(spec.stopTimeout / 1000)}</integer>`,
    `  <key>StandardOutPath</key>${text(logFile)}`,
    `  <key>StandardErrorPath</key>${text(logFile)}`,
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

/** `%` begins a specifier in all values. */
function specifier(value: string): string {
  return value.replaceAll('%', '%%');
}

/** One word of a command line, in which `$` begins a variable as well. */
function word(value: string): string {
  return quoted(value.replaceAll('$', '$$$$'));
}

function quoted(value: string): string {
  const safe = specifier(value);
  if (/^[\w./:=@%+,$-]+$/.test(safe)) return safe;
  return `"${safe.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

function text(value: string): string {
  return `<string>${escaped(value)}</string>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
