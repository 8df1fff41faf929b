// One command as one step: its name and time are shown, its output only when it fails (or when asked for).
import { spawn } from 'node:child_process';
import { root } from './tree.mjs';

const tailLines = 40;

export class StepFailed extends Error {}

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs a command and resolves with its standard output.
 * @param {string} name what the step is for, shown to the person waiting
 * @param {string[]} command program and arguments; no shell
 * @param {{cwd?: string, env: Record<string, string>, advice?: string, quiet?: boolean}} options
 * @throws {StepFailed} with the tail of the output and the advice
 */
export async function step(name, command, { cwd = root, env, advice, quiet = false }) {
  const since = performance.now();
  if (!quiet) process.stderr.write(`  ${name} …`);
  const { code, out, all } = await run(command, cwd, env);
  if (code === 0) {
    if (!quiet) process.stderr.write(` ${seconds(since)}\n`);
    return out;
  }
  if (!quiet) process.stderr.write(' failed\n');
  const tail = all.trimEnd().split('\n').slice(-tailLines).join('\n');
  throw new StepFailed(
    [
      `${name} failed (${code}): ${command.join(' ')}`,
      `in ${cwd}`,
      '',
      tail,
      ...(advice ? ['', advice] : []),
    ].join('\n'),
  );
}

function run([program, ...args], cwd, env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = { out: '', all: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      parts.out += text;
      parts.all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      parts.all += text;
    });
    child.on('error', (error) =>
      resolve({ ...parts, all: `${parts.all}\n${error.message}`, code: error.code }),
    );
    child.on('close', (code, signal) => resolve({ ...parts, code: code ?? signal }));
  });
}
