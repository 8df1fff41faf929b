// Runs one program of Windows: `node scripts/windows/run.mjs [--cwd DIR] [--limit SECONDS] -- node ARGS`. `node` is the pinned
// node.exe; other programs are named as Windows names them. This tree is Z:\w there. Exit code: the program's.
import { parseArgs } from 'node:util';
import { StepFailed } from '../step.mjs';
import { inside, runWindows } from './rig.mjs';
import { setupWindows } from './setup.mjs';

const { values, positionals } = parseArgs({
  options: { cwd: { type: 'string', default: '/w' }, limit: { type: 'string', default: '300' } },
  allowPositionals: true,
});
const [program, ...args] = positionals;
if (program === undefined) {
  process.stderr.write('usage: run.mjs [--cwd DIR] [--limit SECONDS] -- node ARGS\n');
  process.exit(2);
}
try {
  await setupWindows();
  const { code } = await runWindows([program === 'node' ? inside.node : program, ...args], {
    cwd: values.cwd,
    limit: Number(values.limit),
    onOutput: (data) => process.stdout.write(data),
  });
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
