// What the programs beside have in common: takes a sample each second, or as soon as the one before is complete, and
// adds a byte to a file after each.
import { appendFileSync, readFileSync } from 'node:fs';

const [, , pidsFile, samplesFile] = process.argv;

/** `take` is given the pids and resolves with what is known of each; all must be known. */
export async function everySecond(take) {
  const pids = readFileSync(pidsFile, 'utf8').trim().split('\n').map(Number);
  let next = performance.now();
  for (;;) {
    const count = await take(pids);
    if (count !== pids.length) throw new Error(`${count} of ${pids.length} processes are known`);
    appendFileSync(samplesFile, '.');
    next = Math.max(next + 1000, performance.now());
    await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
  }
}
