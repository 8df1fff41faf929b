// Lists all processes by the addon of ours, again and again, and writes the mean of ms of a look, and how many processes it
// saw. Usage: tabler names|told|ports ROUNDS RESULT.
import { writeFileSync } from 'node:fs';
import { places } from './places.ts';

// As much as is needed here of what it measures, which the bench finds as it finds the launcher.
interface Seen {
  readonly name: string;
  readonly argv?: readonly string[];
  readonly exe?: string | null;
  readonly cwd?: string | null;
  readonly user?: number | null;
  readonly listeners?: readonly object[] | null;
}
interface Addon {
  loadNative():
    | {
        readonly ok: true;
        readonly native: { lookAtProcesses(query: object): { readonly processes: readonly Seen[] } };
      }
    | { readonly ok: false; readonly reason: string };
}

const QUERIES: Readonly<Record<string, object>> = {
  names: {},
  told: { argv: true, exe: true, cwd: true, user: true },
  // All ports: nobody needs to listen anywhere for the descriptors to be read.
  ports: { ports: 'all' },
};

const [how = '', rounds = '', result = ''] = process.argv.slice(2);
const { loadNative } = (await import(places.native)) as Addon;
const loaded = loadNative();
if (!loaded.ok) throw new Error(loaded.reason);
const { native } = loaded;

/** Takes what was asked for: texts are made when they are. */
function look(): number {
  const { processes } = native.lookAtProcesses(QUERIES[how] ?? {});
  let taken = 0;
  for (const { name, argv, exe, cwd, user, listeners } of processes)
    taken +=
      name.length +
      (argv?.length ?? 0) +
      (exe?.length ?? 0) +
      (cwd?.length ?? 0) +
      (user ?? 0) +
      (listeners?.length ?? 0);
  if (taken === 0) throw new Error('nothing was told');
  return processes.length;
}

look();
let seen = 0;
const from = performance.now();
for (let round = 0; round < Number(rounds); round += 1) seen = look();
writeFileSync(result, `${(performance.now() - from) / Number(rounds)} ${seen}\n`);
