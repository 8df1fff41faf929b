/**
 * What every supervisor gets: nothing of the caller's but the search path. (NODE_EXTRA_CA_CERTS alone would add
 * about 35 ms to every start of Node.)
 */
export function bareEnvironment(home: string, more: Readonly<Record<string, string>> = {}) {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', ...more };
}
