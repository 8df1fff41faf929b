import { defineProject } from 'vitest/config';

export default defineProject({ test: { name: 'logcollect', include: ['test/**/*.test.ts'] } });
