import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Strategy } from '@hsu-master/core';
import type { ProcessInfo } from '@hsu-master/workers';
import type { Plain } from './yaml-text.ts';

type Block = { [key: string]: Plain };

/** What to write for a process that runs, and what to know about it. */
export interface Stanza {
  readonly worker: Block;
  readonly notes: readonly string[];
}

/** A server’s own way of being found again is better than what was asked with: a pid file, its service, its port. */
export function stanzaOf(
  process: ProcessInfo,
  {
    asked,
    family,
    id,
  }: {
    readonly asked: Strategy | number;
    readonly family: readonly ProcessInfo[];
    readonly id: string | null;
  },
): Stanza {
  const notes: string[] = [];
  const program = process.exe?.replace(/ \(deleted\)$/, '') ?? null;
  if (program === null)
    notes.push('which program it is may not be seen by this user; as root there is more to tell');
  const service = serviceOf(process.pid);
  const port = portOf(family);
  const discovery = discoveryOf(process, asked, { program, port });
  if (service !== null) notes.push(`a service of systemd: ${service}; it can be stopped and restarted there`);
  else notes.push('nothing is allowed to be done to it yet: see control.can_terminate and can_restart');
  const control: Block = service === null ? {} : { service_manager: 'systemd', service_name: service };
  const logs = logFilesOf(process.pid);
  return {
    notes,
    worker: {
      id: id ?? idOf(process),
      type: 'unmanaged',
      unit: {
        unmanaged: {
          discovery,
          control: { can_terminate: false, can_restart: false, ...control },
          ...(logs.length === 0 ? {} : { log_files: logs }),
          ...(port?.protocol !== 'tcp' ? {} : { health_check: healthOf(port) }),
        },
      },
    },
  };
}

interface Port {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly address: string;
}

/** TCP before UDP, the lowest first; one that a second server may have as well says less. */
function portOf(family: readonly ProcessInfo[]): Port | null {
  const all = family.flatMap(({ listeners }) => listeners ?? []);
  const sorted = all.toSorted((a, b) => a.protocol.localeCompare(b.protocol) || a.port - b.port);
  return sorted[0] ?? null;
}

function discoveryOf(
  process: ProcessInfo,
  asked: Strategy | number,
  { program, port }: { readonly program: string | null; readonly port: Port | null },
): Block {
  const validation: Plain[] = program === null ? [] : [{ type: 'executable_path', path: program }];
  const checks: Block = validation.length === 0 ? {} : { validation };
  if (typeof asked !== 'number' && asked.kind === 'port')
    return { strategy: 'port_based', port: asked.port, protocol: asked.protocol, ...checks };
  if (typeof asked !== 'number' && asked.kind === 'command-line')
    return { strategy: 'command_line_pattern', pattern: asked.pattern, ...checks };
  const file = pidFileOf(process);
  if (file !== null) return { strategy: 'pid_file', pid_file: file, ...checks };
  if (port !== null) return { strategy: 'port_based', port: port.port, protocol: port.protocol, ...checks };
  const line = (process.argv ?? []).join(' ');
  const pattern = `^${escaped(line === '' ? process.name : line)}$`;
  return { strategy: 'command_line_pattern', pattern, ...checks };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** A pid file that holds its pid: one that its arguments name, or one in the usual places. */
function pidFileOf({ pid, name, argv }: ProcessInfo): string | null {
  const named = (argv ?? []).flatMap((word) => /(\/[^\s;=]+\.pid)/.exec(word)?.[1] ?? []);
  const usual = [`/run/${name}.pid`, `/run/${name}/${name}.pid`, `/var/run/${name}.pid`];
  return [...named, ...usual].find((path) => holds(path, pid)) ?? null;
}

function holds(path: string, pid: number): boolean {
  try {
    return existsSync(path) && /^\s*(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] === String(pid);
  } catch {
    return false;
  }
}

/** The service of systemd whose cgroup it is in. */
function serviceOf(pid: number): string | null {
  try {
    const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    return /\/system\.slice\/(?:[^/\n]+\/)*([^/\n]+\.service)(?:\/|$)/m.exec(groups)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Files that it has open for writing and calls logs. */
function logFilesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    const paths = readdirSync(folder).flatMap((fd) => {
      const path = linkOf(`${folder}/${fd}`);
      return path?.endsWith('.log') === true && isWritten(`/proc/${pid}/fdinfo/${fd}`) ? [path] : [];
    });
    return [...new Set(paths)].sort();
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function isWritten(info: string): boolean {
  const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(info, 'utf8'))?.[1];
  // O_WRONLY and O_RDWR.
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
}

const ANYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function healthOf({ address, port }: Port): Plain {
  const host = ANYWHERE.has(address) ? '127.0.0.1' : address;
  return { type: 'tcp', tcp: { address: host, port }, run_options: { interval: '10s', timeout: '2s' } };
}

/** What it calls itself, without what follows: `nginx: master process …`, `redis-server *:6379`. */
function idOf({ name, argv }: ProcessInfo): string {
  const [word = ''] = (argv?.[0] ?? name).split(' ');
  const base = word.slice(word.lastIndexOf('/') + 1);
  const id = base.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return id.slice(0, 64) || 'process';
}
