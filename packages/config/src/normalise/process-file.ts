import type { ProcessFileConfig } from '../config.ts';
import type { WrittenProcessFile } from '../schema/process.ts';

const SCENARIO_OF = {
  system: 'system',
  daemon: 'system',
  service: 'system',
  user: 'user',
  personal: 'user',
  '': 'user',
  session: 'session',
  desktop: 'session',
  development: 'development',
  dev: 'development',
  test: 'development',
} as const;

/** Where pid and port files lie, complete. */
export function processFile(written: WrittenProcessFile): ProcessFileConfig {
  const { servicecontext, scenario = '', basedirectory, appname, usesubdirectory } = written;
  return {
    context: servicecontext || null,
    scenario: SCENARIO_OF[scenario],
    base: basedirectory ?? null,
    app: appname ?? 'hsu-master',
    isBelow: usesubdirectory ?? false,
  };
}
