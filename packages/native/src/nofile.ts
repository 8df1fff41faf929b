import { readFileSync } from 'node:fs';

/** What systemd and most distributions give a program that asks for nothing. */
const customary = 1024;
const deepest = 64;

interface Limits {
  readonly soft: number;
  readonly hard: number;
}

/** "Max open files  1024  524288  files" of a `/proc/<pid>/limits`. */
function parseLimits(limits: string): Limits | null {
  const found = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(limits);
  if (!found) return null;
  const [soft = 0, hard = 0] = found
    .slice(1)
    .map((value) => (value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)));
  return { soft, hard };
}

function parentOf(status: string): number {
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

/**
 * The soft limit on open files that this process had before Node raised it to the hard limit, and told nobody.
 *
 * Not simply the parent's: npm and npx are Node too, and a shell they start inherits what they raised. So the search
 * goes up from the parent while ancestors have our hard limit, and takes the first soft limit that lies below it. An
 * ancestor with another hard limit belongs to another setting of limits, and ends the search: where soft equals hard
 * in all that share ours, it was set so. If not even the parent shares it (a service, process 1 of a container), the
 * customary 1024 applies.
 *
 * `read` returns the text of a file, and throws when there is none.
 */
export function findInitialNofile(read: (path: string) => string): number {
  const attempt = <T>(path: string, parse: (content: string) => T | null): T | null => {
    try {
      return parse(read(path));
    } catch {
      return null;
    }
  };
  const hard = attempt('/proc/self/limits', parseLimits)?.hard;
  if (hard === undefined) return customary;
  let found = Math.min(customary, hard);
  let ancestor = attempt('/proc/self/status', parentOf);
  for (let depth = 0; depth < deepest && ancestor; depth++) {
    const limits = attempt(`/proc/${ancestor}/limits`, parseLimits);
    if (limits?.hard !== hard) break;
    if (limits.soft < hard) return limits.soft;
    found = hard;
    ancestor = attempt(`/proc/${ancestor}/status`, parentOf);
  }
  return found;
}

export const readText = (path: string): string => readFileSync(path, 'utf8');
