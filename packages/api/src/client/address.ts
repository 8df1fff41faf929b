import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** The longest path of a unix socket that all systems take, in bytes: 104 with its end, on macOS. */
const LONGEST = 103;

/** A path that the system takes for a unix socket. `release` when it is needed no longer. */
export interface SocketAddress {
  readonly path: string;
  release(): void;
}

const PIPE = '\\\\.\\pipe\\';

/**
 * The same place by a shorter name where the path is too long for a socket: by way of its folder, held open. Linux alone has that. On
 * Windows a master is asked by a named pipe, whose name, which nobody can guess, is in the file of that path.
 * @throws the system’s error where that file, or the folder, is not there
 */
export function socketAddress(path: string): SocketAddress {
  if (process.platform === 'win32') return { path: pipeOf(path), release: () => {} };
  if (Buffer.byteLength(path) <= LONGEST) return { path, release: () => {} };
  const folder = openSync(dirname(path), 'r');
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, release: () => closeSync(folder) };
}

function pipeOf(path: string): string {
  if (path.startsWith(PIPE)) return path;
  const [name = ''] = readFileSync(path, 'utf8').split('\n', 1);
  if (name.startsWith(PIPE)) return name;
  throw Object.assign(new Error(`${path} names no pipe`), { code: 'ENOENT', path });
}
