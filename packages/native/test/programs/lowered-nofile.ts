// Under a shell that has a soft limit below the hard one, as a login has.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { options, runAll } from './run.ts';

if (process.argv[2] === undefined) {
  const own = fileURLToPath(import.meta.url);
  const script = 'ulimit -Sn 512 && ulimit -Hn 4096 && "$0" "$1" below; exit $?';
  const { status } = spawnSync('/bin/sh', ['-c', script, process.execPath, own], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  process.stdout.write(`own ${limit}, child `);
  await runAll([options('/bin/sh', ['sh', '-c', 'ulimit -Sn'], { stdout: 'inherit' })]);
}
