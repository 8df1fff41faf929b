import type { ServiceManager, Strategy } from '@hsu-master/core';
import type { Look, Matcher, Tools } from './matcher.ts';
import { pidIn } from './pid-file.ts';
import { NOTHING } from './process.ts';

/** The main process of a service, or why it is not known. */
type Answer = { readonly pid: number } | { readonly why: string };
type Registry = (name: string, tools: Tools) => Promise<Answer>;

const REGISTRIES: Readonly<Record<ServiceManager, Registry>> = {
  async systemd(name, tools) {
    const unit = name.includes('.') ? name : `${name}.service`;
    const { ok, output } = await tools.run([
      'systemctl',
      'show',
      '--property=MainPID',
      '--value',
      '--',
      unit,
    ]);
    if (!ok) return { why: `systemctl does not tell of ${unit}: ${output}` };
    const pid = pidIn(output);
    return pid === null ? { why: `systemd says that ${unit} has no main process` } : { pid };
  },
  async openrc(name, tools) {
    // What supervise-daemon and start-stop-daemon leave for `rc-service … status`.
    const record = tools.readText(`/run/openrc/daemons/${name}/001`);
    const told = /^pidfile=(.+)$/m.exec(record?.text ?? '')?.[1];
    if (record === null) return { why: `OpenRC has started no daemon of the service ${name}` };
    return fromFiles(told === undefined ? [] : [told], `the service ${name}`, tools);
  },
  async 'init.d'(name, tools) {
    // LSB scripts may name their pid file in a comment; without, its usual place is looked at.
    const script = tools.readText(`/etc/init.d/${name}`);
    if (script === null) return { why: `there is no /etc/init.d/${name}` };
    const told = /^#\s*pidfile:\s*(\S+)/m.exec(script.text)?.[1];
    const set = /^\s*PIDFILE=["']?([^"'\s$]+)["']?\s*$/m.exec(script.text)?.[1];
    const usual = [`/run/${name}.pid`, `/run/${name}/${name}.pid`, `/run/${name}/pid`];
    const named = [told, set].filter((path) => path !== undefined);
    return fromFiles([...named, ...usual], `/etc/init.d/${name}`, tools);
  },
};

function fromFiles(paths: readonly string[], whose: string, tools: Tools): Answer {
  for (const path of paths) {
    const file = tools.readText(path);
    const pid = file === null ? null : pidIn(file.text);
    if (pid !== null) return { pid };
  }
  return { why: `no pid file of ${whose} is there: ${paths.join(', ') || 'none is named'}` };
}

/** Who knows the service: systemd where it runs, else OpenRC where it does, else the scripts of old. */
function managerHere(tools: Tools): ServiceManager {
  if (tools.exists('/run/systemd/system')) return 'systemd';
  return tools.exists('/run/openrc') ? 'openrc' : 'init.d';
}

export function service({ manager, name }: Strategy & { kind: 'service' }): Matcher {
  return {
    needs: NOTHING,
    async begin(tools): Promise<Look> {
      const answer = await REGISTRIES[manager ?? managerHere(tools)](name, tools);
      if ('why' in answer) return { pids: [], absent: answer.why, matches: () => false };
      return { pids: [answer.pid], absent: '', matches: ({ pid }) => pid === answer.pid };
    },
  };
}
