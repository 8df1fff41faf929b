import { describe, expect, it } from 'vitest';
import { findInitialNofile } from '../src/nofile.ts';

/** A line of ancestors, ourselves first: soft and hard limit of each. */
function ancestry(...limits: [number, number][]): (path: string) => string {
  return (path) => {
    const [, who = '', file] = /^\/proc\/(self|\d+)\/(limits|status)$/.exec(path) ?? [];
    const at = who === 'self' ? 0 : Number(who);
    const row = limits[at];
    if (!row) throw new Error('ENOENT');
    if (file === 'status') return `Name:\tx\nPPid:\t${at + 1 < limits.length ? at + 1 : 0}\n`;
    return `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${row[0]}   ${row[1]}   files\n`;
  };
}

describe('the limit on open files before Node raised it', () => {
  it("is the parent's, where that is below the hard one", () => {
    expect(findInitialNofile(ancestry([4096, 4096], [1024, 4096], [512, 4096]))).toBe(1024);
  });

  it('is found behind ancestors that raised theirs, as npx and its shell', () => {
    expect(findInitialNofile(ancestry([4096, 4096], [4096, 4096], [4096, 4096], [1024, 4096]))).toBe(1024);
  });

  it('is the hard one where it was set so', () => {
    expect(findInitialNofile(ancestry([4096, 4096], [4096, 4096], [1024, 8192]))).toBe(4096);
    expect(findInitialNofile(ancestry([4096, 4096], [4096, 4096]))).toBe(4096);
  });

  it('is the customary one under a parent with other limits, and for the first process of a container', () => {
    expect(findInitialNofile(ancestry([524_288, 524_288], [1_073_741_816, 1_073_741_816]))).toBe(1024);
    expect(findInitialNofile(ancestry([524_288, 524_288]))).toBe(1024);
    expect(findInitialNofile(ancestry([256, 256], [512, 512]))).toBe(256);
  });

  it('is the customary one where nothing can be read', () => {
    expect(
      findInitialNofile(() => {
        throw new Error('EACCES');
      }),
    ).toBe(1024);
  });
});
