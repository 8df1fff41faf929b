import type { Addon } from './addon.ts';
import { integer, pid } from './check.ts';
import type { NativeSampler } from './native.ts';
import { decodeRows } from './rows.ts';
import { asked, decodeTrees, flatten } from './usage.ts';

export function openSampler(addon: Addon): NativeSampler {
  const sampler = new addon.Sampler();
  return {
    enter(tree) {
      const paths: string[] = [];
      const numbers: number[] = [];
      flatten({ ...tree, pids: [] }, paths, numbers);
      return sampler.enter(paths.join(''), Float64Array.from(numbers));
    },
    leave: (tree) => sampler.leave(integer(tree, 'tree', 1, 0xffff_ffff)),
    sample(trees, detail) {
      const numbers: number[] = [];
      for (const { tree, pids } of trees) {
        numbers.push(integer(tree, 'tree', 1, 0xffff_ffff), pids.length);
        for (const member of pids) numbers.push(pid(member));
      }
      return decodeTrees(sampler.sample(new Float64Array(numbers), ...asked(detail)), detail.pressure);
    },
    newcomers: () => decodeRows(sampler.newcomers()),
    close: () => sampler.close(),
  };
}
