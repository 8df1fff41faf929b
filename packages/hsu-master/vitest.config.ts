import { defineProject } from 'vitest/config';

export default defineProject({ test: { name: 'hsu-master', include: ['test/**/*.test.ts'] } });
