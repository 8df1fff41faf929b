import { findProgram, run } from '../command.ts';
import type { Lack } from '../peer.ts';

/** Undefined if the program is there; else the lack of its Debian package, which root can have installed. */
export async function lackOfPackage(program: string, pack: string): Promise<Lack | undefined> {
  if (await findProgram(program)) return undefined;
  const argv = ['apt-get', 'install', '--yes', '--no-install-recommends', pack];
  const what = `${program} is not installed: ${argv.join(' ')}`;
  if (process.getuid?.() !== 0 || !(await findProgram('apt-get'))) return { what };
  return {
    what,
    supply: async () => {
      await run(['apt-get', 'update']);
      await run(argv, { env: { ...environment(), DEBIAN_FRONTEND: 'noninteractive' } });
    },
  };
}

/** The installed version of a Debian package. */
export async function packageVersion(pack: string): Promise<string> {
  return run(['dpkg-query', '--show', '--showformat', '${Version}', pack]).catch(() => 'unknown');
}

const environment = () =>
  Object.fromEntries(Object.entries(process.env).flatMap(([key, value]) => (value ? [[key, value]] : [])));
