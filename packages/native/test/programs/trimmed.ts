import { native } from './run.ts';

let pieces = Array.from({ length: 8192 }, () => new Uint8Array(4096).fill(1));
// What stays here and there, the end included, keeps the C library from giving anything back by itself.
pieces = pieces.filter((_, index) => index % 64 === 63);
global.gc?.();
// The garbage collector frees on threads of its own.
while (process.memoryUsage().arrayBuffers > 2 * 2 ** 20)
  await new Promise((resolve) => setImmediate(resolve));
const before = process.memoryUsage.rss();
native().trimMemory();
const given = before - process.memoryUsage.rss();
process.stdout.write(
  `${given > 8 * 2 ** 20 ? 'gave back' : `gave back only ${given} bytes`}, kept ${pieces.length}\n`,
);
