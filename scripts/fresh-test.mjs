// Clones HEAD into an empty folder and types the README's first command there with an empty home and nothing but
// PATH and HOME in the environment. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './tree.mjs';

const place = mkdtempSync(join(tmpdir(), 'hsu-fresh-'));
const clone = join(place, 'clone');
const home = join(place, 'home');
mkdirSync(home);
const PATH = process.env.PATH.split(delimiter)
  .filter((part) => !part.includes('node_modules') && !part.startsWith(root))
  .join(delimiter);
const env = { PATH, HOME: home };
const run = (program, args, cwd) => {
  const since = performance.now();
  const { status, signal } = spawnSync(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  return { code: status ?? signal, time: (performance.now() - since) / 1000 };
};

let failed = 0;
let passed = 0;
function report(name, { code, time }, allowed = Number.POSITIVE_INFINITY) {
  const holds = code === 0 && time <= allowed;
  if (holds) passed++;
  else failed++;
  process.stdout.write(`${holds ? 'ok' : 'FAILED'} ${name}: exit ${code} in ${time.toFixed(1)} s\n`);
}

// --no-local copies as from afar; the hooks and configuration of this clone stay behind.
const cloned = run('git', ['clone', '--quiet', '--no-local', root, clone], place);
report('git clone', cloned);
if (cloned.code === 0) {
  report('npm start in a fresh clone', run('npm', ['start', '--', '--run-duration', '12'], clone));
  // It runs for a second; what comes before takes at most three.
  const factor = Number(process.env.HSU_TIME_FACTOR ?? 1);
  report('npm start again', run('npm', ['start', '--', '--run-duration', '1'], clone), 1 + 3 * factor);
  report('npx hsu-master in the clone', run('npx', ['hsu-master', 'version'], clone));
  const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' });
  report(`nothing left in the tree ${stdout.trim()}`, { code: stdout === '' ? 0 : 1, time: 0 });
}
rmSync(place, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed, 0 skipped\n`);
process.exit(failed === 0 ? 0 : 1);
