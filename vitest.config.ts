import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, longest first: begun last, it would be waited for alone. */
const LONG = [
  'hsu-master/test/fuzz',
  'hsu-master/test/crowd',
  'workers/test/simulation-several',
  'hsu-master/test/asking',
  'workers/test/host-system',
  'native/test/pump-killed',
  'workers/test/simulation-one',
  'hsu-master/test/integrated',
  'hsu-master/test/adopt-loop',
  'native/test/pump-faults',
  'hsu-master/test/examples',
  'hsu-master/test/changing',
  'hsu-master/test/adopt-resume',
  'hsu-master/test/masters',
  'hsu-master/test/documented',
  'hsu-master/test/network',
  'hsu-master/test/exec',
  'hsu-master/test/health',
  'hsu-master/test/control',
  'hsu-master/test/limits',
  'logcollect/test/direct/direct-output',
  'server-grpc/test/refusals',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/packages/${name}.test.ts`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    projects: ['packages/*/vitest.config.ts'],
    globalSetup: 'vitest.setup.ts',
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
