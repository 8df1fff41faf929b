/** Where a unit is to listen. */
export type Place =
  | { readonly kind: 'port'; readonly port: number }
  /** A socket that listens already, by its descriptor. */
  | { readonly kind: 'socket'; readonly fd: number };

/** The first descriptor that is passed: sd_listen_fds(3). */
const FIRST_PASSED = 3;

/**
 * Where the master wants this program: a socket that was passed to this very process, else `--port N` or `--port=N`, else PORT; else a
 * port that the system chooses.
 * @throws Error for a port that is none
 */
export function placeOf(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): Place {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (count >= 1 && Number(env['LISTEN_PID']) === pid) return { kind: 'socket', fd: FIRST_PASSED };
  const given = argument(argv) ?? env['PORT'];
  if (given === undefined || given === '') return { kind: 'port', port: 0 };
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535)
    throw new Error(`${JSON.stringify(given)} is not a port`);
  return { kind: 'port', port: Number(given) };
}

/** The last one counts: the master adds its own at the end. */
function argument(argv: readonly string[]): string | undefined {
  let found: string | undefined;
  for (const [at, word] of argv.entries()) {
    if (word === '--port') found = argv[at + 1] ?? '';
    else if (word.startsWith('--port=')) found = word.slice('--port='.length);
  }
  return found;
}
