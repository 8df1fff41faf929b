/**
 * Names for Win32 errors that making and ending processes can answer, as POSIX has them, because messages and decisions about failures
 * go by these; source: winerror.h.
 */
const codes = new Map<number, string>([
  [2, 'ENOENT'],
  [3, 'ENOENT'],
  [4, 'EMFILE'],
  [5, 'EACCES'],
  [6, 'EBADF'],
  [8, 'ENOMEM'],
  [14, 'ENOMEM'],
  [21, 'ENODEV'],
  [32, 'EBUSY'],
  [33, 'EBUSY'],
  [50, 'ENOTSUP'],
  [80, 'EEXIST'],
  [87, 'EINVAL'],
  [109, 'EPIPE'],
  [110, 'ENOENT'],
  [123, 'ENOENT'],
  [127, 'ENOSYS'],
  [161, 'ENOENT'],
  [183, 'EEXIST'],
  [191, 'ENOEXEC'],
  [192, 'ENOEXEC'],
  [193, 'ENOEXEC'],
  [203, 'ENOENT'],
  [206, 'E2BIG'],
  [216, 'ENOEXEC'],
  [231, 'EAGAIN'],
  [232, 'EPIPE'],
  [267, 'ENOTDIR'],
  [299, 'EAGAIN'],
  [577, 'EACCES'],
  [740, 'EACCES'],
  [1056, 'EEXIST'],
  [1117, 'EIO'],
  [1168, 'ESRCH'],
  [1223, 'ECANCELED'],
  [1260, 'EACCES'],
  [1300, 'EPERM'],
  [1314, 'EPERM'],
  [1450, 'ENOMEM'],
  [1455, 'ENOMEM'],
  [1816, 'EAGAIN'],
]);

/** What particular errors mean beyond their code. */
const meanings = new Map<number, string>([
  [206, 'the command line or a path is too long'],
  [216, 'it is for another kind of processor or a newer Windows'],
  [225, 'it was blocked as malware'],
  [577, 'its signature is not accepted'],
  [740, 'it wants the rights of an administrator'],
  [1260, 'a policy of this system forbids it'],
  [1455, 'the paging file is too small'],
  [1816, 'a quota of this system or job is used up'],
]);

/** The POSIX name of a Win32 error, `'ENOENT'`; `'W1234'` for one that has none. */
export function windowsCode(error: number): string {
  return codes.get(error) ?? `W${error}`;
}

/** In words, where there are any that the code does not say; else null. */
export function windowsMeaning(error: number): string | null {
  return meanings.get(error) ?? null;
}

/** Gives an error of the addon the `code` that Node’s own system errors have. */
export function nameWindowsError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === undefined) return error;
  const code = windowsCode(errno);
  return Object.assign(error, { code, message: `${error.message}: ${code} (${errno})` });
}
