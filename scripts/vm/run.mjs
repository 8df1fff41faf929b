// Runs one command in a fresh guest: `node scripts/vm/run.mjs [--kind v2|systemd|v1|hybrid] [--limit SECONDS] -- COMMAND`.
// Words are for bash, in the root of this tree, with the pinned Node first in PATH. Exit code: the command's; 125: none came.
import { parseArgs } from 'node:util';
import { StepFailed } from '../step.mjs';
import { boot, kindNames } from './boot.mjs';
import { guestEnvironment } from './guest-environment.mjs';
import { compileZoo } from './zoo.mjs';

const { values, positionals } = parseArgs({
  options: {
    kind: { type: 'string', default: 'v2' },
    limit: { type: 'string', default: '300' },
    times: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (!kindNames.includes(values.kind) || positionals.length === 0) {
  process.stderr.write(
    `usage: run.mjs [--kind ${kindNames.join('|')}] [--limit SECONDS] [--times] -- COMMAND\n`,
  );
  process.exit(2);
}
const since = performance.now();
try {
  compileZoo();
  const { code, uptime } = await boot({
    kind: values.kind,
    script: `${guestEnvironment()}${positionals.join(' ')}\n`,
    limit: Number(values.limit),
    onOutput: (data) => process.stdout.write(data),
  });
  const all = ((performance.now() - since) / 1000).toFixed(1);
  if (values.times)
    process.stderr.write(`vm: exit ${code}, ${all} s, the command began ${uptime} s after power-on\n`);
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
