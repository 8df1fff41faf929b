import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';

/** What is read of the system to plan limits; null: it is not there, or not ours to read. */
export interface SystemView {
  /** Without the last line’s end. */
  readText(file: string): string | null;
  readBytes(file: string): Uint8Array | null;
  list(directory: string): readonly string[] | null;
  realPath(path: string): string | null;
  /** Device that a path is on as `major:minor`; of a block device itself its own. */
  deviceOf(path: string): string | null;
  niceness(): number;
}

export const systemView: SystemView = {
  readText: (file) => attempt(() => readFileSync(file, 'utf8').trimEnd()),
  readBytes: (file) => attempt(() => readFileSync(file)),
  list: (directory) => attempt(() => readdirSync(directory)),
  realPath: (path) => attempt(() => realpathSync(path)),
  deviceOf: (path) =>
    attempt(() => {
      const stats = statSync(path, { bigint: true });
      return formatDevice(stats.isBlockDevice() ? stats.rdev : stats.dev);
    }),
  niceness: () => getPriority(),
};

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** As makedev(3) of glibc and musl puts the two into one number. */
export function formatDevice(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
