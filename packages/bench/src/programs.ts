import { execFile } from 'node:child_process';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { places } from './places.ts';

/** How a worker's program is bound to libc: `dynamic` as Debian binds its `sleep`. */
export type Linkage = 'static' | 'dynamic';

/** Absolute paths of the compiled C programs; what each does stands at the top of its source. */
export interface Programs {
  readonly arena: string;
  readonly floor: string;
  readonly stamp: Readonly<Record<Linkage, string>>;
  readonly awkward: string;
  readonly nothing: string;
  readonly spawns: string;
  readonly reader: string;
  readonly reattach: string;
  readonly flood: string;
  readonly tally: string;
  readonly table: string;
  readonly logloop: string;
  readonly ask: string;
}

const changedAt = async (path: string) => (await stat(path).catch(() => undefined))?.mtimeMs ?? -1;

async function compile(name: string, linkage: Linkage): Promise<string> {
  const source = join(places.sources, `${name}.c`);
  const program = join(places.programs, linkage, name);
  if ((await changedAt(program)) >= (await changedAt(source))) return program;
  await mkdir(dirname(program), { recursive: true });
  // Under another name first: two benches that compile at once must not run half a program.
  const fresh = `${program}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', ...(linkage === 'static' ? ['-static'] : [])];
  await promisify(execFile)('cc', [...flags, '-o', fresh, source]);
  await rename(fresh, program);
  return program;
}

/** Compiles what is older than its source. Rejects without a C compiler. */
export async function compilePrograms(): Promise<Programs> {
  const [
    arena,
    floor,
    awkward,
    nothing,
    spawns,
    reader,
    reattach,
    flood,
    tally,
    table,
    logloop,
    ask,
    bare,
    linked,
  ] = await Promise.all([
    compile('arena', 'static'),
    compile('floor', 'static'),
    compile('awkward', 'static'),
    compile('nothing', 'static'),
    compile('spawns', 'static'),
    compile('reader', 'static'),
    compile('reattach', 'static'),
    compile('flood', 'static'),
    compile('tally', 'static'),
    compile('table', 'static'),
    compile('logloop', 'static'),
    compile('ask', 'static'),
    compile('stamp', 'static'),
    compile('stamp', 'dynamic'),
  ]);
  const stamp = { static: bare, dynamic: linked };
  return {
    arena,
    floor,
    awkward,
    nothing,
    spawns,
    reader,
    reattach,
    flood,
    tally,
    table,
    logloop,
    ask,
    stamp,
  };
}
