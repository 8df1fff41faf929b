import type { WorkerSpec } from './spec.ts';

/**
 * Sixteen hexadecimal digits that are the same for values that are written alike, whatever the order of their members. For telling that
 * something changed; no protection against whoever wants two values to look alike.
 */
export function digest(value: unknown): string {
  const text = canonical(value);
  // Two multiplicative hashes (cyrb53’s), one of each half.
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    one = Math.imul(one ^ unit, 2_654_435_761);
    two = Math.imul(two ^ unit, 1_597_334_677);
  }
  const first = Math.imul(one ^ (one >>> 16), 2_246_822_507) ^ Math.imul(two ^ (two >>> 13), 3_266_489_909);
  const second =
    Math.imul(two ^ (two >>> 16), 2_246_822_507) ^ Math.imul(first ^ (first >>> 13), 3_266_489_909);
  return [first, second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Of what a program is started with: a process whose digest is another one must give way to a new one. */
export function startDigest({ command, listen }: Pick<WorkerSpec, 'command' | 'listen'>): string {
  return digest(listen === null ? command : { command, listen });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
