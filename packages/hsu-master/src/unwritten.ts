/** Of a disk, or of what stands for one. Everything else means that nobody reads any more, which is the reader's own doing. */
const DISK_TROUBLE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

let first: string | null = null;

/** Whether that something could not be written to standard output is a loss; `why` is told at the end then. */
export function isLost(code: unknown, why: string): boolean {
  // A terminal that was closed fails with EIO as well.
  if (process.stdout.isTTY || !DISK_TROUBLE.has(code)) return false;
  first ??= why;
  return true;
}

/** Why not all of the output could be written; null: it was, or nobody wanted it. */
export function whyLost(): string | null {
  return first;
}
