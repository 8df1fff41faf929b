import type { ExecRequest, Host, ServiceManager, WorkerSpec } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';

/** Kept of what a service manager says. */
const MAX_OUTPUT = 2000;

type Action = 'stop' | 'restart';
type Words = readonly [string, ...string[]];

/** What the managers of services are asked with. */
const MANAGERS: Readonly<Record<ServiceManager, (name: string, action: Action) => Words>> = {
  systemd: (name, action) => ['systemctl', action, '--', name.includes('.') ? name : `${name}.service`],
  openrc: (name, action) => ['rc-service', name, action],
  'init.d': (name, action) => [`/etc/init.d/${name}`, action],
};

/**
 * Has whoever may do it end or restart a process that somebody else started: the command that is named for it, else the manager of its
 * service. Calls `failed` where that says that it could not.
 */
export function controlProcess(
  host: Pick<Host, 'exec'>,
  spec: WorkerSpec,
  { action, mark }: { readonly action: Action; readonly mark: string },
  failed: (reason: string) => void,
): void {
  const { unmanaged, command, stop } = spec;
  const service = unmanaged?.control.service ?? null;
  const own = unmanaged?.control.commands[action] ?? null;
  const argv = own ?? (service === null ? null : MANAGERS[service.manager](service.name, action));
  if (argv === null) {
    failed(`control names nobody who could ${action} it`);
    return;
  }
  // A service of systemd is started by systemd; all else is started by what is run here, and has to outlive it.
  const leavesDaemons = own !== null || service?.manager !== 'systemd';
  const request: ExecRequest = {
    command: { ...command, argv },
    mark: `${mark}.control`,
    timeout: stop.grace,
    maxOutput: MAX_OUTPUT,
    leavesDaemons,
  };
  const name = JSON.stringify(argv.join(' '));
  void host.exec(request).outcome.then((outcome) => {
    if (outcome.kind === 'failed') failed(`${name} could not be run: ${outcome.failure.message}`);
    else if (outcome.kind === 'timed-out') failed(`${name} took more than ${formatDuration(stop.grace)}`);
    else if (outcome.exit.code !== 0) failed(`${name} failed: ${lastLine(outcome.output) || code(outcome)}`);
  });
}

function code({
  exit,
}: {
  readonly exit: { readonly code: number | null; readonly signal: string | null };
}): string {
  return exit.signal ?? `exit ${exit.code ?? 'unknown'}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}
