import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A process that has a port open. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** Who has a TCP port, as /proc shows it; null where nobody is seen: it may be another user’s, or held without listening. */
export function holderOf(port: number): PortHolder | null {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => socketsAt(file, port)));
  if (sockets.size === 0) return null;
  for (const pid of quietly(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (target === null || !sockets.has(target)) continue;
      return { pid: Number(pid), name: nameOf(pid) };
    }
  }
  return null;
}

/**
 * Its program, and the script where it runs one; the name that /proc has for it may be that of a thread. Other arguments are its own
 * business.
 */
function nameOf(pid: string): string {
  const [program = '', script = ''] = textOf(pid, 'cmdline').split('\0');
  if (program === '') return textOf(pid, 'comm').trim() || 'unknown';
  // Some show there what they do, behind their name: `nginx: worker process`.
  const name = basename(program.replace(/: .*/, ''));
  return /^[^-].*\.(?:[cm]?[jt]s|py|rb|pl|php|sh)$/.test(script) ? `${name} ${basename(script)}` : name;
}

function textOf(pid: string, file: string): string {
  return quietly(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';
}

/** Its sockets as links in /proc name them: `socket:[4711]`. */
function socketsAt(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const row = new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} (?:\\S+\\s+){7}(\\d+)`, 'gm');
  const text = quietly(() => readFileSync(file, 'utf8')) ?? '';
  return [...text.matchAll(row)].filter(([, inode]) => inode !== '0').map(([, inode]) => `socket:[${inode}]`);
}

function quietly<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
